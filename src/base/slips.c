#include "base/slips.h"

#include <ctype.h>

#define MAX_BYTES 64U

/*
 * What slips cost. A swap is the likelier explanation of cs.IA for cs.AI than
 * a wrong letter is for cs.IR, and a wrong case the likeliest of all.
 */
#define COST_CASE 1U
#define COST_SWAP 4U
#define COST_LETTER 5U
#define MOST (2U * COST_LETTER)

static unsigned min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned letter_cost(char a, char b)
{
	if (a == b)
		return 0;
	return tolower((unsigned char)a) == tolower((unsigned char)b)
	               ? COST_CASE
	               : COST_LETTER;
}

/*
 * Optimal string alignment, with three rows of the table: `rows[0]` is the
 * present one.
 */
static unsigned fill_row(unsigned rows[3][MAX_BYTES + 1], size_t i,
                         struct span a, struct span b)
{
	unsigned least = rows[0][0];

	for (size_t j = 1; j <= b.len; j++) {
		unsigned cost = rows[1][j - 1] +
		                letter_cost(a.ptr[i - 1], b.ptr[j - 1]);

		cost = min2(cost, rows[1][j] + COST_LETTER);
		cost = min2(cost, rows[0][j - 1] + COST_LETTER);
		if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
		    a.ptr[i - 2] == b.ptr[j - 1])
			cost = min2(cost, rows[2][j - 2] + COST_SWAP);
		rows[0][j] = cost;
		least = min2(least, cost);
	}
	return least;
}

/* More than the most is not counted out. */
static unsigned measure(struct span a, struct span b)
{
	unsigned rows[3][MAX_BYTES + 1] = {0};

	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = (unsigned)j * COST_LETTER;
	for (size_t i = 1; i <= a.len; i++) {
		memcpy(rows[2], rows[1], sizeof(rows[1]));
		memcpy(rows[1], rows[0], sizeof(rows[0]));
		rows[0][0] = (unsigned)i * COST_LETTER;
		if (fill_row(rows, i, a, b) > MOST)
			return SLIPS_TOO_MANY;
	}
	return rows[0][b.len];
}

unsigned slips_cost(struct span text, struct span word)
{
	unsigned cost;

	if (text.len > MAX_BYTES || word.len > MAX_BYTES)
		return SLIPS_TOO_MANY;
	cost = measure(text, word);
	/* Of a word that short, too little would be left. */
	return cost <= MOST && 3 * cost < word.len * COST_LETTER
	               ? cost
	               : SLIPS_TOO_MANY;
}
