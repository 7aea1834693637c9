#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <gmime/gmime.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "mail/message.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ID "00112233445566778899aabbccddeeff@example.org"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct mail_sender plain_sender = {
	.from = {(char[]){"arXiv digest"}, (char[]){"digest@example.org"}},
	.unsubscribe = (char[]){"mailto:digest@example.org"},
	.list_id = (char[]){"digest.example.org"},
};

static const struct mail_sender full_sender = {
	.from = {(char[]){"Bücher, \"Neues\" & mehr"},
                 (char[]){"digest@bücher.example"}},
	.reply_to = (char[]){"help@example.org"},
	.unsubscribe = (char[]){"https://example.org/u/" TEN TEN TEN TEN},
	.list_id = (char[]){"digest.example.org"},
};

static struct mail_message plain_message(void)
{
	return (struct mail_message){
		.sender = &plain_sender,
		.to_name = "Ada",
		.to_address = "ada@example.org",
		.subject = "3 papers for you",
		.message_id = ID,
		.language = "en",
		.date = 1790000000,
		.utc_offset_sec = 7200,
		.text = "Three papers.\n",
		.html = "<p>Three papers.</p>\n",
	};
}

static char *build(const struct mail_message *message)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_MESSAGE_BYTES);
	struct error err = {0};
	char *built = NULL;

	if (mail_build(&out, message, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(buf_finish(&out, "message", &built, &err), 0);
	return built;
}

/* What SMTP and readers demand of every message. */
static void assert_strict(const char *message)
{
	struct span rest = span_of(message);
	struct span line;
	bool is_header = true;

	assert_true(span_ends(rest, "\r\n"));
	while (span_split(&rest, '\n', &line) && rest.ptr) {
		assert_true(span_ends(line, "\r"));
		line.len--;
		assert_int_equal(span_find(line, "\r"), line.len);
		is_header = is_header && line.len > 0;
		if (!is_header)
			assert_in_range(line.len, 0, 76);
		for (size_t i = 0; i < line.len; i++)
			assert_in_range(line.ptr[i], ' ', '~');
	}
}

/* The header's field names, in order: "From To Subject ...". */
static char *field_names(const char *message)
{
	owned(buf) struct buf names = BUF_INIT(1000);
	struct span rest = span_of(message);
	struct span line;
	char *str = NULL;
	struct error err;

	rest = span_first(rest, span_find(rest, "\r\n\r\n"));
	while (span_split(&rest, '\n', &line)) {
		if (line.ptr[0] == ' ')
			continue;
		buf_add_span(&names, span_first(line, span_find(line, ":")));
		buf_add_char(&names, ' ');
	}
	assert_int_equal(buf_finish(&names, "names", &str, &err), 0);
	return str;
}

/* A field's value, unfolded, still encoded; NULL if it is not there. */
static char *field(const char *message, const char *name)
{
	owned(mem) char *start = mem_printf("\r\n%s: ", name);
	owned(buf) struct buf value = BUF_INIT(LIMIT_MESSAGE_BYTES);
	struct span rest = span_of(message);
	struct error err;
	char *str = NULL;

	rest = span_skip(rest, span_find(rest, start));
	if (rest.len == 0)
		return NULL;
	for (rest = span_skip(rest, strlen(start)); rest.len > 0;
	     rest = span_skip(rest, 1)) {
		if (span_starts(rest, "\r\n") && rest.ptr[2] != ' ')
			break;
		if (rest.ptr[0] != '\r' && rest.ptr[0] != '\n')
			buf_add_char(&value, rest.ptr[0]);
	}
	assert_int_equal(buf_finish(&value, "value", &str, &err), 0);
	return str;
}

static void assert_golden(const char *name, const char *content)
{
	owned(mem) char *path = mem_printf("tests/golden/mail/%s.out", name);
	owned(buf) struct buf golden = BUF_INIT(LIMIT_MESSAGE_BYTES);
	struct error err = {0};

	if (getenv("GOLDEN_ACCEPT"))
		assert_int_equal(
			file_replace(path, span_of(content), 0644, &err), 0);
	if (file_read(&golden, path, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(content, buf_str(&golden));
}

static void builds_the_golden_messages(void **state)
{
	static const struct {
		const char *name;
		struct mail_message message;
	} cases[] = {
		{"plain",
	         {&plain_sender, "Ada", "ada@example.org", "3 papers for you",
	          ID, "en", 1790000000, 7200, "Three papers.\n",
	          "<p>Three papers.</p>\n", false, false}},
		{"encoded",
	         {&full_sender, "Jürgen Müller, Köln", "jm@müller.example",
	          "注意力机制在大型语言模型中的应用研究以及更多的内容需要在这里"
	          "换行显示才可以看到结果，再加上一些文字",
	          ID, "zh", 1790000000, -12600,
	          "摘要：大型语言模型。\n三篇论文。\n",
	          "<p>Größe = 7, ein <b>langer</b> Absatz, der weiter geht, "
	          "als eine Zeile einer Mail es darf, und so umbrochen "
	          "wird.</p>\n",
	          false, false}},
		{"hostile",
	         {&plain_sender, "x\r\nBcc: evil@example.net",
	          "ada@example.org",
	          "A\r\nBcc: evil@example.net\r\n\r\nbody\x01\x7f\u202E "
	          "=?utf-8?q?decoded?= \xff\xc3 <script>",
	          ID, "en", 0, 0, ".\r\n..\r.\nFrom me\n--=_0011\x01 trail \n",
	          "no line end", false, false}},
		{"long",
	         {&plain_sender, HUNDRED, "ada@example.org", HUNDRED " tail",
	          ID, "en", 1790000000, 0, HUNDRED HUNDRED "\n", "\n", NULL,
	          NULL}},
		{"nameless",
	         {&plain_sender, NULL, "ada@example.org",
	          "Words that go on and on until the line is too short for "
	          "them, and on",
	          ID, "en", 1790000000, 20700, "", "", false, false}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *once = build(&cases[i].message);
		owned(mem) char *twice = build(&cases[i].message);

		assert_string_equal(once, twice);
		assert_strict(once);
		assert_golden(cases[i].name, once);
	}
}

static void writes_one_field_of_each_name(void **state)
{
	struct mail_message message = plain_message();
	owned(mem) char *plain = build(&message);
	owned(mem) char *plain_names = field_names(plain);
	owned(mem) char *full = NULL;
	owned(mem) char *full_names = NULL;

	(void)state;
	assert_string_equal(plain_names,
	                    "Date From To Subject Message-ID Content-Language "
	                    "List-Id List-Unsubscribe Auto-Submitted "
	                    "Precedence MIME-Version Content-Type ");
	message.sender = &full_sender;
	full = build(&message);
	full_names = field_names(full);
	assert_string_equal(full_names,
	                    "Date From Reply-To To Subject Message-ID "
	                    "Content-Language List-Id List-Unsubscribe "
	                    "List-Unsubscribe-Post Auto-Submitted "
	                    "Precedence MIME-Version Content-Type ");
}

static void dates_carry_their_zone(void **state)
{
	static const struct {
		int64_t date;
		int32_t utc_offset_sec;
		const char *value;
	} cases[] = {
		{1790000000, 7200, "Mon, 21 Sep 2026 16:13:20 +0200"},
		{1790000000, 0, "Mon, 21 Sep 2026 14:13:20 +0000"},
		{1790000000, -12600, "Mon, 21 Sep 2026 10:43:20 -0330"},
		{1790000000, 20700, "Mon, 21 Sep 2026 19:58:20 +0545"},
		{1790000000, -1800, "Mon, 21 Sep 2026 13:43:20 -0030"},
		{1790000000, -59, "Mon, 21 Sep 2026 14:13:20 +0000"},
		{0, 0, "Thu, 01 Jan 1970 00:00:00 +0000"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mail_message message = plain_message();
		owned(mem) char *built = NULL;

		message.date = cases[i].date;
		message.utc_offset_sec = cases[i].utc_offset_sec;
		built = build(&message);
		assert_true(span_starts(span_of(built), "Date: "));
		assert_true(span_starts(span_of(built + 6), cases[i].value));
	}
}

/* A generator that gives the same numbers in every run. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void add_collapsed(struct buf *out, const char *text)
{
	bool ends_blank = out->len == 0 || buf_str(out)[out->len - 1] == ' ';

	if (strcmp(text, " ") != 0 || !ends_blank)
		buf_add_str(out, text);
}

/* Random display text, and how a reader must see it. */
static void make_display(struct buf *raw, struct buf *seen, uint32_t *seed)
{
	static const struct {
		const char *raw;
		const char *seen;
	} pieces[] = {
		{"a", "a"},
		{"Word", "Word"},
		{TEN TEN TEN TEN, TEN TEN TEN TEN},
		{" ", " "},
		{"\t", " "},
		{"\r\nBcc: <evil@example.net>\r\n\r\n", NULL},
		{"\r", " "},
		{"\n", " "},
		{"\x01", " "},
		{"\x7f", " "},
		{"\xc2\x85", " "},
		{"\u2028", " "},
		{"\u202E", " "},
		{"é", "é"},
		{"语", "语"},
		{"😀", "😀"},
		{"\xff", "\uFFFD"},
		{"=?utf-8?q?x?=", "=?utf-8?q?x?="},
		{"=?", "=?"},
		{"?=", "?="},
		{"_", "_"},
		{"\"", "\""},
		{"\\", "\\"},
		{",", ","},
		{"<", "<"},
		{"(", "("},
		{"@", "@"},
	};

	for (uint32_t n = next_random(seed) % 30; n > 0; n--) {
		size_t i = next_random(seed) % COUNT(pieces);

		buf_add_str(raw, pieces[i].raw);
		if (pieces[i].seen) {
			add_collapsed(seen, pieces[i].seen);
			continue;
		}
		add_collapsed(seen, " ");
		buf_add_str(seen, "Bcc: <evil@example.net>");
		add_collapsed(seen, " ");
	}
	while (span_ends(buf_span(seen), " "))
		buf_cut(seen, seen->len - 1);
}

static void assert_subject(const char *built, const char *seen)
{
	owned(mem) char *value = field(built, "Subject");
	char *decoded = g_mime_utils_header_decode_text(NULL, value);

	assert_string_equal(decoded, seen);
	g_free(decoded);
}

static void assert_to_name(const char *built, const char *seen)
{
	owned(mem) char *value = field(built, "To");
	InternetAddressList *list = internet_address_list_parse(NULL, value);
	InternetAddress *to = internet_address_list_get_address(list, 0);
	const char *name = internet_address_get_name(to);

	assert_int_equal(internet_address_list_length(list), 1);
	assert_string_equal(name ? name : "", seen);
	assert_string_equal(
		internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(to)),
		"ada@example.org");
	g_object_unref(list);
}

static void no_display_text_breaks_out_of_its_field(void **state)
{
	struct mail_message message = plain_message();
	owned(mem) char *plain = build(&message);
	owned(mem) char *names = field_names(plain);
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		owned(buf) struct buf raw = BUF_INIT(10000);
		owned(buf) struct buf seen = BUF_INIT(10000);
		owned(mem) char *built = NULL;
		owned(mem) char *built_names = NULL;

		make_display(&raw, &seen, &seed);
		message.subject = buf_str(&raw);
		message.to_name = buf_str(&raw);
		built = build(&message);
		built_names = field_names(built);
		assert_strict(built);
		assert_string_equal(built_names, names);
		assert_subject(built, buf_str(&seen));
		assert_to_name(built, buf_str(&seen));
	}
}

static void cuts_an_endless_subject_at_a_character(void **state)
{
	owned(buf) struct buf subject = BUF_INIT(10000);
	struct mail_message message = plain_message();
	owned(mem) char *built = NULL;
	owned(mem) char *value = NULL;
	char *decoded;

	(void)state;
	for (int i = 0; i < 3000; i++)
		buf_add_str(&subject, "语");
	message.subject = buf_str(&subject);
	built = build(&message);
	assert_strict(built);
	value = field(built, "Subject");
	decoded = g_mime_utils_header_decode_text(NULL, value);
	assert_in_range(strlen(decoded), LIMIT_SUBJECT_BYTES - 10,
	                LIMIT_SUBJECT_BYTES);
	assert_int_equal(strlen(decoded) % strlen("语"), 0);
	g_free(decoded);
}

static void needs_utf8_only_where_the_address_does(void **state)
{
	struct mail_message message = plain_message();
	owned(mem) char *idn = NULL;
	owned(mem) char *idn_to = NULL;
	owned(mem) char *utf8 = NULL;
	owned(mem) char *utf8_to = NULL;

	(void)state;
	message.to_address = "ada@müller.example";
	idn = build(&message);
	idn_to = field(idn, "To");
	assert_string_equal(idn_to, "Ada <ada@xn--mller-kva.example>");

	message.to_address = "jürgen@müller.example";
	utf8 = build(&message);
	utf8_to = field(utf8, "To");
	assert_string_equal(utf8_to, "Ada <jürgen@xn--mller-kva.example>");
}

static void takes_the_shorter_encoding_for_each_part(void **state)
{
	static const struct {
		const char *text;
		const char *encoding;
	} cases[] = {
		{"plain ASCII text\n", "quoted-printable"},
		{"Größe und Länge, ein Satz\n", "quoted-printable"},
		{"注意力机制在大型语言模型中的应用\n", "base64"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mail_message message = plain_message();
		owned(mem) char *built = NULL;
		const char *part;

		message.text = cases[i].text;
		built = build(&message);
		part = strstr(built, "Content-Transfer-Encoding: ");
		assert_true(span_starts(
			span_skip(span_of(part), strlen("Content-Transfer-"
		                                        "Encoding: ")),
			cases[i].encoding));
	}
}

static const struct mail_sender bad_sender = {
	.from = {NULL, (char[]){"digest@example.org"}},
	.unsubscribe = (char[]){"https://x>\r\nBcc: y"},
	.list_id = (char[]){"digest.example.org"},
};

static void refuses_what_would_break_a_field(void **state)
{
	static const struct {
		struct mail_message message;
		const char *sentence;
	} cases[] = {
		{{&bad_sender, NULL, "a@b", "", ID, "en", 0, 0, "", "", NULL,
	          NULL},
	         "the unsubscribe URL holds a character that is not allowed "
	         "in it"},
		{{&plain_sender, NULL, "a@b", "", "a\r\n@b", "en", 0, 0, "", "",
	          false, false},
	         "the Message-ID holds a character that is not allowed in it"},
		{{&plain_sender, NULL, "a@b", "", ID, "e n", 0, 0, "", "", NULL,
	          NULL},
	         "the language holds a character that is not allowed in it"},
		{{&plain_sender, NULL, "a", "", ID, "en", 0, 0, "", "", NULL,
	          NULL},
	         "To: 'a' is no address: it has no '@' and domain"},
		{{&plain_sender, NULL, "a@b", "", ID, "en", INT64_MAX, 0, "",
	          "", false, false},
	         "Date: out of range"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(buf) struct buf out = BUF_INIT(LIMIT_MESSAGE_BYTES);
		struct error err = {0};

		assert_int_equal(mail_build(&out, &cases[i].message, &err), -1);
		assert_string_equal(err.message, cases[i].sentence);
		assert_int_equal(out.len, 0);
	}
}

static void says_when_a_message_is_too_long(void **state)
{
	struct mail_message message = plain_message();
	owned(buf) struct buf out = BUF_INIT(LIMIT_MESSAGE_BYTES);
	owned(mem) char *text = mem_new(LIMIT_MESSAGE_BYTES);
	struct error err = {0};

	(void)state;
	memset(text, 'x', LIMIT_MESSAGE_BYTES - 1);
	message.text = text;
	assert_int_equal(mail_build(&out, &message, &err), -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_string_equal(err.message,
	                    "the message is longer than 16777216 bytes");
}

static void message_ids_are_random_and_of_the_senders_domain(void **state)
{
	owned(mem) char *first = mail_new_message_id(&full_sender);
	owned(mem) char *second = mail_new_message_id(&full_sender);

	(void)state;
	assert_int_equal(strlen(first), 32 + strlen("@xn--bcher-kva.example"));
	assert_string_equal(first + 32, "@xn--bcher-kva.example");
	assert_string_not_equal(first, second);
}

static int start_gmime(void **state)
{
	(void)state;
	g_mime_init();
	return 0;
}

static int stop_gmime(void **state)
{
	(void)state;
	g_mime_shutdown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_the_golden_messages),
		cmocka_unit_test(writes_one_field_of_each_name),
		cmocka_unit_test(dates_carry_their_zone),
		cmocka_unit_test(no_display_text_breaks_out_of_its_field),
		cmocka_unit_test(cuts_an_endless_subject_at_a_character),
		cmocka_unit_test(needs_utf8_only_where_the_address_does),
		cmocka_unit_test(takes_the_shorter_encoding_for_each_part),
		cmocka_unit_test(refuses_what_would_break_a_field),
		cmocka_unit_test(says_when_a_message_is_too_long),
		cmocka_unit_test(
			message_ids_are_random_and_of_the_senders_domain),
	};

	return cmocka_run_group_tests_name("message", tests, start_gmime,
	                                   stop_gmime);
}
