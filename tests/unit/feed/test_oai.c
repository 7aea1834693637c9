#include "feed/oai.h"
#include "golden.h"

/* ---- a page as text ---- */

static void dump_page(struct buf *out, const struct oai_page *page)
{
	buf_addf(out, "%zu records, %zu skipped, %zu deleted\n",
	         page->n_records, page->n_skipped, page->n_deleted);
	if (page->token)
		dump_text(out, "token", page->token);
	if (page->skipped)
		dump_text(out, "skipped", page->skipped);
	for (size_t i = 0; i < page->n_records; i++) {
		const struct oai_record *record = &page->records[i];

		buf_addf(out, "%s v%u, first %lld\n", record->paper->id,
		         record->paper->version, (long long)record->first_at);
		dump_paper(out, record->paper);
	}
}

static int parse_in_pieces(struct span body, size_t piece,
                           struct oai_page **ret_page, struct error *err)
{
	owned(oai_parser) struct oai_parser *parser = oai_parser_new();

	while (body.len > 0) {
		struct span part = span_first(body, piece);

		if (oai_parser_push(parser, part.ptr, part.len, err) < 0)
			return -1;
		body = span_skip(body, part.len);
	}
	return oai_parser_finish(parser, ret_page, err);
}

static char *parse_to_text(struct span body, size_t piece)
{
	owned(buf) struct buf out = BUF_INIT(DUMP_MAX);
	owned(oai_page) struct oai_page *page = NULL;
	struct error err = {0};
	int rc = parse_in_pieces(body, piece, &page, &err);

	if (rc < 0)
		buf_addf(&out, "%s: %s\n", error_kinds[err.kind], err.message);
	else if (rc == OAI_NONE)
		buf_add_str(&out, "none\n");
	else if (rc == OAI_BAD_TOKEN)
		buf_add_str(&out, "bad token\n");
	else
		dump_page(&out, page);
	assert_false(out.failed);
	return mem_dup(buf_str(&out));
}

static void gives_what_the_golden_files_say_in_pieces_of_any_size(void **state)
{
	(void)state;
	check_golden_files("tests/golden/oai/*.in", parse_to_text);
}

/* ---- limits ---- */

static void add_head(struct buf *out)
{
	buf_add_str(out,
	            "<OAI-PMH xmlns=\"http://www.openarchives.org/OAI/"
	            "2.0/\"><ListRecords>");
}

static int parse_records(size_t n, struct oai_page **ret_page,
                         struct error *err)
{
	owned(buf) struct buf body = BUF_INIT(LIMIT_FEED_BYTES);

	add_head(&body);
	for (size_t i = 0; i < n; i++)
		buf_addf(&body,
		         "<record><header><identifier>oai:arXiv.org:2601.%05zu"
		         "</identifier></header><metadata><arXivRaw "
		         "xmlns=\"http://arxiv.org/OAI/arXivRaw/\"><version "
		         "version=\"v1\"><date>Thu, 1 Jan 2026 10:00:00 GMT"
		         "</date></version><title>T</title><authors>N"
		         "</authors><categories>cs.CL</categories><abstract>A"
		         "</abstract></arXivRaw></metadata></record>",
		         i);
	buf_add_str(&body, "</ListRecords></OAI-PMH>");
	return parse_in_pieces(buf_span(&body), 4096, ret_page, err);
}

static void refuses_a_page_with_too_many_records(void **state)
{
	owned(oai_page) struct oai_page *page = NULL, *none = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_records(LIMIT_FEED_ITEMS, &page, &err), 0);
	assert_int_equal(page->n_records, LIMIT_FEED_ITEMS);
	assert_int_equal(parse_records(LIMIT_FEED_ITEMS + 1, &none, &err), -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_string_equal(err.message, "line 1: more than 4000 records");
	assert_null(none);
}

static int parse_token(size_t len, struct oai_page **ret_page,
                       struct error *err)
{
	owned(buf) struct buf body = BUF_INIT(LIMIT_FEED_BYTES);

	add_head(&body);
	buf_add_str(&body, "<resumptionToken>");
	for (size_t i = 0; i < len; i++)
		buf_add_char(&body, 't');
	buf_add_str(&body, "</resumptionToken></ListRecords></OAI-PMH>");
	return parse_in_pieces(buf_span(&body), 4096, ret_page, err);
}

static void refuses_a_token_that_is_too_long(void **state)
{
	owned(oai_page) struct oai_page *page = NULL, *none = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_token(LIMIT_OAI_TOKEN_BYTES, &page, &err), 0);
	assert_int_equal(strlen(page->token), LIMIT_OAI_TOKEN_BYTES);
	assert_int_equal(parse_token(LIMIT_OAI_TOKEN_BYTES + 1, &none, &err),
	                 -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
}

static void can_be_freed_half_way(void **state)
{
	static const char half[] =
		"<OAI-PMH xmlns=\"http://www.openarchives.org/OAI/2.0/\">"
		"<ListRecords><record><header>";
	struct error err = {0};
	struct oai_parser *parser = oai_parser_new();

	(void)state;
	assert_int_equal(oai_parser_push(parser, half, strlen(half), &err), 0);
	oai_parser_free(parser);
	oai_parser_free(NULL);
	oai_page_free(NULL);
}

/* ---- URLs ---- */

static void asks_for_the_set_of_a_category(void **state)
{
	static const struct {
		const char *category, *set;
	} cases[] = {
		{"cs.CL", "cs%3Acs%3ACL"},
		{"math.AG", "math%3Amath%3AAG"},
		{"cs", "cs%3Acs"},
		{"q-bio.QM", "q-bio%3Aq-bio%3AQM"},
		{"hep-th", "physics%3Ahep-th"},
		{"math-ph", "physics%3Amath-ph"},
		{"physics", "physics%3Aphysics"},
		{"physics.plasm-ph", "physics%3Aphysics%3Aplasm-ph"},
		{"cond-mat.soft", "physics%3Acond-mat%3Asoft"},
		{"astro-ph.CO", "physics%3Aastro-ph%3ACO"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(mem) char *url = oai_first_url("https://example.org/oai",
		                                     cases[i].category, 20770);
		owned(mem) char *wanted = mem_printf(
			"https://example.org/oai?verb=ListRecords"
			"&metadataPrefix=arXivRaw&set=%s&from=2026-11-13",
			cases[i].set);

		assert_string_equal(url, wanted);
	}
}

static void asks_for_the_next_page_by_its_token_alone(void **state)
{
	owned(mem) char *url =
		oai_next_url("https://example.org/oai", "a=1&b|2 %3D");
	owned(mem) char *other = oai_next_url("https://example.org/?x=y", "t");

	(void)state;
	assert_string_equal(url,
	                    "https://example.org/oai?verb=ListRecords"
	                    "&resumptionToken=a%3D1%26b%7C2%20%253D");
	assert_string_equal(other,
	                    "https://example.org/?x=y&verb=ListRecords"
	                    "&resumptionToken=t");
}

/* ---- what arXiv really said ---- */

/* In another of its formats, so there are no papers in it for us. */
static void counts_the_records_of_captured_answers(void **state)
{
	static const struct {
		const char *name, *said;
	} cases[] = {
		{"oai_new_plasm-ph_2026-09-20.xml",
	         "none of its 2 records is of use: line 10: a record without "
	         "arXivRaw metadata"},
		{"oai_old_hep-ex_2017-12-14.xml",
	         "none of its 3 records is of use: line 6: a record without "
	         "arXivRaw metadata"},
		{"oai_old_multi_hepcrawl.xml",
	         "an OAI-PMH answer without a list of records"},
	};
	const char *folder = getenv("ARXMAIL_FEEDS");

	(void)state;
	if (!folder) {
		print_message("ARXMAIL_FEEDS is not set: no captured feeds\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(mem) char *path =
			mem_printf("%s/%s", folder, cases[i].name);
		owned(buf) struct buf body = BUF_INIT(DUMP_MAX);
		owned(oai_page) struct oai_page *page = NULL;
		struct error err = {0};

		read_whole(&body, path);
		assert_int_equal(
			parse_in_pieces(buf_span(&body), 4096, &page, &err),
			-1);
		assert_string_equal(err.message, cases[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			gives_what_the_golden_files_say_in_pieces_of_any_size),
		cmocka_unit_test(refuses_a_page_with_too_many_records),
		cmocka_unit_test(refuses_a_token_that_is_too_long),
		cmocka_unit_test(can_be_freed_half_way),
		cmocka_unit_test(asks_for_the_set_of_a_category),
		cmocka_unit_test(asks_for_the_next_page_by_its_token_alone),
		cmocka_unit_test(counts_the_records_of_captured_answers),
	};

	return cmocka_run_group_tests_name("oai", tests, NULL, NULL);
}
