#include "query_private.h"

#include <math.h>

#include "base/mem.h"

#define BM25_K 1.2
#define BM25_B 0.75
#define TITLE_FACTOR 3.0F

void score_lengths(struct query_index *index)
{
	const struct lexicon *prose = &index->finder.prose;
	double average = (double)prose->n_places / (double)index->n_papers;

	index->lengths = mem_array(index->n_papers, sizeof(*index->lengths));
	for (uint32_t i = 0; i < index->n_papers; i++) {
		struct range places =
			lexicon_places_of(prose, (struct range){i, i + 1});

		index->lengths[i] =
			average > 0
				? (float)((places.end - places.first) / average)
				: 1;
	}
}

float score_weight(unsigned part)
{
	return part == CLAUSE_TITLE ? TITLE_FACTOR : 1;
}

/*
 * The binary logarithm of a number from 1 on, as straight lines between the
 * powers of two: for an order of papers that is as good as the curve.
 */
static double measure_log(double x)
{
	int exponent;
	double fraction = frexp(x, &exponent);

	return exponent - 2 + 2 * fraction;
}

/* How much it says that a paper has this clause: rare ones say more. */
static double weigh_rarity(double all, double having)
{
	return measure_log(1 + (all - having + 0.5) / (having + 0.5));
}

void score_postings(struct query_index *index, size_t first)
{
	double rarity = weigh_rarity((double)index->n_papers,
	                             (double)(index->n_postings - first));

	for (size_t i = first; i < index->n_postings; i++) {
		struct posting *posting = &index->postings[i];
		double length = (double)index->lengths[posting->paper];
		double hits = (double)posting->score;
		double damping = BM25_K * (1 - BM25_B + BM25_B * length);

		posting->score = (float)(rarity * hits * (BM25_K + 1) /
		                         (hits + damping));
	}
}
