/* Any bytes as a raw title: to display text, folded, and to words of a batch.
 */

#include "base/mem.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "query/query.h"
#include "text/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span raw = {size > 0 ? (const char *)data : "", size};
	owned(buf) struct buf display = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf folded = BUF_INIT(SIZE_MAX);
	owned(paper) struct paper *paper = paper_new();
	struct query_paper batch = {paper, ANNOUNCE_NEW};
	owned(query_pool) struct query_pool *pool = query_pool_new();
	owned(query_index) struct query_index *index = NULL;

	text_add_display(&display, raw);
	text_add_folded(&folded, buf_span(&display));
	if (!utf8_valid(buf_span(&display)) || !utf8_valid(buf_span(&folded)))
		abort();
	paper->id = mem_dup("2601.00001");
	paper->title = mem_dup_span(raw);
	paper->abstract = mem_dup(buf_str(&display));
	strings_add(&paper->authors, raw);
	index = query_index_new(pool, &batch, 1);
	return 0;
}
