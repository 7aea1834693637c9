#include "sample.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "model/subscriber.h"
#include "text/text.h"

/* Compares with a golden file; GOLDEN_ACCEPT=1 writes it instead. */
static void assert_golden(const char *name, const char *found)
{
	owned(mem) char *path = mem_printf("tests/golden/digest/%s", name);
	owned(buf) struct buf wanted = BUF_INIT(LIMIT_MESSAGE_BYTES);
	struct error err = {0};

	if (getenv("GOLDEN_ACCEPT")) {
		assert_int_equal(file_replace(path, span_of(found), 0644, &err),
		                 0);
		return;
	}
	assert_int_equal(file_read(&wanted, path, &err), 0);
	assert_string_equal(found, buf_str(&wanted));
}

static void renders_a_digest_as_it_did_before(void **state)
{
	static const char *const codes[] = {"en", "zh"};
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);
	owned(sample) struct sample sample;
	owned(strings) struct strings notes = {0};

	(void)state;
	sample_init(&sample);
	sample_fill(&sample);
	strings_add(&notes, span_of("cs.AI came late; its papers follow "
	                            "tomorrow"));
	for (size_t i = 0; i < 2; i++) {
		owned(digest_language) struct digest_language *language =
			sample_language(codes[i]);
		owned(digest_parts) struct digest_parts parts = {0};
		owned(mem) char *document = NULL;
		owned(mem) char *html = mem_printf("%s.html", codes[i]);
		owned(mem) char *text = mem_printf("%s.txt", codes[i]);
		owned(mem) char *markdown = mem_printf("%s.md", codes[i]);
		owned(mem) char *subject = mem_printf("%s.subject", codes[i]);
		const struct digest_frame frame = {
			.templates = templates,
			.language = language,
			.name = "Ada",
			.unsubscribe = "https://example.org/u?a=1&b=2",
			.contact = "admin@example.org",
			.notes = &notes,
		};
		struct error err = {0};

		if (digest_render(&parts, &frame, sample.digest, &err) < 0 ||
		    digest_render_document(&document, &frame, sample.digest,
		                           &err) < 0)
			fail_msg("%s", err.message);
		assert_int_equal(parts.n_full, 7);
		assert_int_equal(parts.n_lines + parts.n_cut, 0);
		assert_golden(html, parts.html);
		assert_golden(text, parts.text);
		assert_golden(subject, parts.subject);
		assert_golden(markdown, document);
	}
}

/* ---- the footer ---- */

/* Lists are separated by semicolons. */
struct filter {
	const char *name;
	const char *keywords;
	const char *authors;
	const char *exclude;
	const char *query;
};

static void assert_footer(const struct topic *topics, size_t n,
                          const char *code, const char *wanted)
{
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);
	owned(digest_language) struct digest_language *language =
		sample_language(code);
	const struct digest_frame frame = {
		.templates = templates,
		.language = language,
		.topics = topics,
		.n_topics = n,
	};
	owned(sample) struct sample sample;
	owned(digest_parts) struct digest_parts parts = {0};
	owned(buf) struct buf one_line = BUF_INIT(SIZE_MAX);
	struct error err = {0};

	sample_init(&sample);
	assert_int_equal(digest_render(&parts, &frame, sample.digest, &err), 0);
	text_add_display(&one_line, span_of(parts.text));
	if (!strstr(buf_str(&one_line), wanted))
		fail_msg("%s\nhas not: %s", buf_str(&one_line), wanted);
}

static void check_filter(const struct filter *filter, const char *code,
                         const char *wanted)
{
	owned(mem) char *name = filter->name ? mem_dup(filter->name) : NULL;
	owned(mem) char *query = filter->query ? mem_dup(filter->query) : NULL;
	struct topic topic = {.name = name, .query = query};

	sample_split(&topic.keywords, filter->keywords);
	sample_split(&topic.authors, filter->authors);
	sample_split(&topic.exclude, filter->exclude);
	assert_footer(&topic, 1, code, wanted);
	strings_fini(&topic.keywords);
	strings_fini(&topic.authors);
	strings_fini(&topic.exclude);
}

static void the_footer_has_the_filter_in_words(void **state)
{
	static const struct filter both = {
		.keywords = "large language model;quantiz*",
		.authors = "Y. LeCun;Hinton",
		.exclude = "survey",
	};
	static const struct filter named = {
		.name = "Lattice",
		.keywords = "",
		.authors = "",
		.exclude = "",
		.query = "ti:lattice AND QCD",
	};
	static const struct filter everything = {
		.keywords = "", .authors = "", .exclude = "survey"};
	static const struct filter many = {
		.keywords = "",
		.authors = "a;b;c;d;e;f;g;h;i;j;k;l;m;n",
		.exclude = "",
	};

	(void)state;
	check_filter(&both, "en",
	             "Your filter: “large language model”, “quantiz*”, or "
	             "papers by Y. LeCun, Hinton, without “survey”.");
	check_filter(&both, "zh",
	             "“large language model”、“quantiz*”，或作者 Y. "
	             "LeCun、Hinton，不含 “survey”。");
	check_filter(&named, "en", "Your filter: Lattice: ti:lattice AND QCD.");
	check_filter(&everything, "en",
	             "Your filter: every paper, without “survey”.");
	check_filter(&many, "en",
	             "papers by a, b, c, d, e, f, g, h, i, j, k, "
	             "l + 2.");
}

static void a_long_filter_is_cut(void **state)
{
	enum {
		N_TOPICS = 100,
	};
	owned(mem) char *query = mem_new(5001);
	owned(mem) struct topic *topics = mem_array(N_TOPICS, sizeof(*topics));

	(void)state;
	for (size_t i = 0; i < 5000; i++)
		query[i] = i % 5 == 4 ? ' ' : 'q';
	for (size_t i = 0; i < N_TOPICS; i++)
		topics[i].query = query;
	assert_footer(topics, N_TOPICS, "en", "qqqq…; qqqq");
	assert_footer(topics, N_TOPICS, "en", "qqqq…. Thank you");
}

/* ---- a model's words ---- */

static void set_chinese(struct digest_entry *entry)
{
	entry->wants_words = true;
	entry->words = (struct paper_words){
		.title = mem_dup("关于检索的题目"),
		.summary = mem_dup("一句话的总结。"),
		.abstract = mem_dup("译成中文的摘要。它有两句话。"),
		.model = mem_dup("test-model"),
	};
}

/* All translated but the second one, which the model failed at. */
static void shows_a_models_words_as_it_did_before(void **state)
{
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);
	owned(digest_language) struct digest_language *language =
		sample_language("zh");
	owned(sample) struct sample sample;
	owned(digest_parts) struct digest_parts parts = {0};
	owned(mem) char *document = NULL;
	const struct digest_frame frame = {
		.templates = templates,
		.language = language,
		.contact = "admin@example.org",
	};
	struct error err = {0};

	(void)state;
	sample_init(&sample);
	sample_fill(&sample);
	for (size_t i = 0; i < sample.digest->n_entries; i++)
		if (i != 1)
			set_chinese(&sample.digest->entries[i]);
	sample.digest->entries[1].wants_words = true;
	if (digest_render(&parts, &frame, sample.digest, &err) < 0 ||
	    digest_render_document(&document, &frame, sample.digest, &err) < 0)
		fail_msg("%s", err.message);
	assert_golden("zh-words.html", parts.html);
	assert_golden("zh-words.txt", parts.text);
	assert_golden("zh-words.md", document);
}

/* In English the abstract stands whole under the summary. */
static void shows_a_summary_over_the_whole_abstract(void **state)
{
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);
	owned(digest_language) struct digest_language *language =
		sample_language("en");
	owned(sample) struct sample sample;
	owned(digest_parts) struct digest_parts parts = {0};
	const struct digest_frame frame = {.templates = templates,
	                                   .language = language};
	struct digest_entry *entry;
	struct error err = {0};

	(void)state;
	sample_init(&sample);
	strings_add(&sample.digest->topics, span_of(""));
	sample_add(&sample, "2609.01234", "A title", "First one. Second one.");
	entry = sample_last(&sample);
	entry->wants_words = true;
	entry->words.summary = mem_dup("A summary of it.");
	entry->words.model = mem_dup("test-model");
	assert_int_equal(digest_render(&parts, &frame, sample.digest, &err), 0);
	assert_non_null(strstr(parts.text,
	                       "  A summary of it.\n\n"
	                       "  First one. Second one.\n"));
	assert_non_null(strstr(parts.text, "\nSummaries: test-model\n"));
	assert_null(strstr(parts.text, "no summary by the model"));
}

/* ---- size ---- */

static size_t base64_len(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n' ? 2 : 1;
	n = (n + 2) / 3 * 4;
	return n + (n + 75) / 76 * 2;
}

/* RFC 2045, section 6.7, with lines of at most 76 columns. */
static size_t quoted_printable_len(const char *text)
{
	size_t n = 0;
	size_t column = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool blank = (c == ' ' || c == '\t') && text[1] != '\n';
		size_t len = blank || (c > ' ' && c < 127 && c != '=') ? 1 : 3;

		if (c == '\n') {
			n += 2;
			column = 0;
			continue;
		}
		if (column + len > 75) {
			n += 3;
			column = 0;
		}
		n += len;
		column += len;
	}
	return n;
}

static size_t transfer_len(const char *text)
{
	size_t base64 = base64_len(text);
	size_t quoted = quoted_printable_len(text);

	return base64 < quoted ? base64 : quoted;
}

static void fill_many(struct sample *sample, size_t n, const char *sentence,
                      size_t n_sentences)
{
	strings_add(&sample->digest->topics, span_of("First"));
	strings_add(&sample->digest->topics, span_of("Second"));
	for (size_t i = 0; i < n; i++) {
		owned(buf) struct buf abstract = BUF_INIT(LIMIT_MIB);
		owned(mem) char *id = mem_printf("2609.%05zu", i);
		owned(mem) char *title = mem_printf("Paper %zu of many", i);
		struct paper *paper;

		for (size_t j = 0; j < n_sentences; j++)
			buf_add_str(&abstract, sentence);
		paper = sample_add(sample, id, title, buf_str(&abstract));
		sample_split(&paper->authors, "A. One;B. Two;C. Three");
		sample_split(&paper->categories, "cs.CL;cs.LG");
		sample_last(sample)->topic = i < n / 2 ? 0 : 1;
		sample_last(sample)->score = (double)((i * 7919) % n);
	}
}

/* In full first, then in lines, then counted: always the better first. */
static void assert_by_rank(const struct digest *digest,
                           const struct digest_parts *parts)
{
	for (size_t i = 0; i < digest->n_entries; i++) {
		const struct digest_entry *entry = &digest->entries[i];
		size_t rank = digest->n_entries - 1 - (size_t)entry->score;
		owned(mem) char *full =
			mem_printf("arxiv.org/pdf/%s\"", entry->paper->id);
		owned(mem) char *line =
			mem_printf("arxiv.org/abs/%s\"", entry->paper->id);

		assert_int_equal(strstr(parts->html, full) != NULL,
		                 rank < parts->n_full);
		assert_int_equal(strstr(parts->html, line) != NULL,
		                 rank < parts->n_full + parts->n_lines);
		line[strlen(line) - 1] = '\n';
		assert_int_equal(strstr(parts->text, line) != NULL,
		                 rank < parts->n_full + parts->n_lines);
	}
}

static void stays_below_the_size_that_gmail_clips(void **state)
{
	static const struct {
		size_t n_papers;
		const char *sentence;
		size_t n_sentences;
	} cases[] = {
		{500,
	         "All happy papers are alike, each bad one in its own = "
	         "way. ",
	         20},
		{500, "每篇好论文都是相似的，每篇坏论文各有各的不幸。", 12},
		{500, "", 1},
		{29, "All happy papers are alike, and that is all. ", 40},
		{40, "All happy papers are alike, and that is all. ", 500},
		{3, "All happy papers are alike, and that is all. ", 1000},
		{1, "All happy papers are alike, and that is all. ", 5000},
	};
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);
	owned(digest_language) struct digest_language *language =
		sample_language("zh");
	const struct digest_frame frame = {.templates = templates,
	                                   .language = language,
	                                   .contact = "a@example.org"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(sample) struct sample sample;
		owned(digest_parts) struct digest_parts parts = {0};
		size_t n = cases[i].n_papers;
		struct error err = {0};

		sample_init(&sample);
		fill_many(&sample, n, cases[i].sentence, cases[i].n_sentences);
		assert_int_equal(
			digest_render(&parts, &frame, sample.digest, &err), 0);
		print_message(
			"%zu papers: %zu in full, %zu lines, %zu cut: "
			"%zu bytes\n",
			n, parts.n_full, parts.n_lines, parts.n_cut,
			transfer_len(parts.html));
		assert_in_range(transfer_len(parts.html), 1,
		                LIMIT_HTML_ENCODED_BYTES);
		if (parts.n_cut > 0)
			assert_true(transfer_len(parts.html) >
			            LIMIT_HTML_ENCODED_BYTES * 95 / 100);
		assert_int_equal(parts.n_full + parts.n_lines + parts.n_cut, n);
		assert_true(span_ends(span_of(parts.html), "</html>\n"));
		assert_null(strstr(parts.html, "<!--arxmail"));
		assert_by_rank(sample.digest, &parts);
	}
}

static void refuses_a_frame_that_is_too_long_by_itself(void **state)
{
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);
	owned(digest_language) struct digest_language *language =
		sample_language("en");
	owned(mem) char *note = mem_new(LIMIT_HTML_ENCODED_BYTES + 1);
	owned(strings) struct strings notes = {0};
	owned(sample) struct sample sample;
	const struct digest_frame frame = {
		.templates = templates, .language = language, .notes = &notes};
	struct digest_parts parts = {0};
	struct error err = {0};

	(void)state;
	memset(note, 'x', LIMIT_HTML_ENCODED_BYTES);
	strings_add(&notes, span_of(note));
	sample_init(&sample);
	sample_fill(&sample);
	assert_int_equal(digest_render(&parts, &frame, sample.digest, &err),
	                 -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
}

/* ---- subjects and frames ---- */

struct subject_case {
	const char *code;
	const char *template;
	const char *topics;
	size_t n_papers;
	bool test;
	const char *subject;
};

static void check_subject(const struct digest_templates *templates,
                          const struct subject_case *test)
{
	owned(digest_language) struct digest_language *language =
		sample_language(test->code);
	owned(sample) struct sample sample;
	owned(digest_parts) struct digest_parts parts = {0};
	const struct digest_frame frame = {
		.templates = templates,
		.language = language,
		.subject = test->template,
		.name = "Ada",
		.test = test->test,
	};
	struct error err = {0};

	sample_init(&sample);
	if (!*test->topics)
		strings_add(&sample.digest->topics, SPAN_NONE);
	sample_split(&sample.digest->topics, test->topics);
	for (size_t i = 0; i < test->n_papers; i++)
		sample_add(&sample, "2609.01234", "Title", "Abstract.");
	assert_int_equal(digest_render(&parts, &frame, sample.digest, &err), 0);
	assert_string_equal(parts.subject, test->subject);
}

#define TEN(x) x x x x x x x x x x
#define TEN_WORDS TEN("abcdefghi ")
#define NINE_WORDS                       \
	" abcdefghi abcdefghi abcdefghi" \
	" abcdefghi abcdefghi abcdefghi" \
	" abcdefghi abcdefghi abcdefghi"
#define TWENTY_WORDS "abcdefghi" TEN(" abcdefghi") NINE_WORDS

static void makes_subjects(void **state)
{
	static const struct subject_case cases[] = {
		{"en", NULL, "", 7, false, "arXiv, Tue 22 Sep: 7 papers"},
		{"en", NULL, "", 1, false, "arXiv, Tue 22 Sep: 1 paper"},
		{"en", NULL, "", 0, false, "arXiv, Tue 22 Sep: 0 papers"},
		{"en", NULL, "A;B", 2, true,
	         "[test] arXiv, Tue 22 Sep: 2 papers (A 2)"},
		{"en", NULL, ";B", 2, false,
	         "arXiv, Tue 22 Sep: 2 papers (Your keywords 2)"},
		{"zh", NULL, "A", 2, false, "arXiv 9月22日：2 篇（A 2）"},
		{"en",
	         "{{name}}: {{count}}/{{considered}} {{weekday}} {{day}} "
	         "{{month}} {{year}} {{top}}",
	         "", 3, false, "Ada: 3/412 Tuesday 22 September 2026 Title"},
		{"en", " a\r\nBcc: x\t\x1b[0m ", "", 1, false,
	         "a  Bcc: x  [0m"},
		{"en", TEN_WORDS TEN_WORDS TEN_WORDS, "", 1, false,
	         TWENTY_WORDS "…"},
		{"en", "", "", 1, true, "[test] "},
	};
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_subject(templates, &cases[i]);
}

static void says_what_it_does_not_show(void **state)
{
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);
	owned(digest_language) struct digest_language *language =
		sample_language("en");
	owned(sample) struct sample sample;
	owned(digest_parts) struct digest_parts parts = {0};
	const struct digest_frame frame = {.templates = templates,
	                                   .language = language};
	struct error err = {0};

	(void)state;
	sample_init(&sample);
	strings_add(&sample.digest->topics, SPAN_NONE);
	strings_add(&sample.digest->categories, span_of("math.*"));
	sample_add(&sample, "not an id", "T", "A");
	sample.digest->n_matched = 42;
	assert_int_equal(digest_render(&parts, &frame, sample.digest, &err), 0);
	assert_int_equal(parts.n_cut, 41);
	assert_non_null(strstr(parts.text,
	                       "\nand 41 more, listed on arXiv:\n"
	                       "https://arxiv.org/list/cs.CL/new\n"
	                       "https://arxiv.org/list/cs.LG/new\n"
	                       "https://arxiv.org/list/hep-lat/new\n"
	                       "https://arxiv.org/list/math/new\n"));
	assert_non_null(
		strstr(parts.html, "href=\"https://arxiv.org/list/math/new\""));
	assert_non_null(strstr(parts.text, "42 of 412 new papers match."));
	/* One unnamed topic has no heading. */
	assert_null(strstr(parts.html, "<h2"));
	/* No link is made of what is not an id. */
	assert_non_null(strstr(parts.html, "href=\"https://arxiv.org/\""));
}

static void the_text_is_72_columns_wide(void **state)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_MESSAGE_BYTES);
	static const char *const files[] = {"tests/golden/digest/en.txt",
	                                    "tests/golden/digest/zh.txt"};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct span rest;
		struct span line;

		buf_clear(&text);
		assert_int_equal(file_read(&text, files[i], &err), 0);
		rest = buf_span(&text);
		assert_non_null(strstr(buf_str(&text), "\n-- \n"));
		while (span_split(&rest, '\n', &line))
			assert_true(text_width(line) <= 72 ||
			            !memchr(span_trim(line).ptr, ' ',
			                    span_trim(line).len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renders_a_digest_as_it_did_before),
		cmocka_unit_test(the_footer_has_the_filter_in_words),
		cmocka_unit_test(a_long_filter_is_cut),
		cmocka_unit_test(shows_a_models_words_as_it_did_before),
		cmocka_unit_test(shows_a_summary_over_the_whole_abstract),
		cmocka_unit_test(stays_below_the_size_that_gmail_clips),
		cmocka_unit_test(refuses_a_frame_that_is_too_long_by_itself),
		cmocka_unit_test(makes_subjects),
		cmocka_unit_test(says_what_it_does_not_show),
		cmocka_unit_test(the_text_is_72_columns_wide),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
