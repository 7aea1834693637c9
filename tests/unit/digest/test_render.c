#include "sample.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renders_a_digest_as_it_did_before),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
