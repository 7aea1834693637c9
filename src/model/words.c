#include "model/words.h"

void paper_words_fini(struct paper_words *words)
{
	free(words->title);
	free(words->summary);
	free(words->abstract);
	free(words->model);
	*words = (struct paper_words){0};
}
