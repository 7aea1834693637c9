#include <string.h>

#include "base/mem.h"
#include "store_private.h"

/*
 * A digest's entries as bytes: numbers as varints (seven bits a byte, lowest
 * first), texts with their length before them, lists with their count. What
 * is read back is checked, since a disk can lie.
 *
 *   3  mark  n_considered  n_matched  topics  categories
 *   entries: id version type topic old_version held held_day score
 *            clauses: text fields
 *            title marks, abstract marks, author marks: gap len
 *
 * `mark` is where the subscriber's mark went with it: no paper in it was
 * announced later. Format 1 had none, formats 1 and 2 nothing on held papers.
 */
#define FORMAT 3

/* ---- writing ---- */

static void put_number(struct buf *out, uint64_t number)
{
	while (number >= 0x80) {
		buf_add_char(out, (char)(number | 0x80));
		number >>= 7;
	}
	buf_add_char(out, (char)number);
}

static void put_text(struct buf *out, const char *text)
{
	struct span span = span_of(text);

	put_number(out, span.len);
	buf_add_span(out, span);
}

static void put_strings(struct buf *out, const struct strings *list)
{
	put_number(out, list->n);
	for (size_t i = 0; i < list->n; i++)
		put_text(out, list->items[i]);
}

static void put_marks(struct buf *out, const struct marks *marks)
{
	uint32_t end = 0;

	put_number(out, marks->n);
	for (size_t i = 0; i < marks->n; i++) {
		put_number(out, marks->items[i].start - end);
		put_number(out, marks->items[i].len);
		end = marks->items[i].start + marks->items[i].len;
	}
}

static void put_score(struct buf *out, double score)
{
	uint64_t bits;

	memcpy(&bits, &score, sizeof(bits));
	for (int i = 0; i < 8; i++)
		buf_add_char(out, (char)(bits >> 8 * i));
}

static void put_match(struct buf *out, const struct match *match)
{
	put_number(out, match->n_clauses);
	for (size_t i = 0; i < match->n_clauses; i++) {
		put_text(out, match->clauses[i].text);
		put_number(out, match->clauses[i].fields);
	}
	put_marks(out, &match->title);
	put_marks(out, &match->abstract);
	put_marks(out, &match->authors);
}

static void put_entry(struct buf *out, const struct digest_entry *entry)
{
	put_text(out, entry->paper->id);
	put_number(out, entry->paper->version);
	put_number(out, entry->type);
	put_number(out, entry->topic);
	put_number(out, entry->old_version);
	put_number(out, entry->held);
	put_number(out, (uint64_t)entry->held_day);
	put_score(out, entry->score);
	put_match(out, &entry->match);
}

void store_pack(struct buf *out, const struct digest *digest, int64_t mark)
{
	put_number(out, FORMAT);
	put_number(out, (uint64_t)mark);
	put_number(out, digest->n_considered);
	put_number(out, digest->n_matched);
	put_strings(out, &digest->topics);
	put_strings(out, &digest->categories);
	put_number(out, digest->n_entries);
	for (size_t i = 0; i < digest->n_entries; i++)
		put_entry(out, &digest->entries[i]);
}

/* ---- reading ---- */

/* After the first fault everything read is 0 or empty. */
struct reader {
	struct span rest;
	bool broken;
	uint64_t format;
};

static void spoil(struct reader *reader)
{
	reader->broken = true;
	reader->rest = SPAN_NONE;
}

static uint64_t get_number(struct reader *reader, uint64_t max)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && reader->rest.len > 0;
	     shift += 7) {
		unsigned char byte = (unsigned char)reader->rest.ptr[0];

		reader->rest = span_skip(reader->rest, 1);
		number |= (uint64_t)(byte & 0x7F) << shift;
		if (byte < 0x80 && number <= max)
			return number;
		if (byte < 0x80)
			break;
	}
	spoil(reader);
	return 0;
}

/* What stands before the counts; false if it is no digest. */
static bool get_start(struct reader *reader, int64_t *ret_mark)
{
	reader->format = get_number(reader, FORMAT);
	*ret_mark = INT64_MAX;
	if (reader->format >= 2)
		*ret_mark = (int64_t)get_number(reader, INT64_MAX);
	return reader->format > 0 && !reader->broken;
}

static uint32_t get_u32(struct reader *reader)
{
	return (uint32_t)get_number(reader, UINT32_MAX);
}

/* A list's length: each of its items takes one byte at least. */
static size_t get_count(struct reader *reader)
{
	return (size_t)get_number(reader, reader->rest.len);
}

static struct span get_text(struct reader *reader)
{
	size_t len = get_count(reader);
	struct span text;

	if (len > reader->rest.len) {
		spoil(reader);
		return SPAN_NONE;
	}
	text = span_first(reader->rest, len);
	if (len > 0)
		reader->rest = span_skip(reader->rest, len);
	return text;
}

static void get_strings(struct reader *reader, struct strings *list)
{
	size_t n = get_count(reader);

	for (size_t i = 0; i < n && !reader->broken; i++)
		strings_add(list, get_text(reader));
}

/* Marks lie inside `max` (bytes of a text, or authors). */
static void get_marks(struct reader *reader, size_t max, struct marks *marks)
{
	size_t n = get_count(reader);
	uint64_t end = 0;

	for (size_t i = 0; i < n && !reader->broken; i++) {
		uint64_t start = end + get_u32(reader);
		uint32_t len = get_u32(reader);

		end = start + len;
		if (end > max)
			spoil(reader);
		else
			marks_add(marks, (uint32_t)start, len);
	}
}

static double get_score(struct reader *reader)
{
	uint64_t bits = 0;
	double score;

	if (reader->rest.len < sizeof(bits)) {
		spoil(reader);
		return 0;
	}
	for (int i = 0; i < 8; i++)
		bits |= (uint64_t)(unsigned char)reader->rest.ptr[i] << 8 * i;
	reader->rest = span_skip(reader->rest, sizeof(bits));
	memcpy(&score, &bits, sizeof(score));
	return score;
}

static void get_match(struct reader *reader, const struct paper *paper,
                      struct match *match)
{
	size_t n = get_count(reader);

	for (size_t i = 0; i < n && !reader->broken; i++) {
		struct span text = get_text(reader);

		match_add_clause(match, text, get_u32(reader));
	}
	get_marks(reader, strlen(paper->title), &match->title);
	get_marks(reader, strlen(paper->abstract), &match->abstract);
	get_marks(reader, paper->authors.n, &match->authors);
}

static void get_entry(struct reader *reader, struct paper *paper,
                      struct digest *digest)
{
	struct digest_entry *entry = digest_add(digest);

	entry->paper = paper;
	(void)get_text(reader);
	(void)get_u32(reader);
	entry->type =
		(enum announce_type)get_number(reader, ANNOUNCE_TYPES - 1);
	entry->topic = get_u32(reader);
	entry->old_version = get_u32(reader);
	if (reader->format >= 3) {
		entry->held = (enum held)get_number(reader, HELD_UNDELIVERED);
		entry->held_day = (int32_t)get_number(reader, INT32_MAX);
	}
	entry->score = get_score(reader);
	get_match(reader, paper, &entry->match);
	if (entry->topic >= digest->topics.n)
		spoil(reader);
}

static int fail(struct error *err)
{
	return error_set(err, ERROR_SYNTAX,
	                 "a digest in the database is damaged: put a backup "
	                 "in its place");
}

int store_unpack(struct span packed, struct paper *const *papers,
                 struct digest *digest, struct error *err)
{
	struct reader reader = {.rest = packed};
	int64_t mark;
	size_t n;

	if (!get_start(&reader, &mark))
		return fail(err);
	digest->n_considered = get_u32(&reader);
	digest->n_matched = get_u32(&reader);
	get_strings(&reader, &digest->topics);
	get_strings(&reader, &digest->categories);
	n = get_count(&reader);
	for (size_t i = 0; i < n && !reader.broken; i++)
		get_entry(&reader, papers[i], digest);
	return reader.broken || reader.rest.len > 0 ? fail(err) : 0;
}

int64_t store_unpack_mark(struct span packed)
{
	struct reader reader = {.rest = packed};
	int64_t mark;

	return get_start(&reader, &mark) ? mark : INT64_MAX;
}

static void skip_list(struct reader *reader,
                      void (*skip)(struct reader *reader))
{
	size_t n = get_count(reader);

	for (size_t i = 0; i < n && !reader->broken; i++)
		skip(reader);
}

static void skip_text(struct reader *reader)
{
	(void)get_text(reader);
}

static void skip_clause(struct reader *reader)
{
	(void)get_text(reader);
	(void)get_u32(reader);
}

static void skip_mark(struct reader *reader)
{
	(void)get_u32(reader);
	(void)get_u32(reader);
}

static struct packed_paper get_paper(struct reader *reader)
{
	struct packed_paper paper = {get_text(reader), get_u32(reader)};

	for (int i = 0; i < (reader->format >= 3 ? 5 : 3); i++)
		(void)get_u32(reader);
	(void)get_score(reader);
	skip_list(reader, skip_clause);
	for (int i = 0; i < 3; i++)
		skip_list(reader, skip_mark);
	return paper;
}

int store_unpack_papers(struct span packed, struct packed_paper **ret_papers,
                        size_t *ret_n, struct error *err)
{
	struct reader reader = {.rest = packed};
	owned(mem) struct packed_paper *papers = NULL;
	int64_t mark;
	size_t n;

	if (!get_start(&reader, &mark))
		return fail(err);
	(void)get_u32(&reader);
	(void)get_u32(&reader);
	skip_list(&reader, skip_text);
	skip_list(&reader, skip_text);
	n = get_count(&reader);
	papers = mem_array(n, sizeof(*papers));
	for (size_t i = 0; i < n && !reader.broken; i++)
		papers[i] = get_paper(&reader);
	if (reader.broken)
		return fail(err);

	*ret_papers = take_ptr(papers);
	*ret_n = n;
	return 0;
}
