#include "model/paper.h"

#include <ctype.h>

#include "base/mem.h"
#include "base/num.h"

#define MAX_VERSION 999

struct paper *paper_new(void)
{
	return mem_new(sizeof(struct paper));
}

struct paper *paper_share(struct paper *paper)
{
	paper->n_shares++;
	return paper;
}

void paper_free(struct paper *paper)
{
	if (!paper)
		return;
	if (paper->n_shares > 0) {
		paper->n_shares--;
		return;
	}
	free(paper->id);
	free(paper->title);
	free(paper->abstract);
	strings_fini(&paper->authors);
	free(paper->title_raw);
	free(paper->abstract_raw);
	free(paper->authors_raw);
	strings_fini(&paper->categories);
	free(paper);
}

static size_t count_digits(struct span text)
{
	size_t n = 0;

	while (n < text.len && isdigit((unsigned char)text.ptr[n]))
		n++;
	return n;
}

/* The length of YYMM.NNNN or YYMM.NNNNN at the start, or 0. */
static size_t measure_new_id(struct span text)
{
	size_t n;

	if (count_digits(text) != 4 || text.len < 9 || text.ptr[4] != '.')
		return 0;
	n = count_digits(span_skip(text, 5));
	return n == 4 || n == 5 ? 5 + n : 0;
}

static size_t count_lower(struct span text)
{
	size_t n = 0;

	while (n < text.len && (islower((unsigned char)text.ptr[n]) ||
	                        (n > 0 && text.ptr[n] == '-')))
		n++;
	return n;
}

/* The length of archive(.SC)?/YYMMNNN at the start, or 0. */
static size_t measure_old_id(struct span text)
{
	size_t n = count_lower(text);
	struct span rest;

	if (n == 0)
		return 0;
	rest = span_skip(text, n);
	if (rest.len > 3 && rest.ptr[0] == '.' &&
	    isupper((unsigned char)rest.ptr[1]) &&
	    isupper((unsigned char)rest.ptr[2])) {
		rest = span_skip(rest, 3);
		n += 3;
	}
	if (rest.len == 0 || rest.ptr[0] != '/' ||
	    count_digits(span_skip(rest, 1)) != 7)
		return 0;
	return n + 8;
}

bool paper_parse_id(struct span text, struct span *ret_id,
                    uint32_t *ret_version)
{
	size_t len = measure_new_id(text);
	struct span rest;
	uint64_t version = 0;

	if (len == 0)
		len = measure_old_id(text);
	if (len == 0)
		return false;

	rest = span_skip(text, len);
	if (rest.len > 0 &&
	    (rest.ptr[0] != 'v' ||
	     !num_parse(span_skip(rest, 1), 1, MAX_VERSION, &version)))
		return false;
	*ret_id = span_first(text, len);
	*ret_version = (uint32_t)version;
	return true;
}

static const char *const type_names[ANNOUNCE_TYPES] = {
	[ANNOUNCE_NEW] = "new",
	[ANNOUNCE_CROSS] = "cross",
	[ANNOUNCE_REPLACE] = "replace",
	[ANNOUNCE_REPLACE_CROSS] = "replace-cross",
};

const char *announce_type_name(enum announce_type type)
{
	return type_names[type];
}

bool announce_type_parse(struct span text, enum announce_type *ret_type)
{
	for (unsigned i = 0; i < ANNOUNCE_TYPES; i++) {
		if (span_is(text, type_names[i])) {
			*ret_type = (enum announce_type)i;
			return true;
		}
	}
	return false;
}
