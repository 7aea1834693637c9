#include "conf/suggest.h"

#include "base/slips.h"

const char *conf_suggest(struct span text, const struct strings *words)
{
	const char *nearest = NULL;
	unsigned least = SLIPS_TOO_MANY;

	for (size_t i = 0; i < words->n; i++) {
		unsigned cost = slips_cost(text, span_of(words->items[i]));

		if (cost < least) {
			least = cost;
			nearest = words->items[i];
		}
	}
	return nearest;
}
