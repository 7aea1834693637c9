#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <glib.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "mail/bounce.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GOLDEN "tests/golden/mail/"
#define SENDER "digest@example.org"
#define REPORT                                                \
	"MIME-Version: 1.0\nContent-Type: multipart/report; " \
	"report-type=delivery-status; boundary=b\n\n--b\n"    \
	"Content-Type: message/delivery-status\n\n"

static const char *const action_names[] = {"failed", "delayed", "delivered"};

static void add_line(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "%s: %s\n", name, value ? value : "-");
}

static void describe(struct buf *out, struct span mail)
{
	owned(mail_bounce) struct mail_bounce bounce = {0};
	struct error err = {0};

	if (mail_bounce_read(&bounce, mail, SENDER, &err) < 0) {
		assert_int_equal(err.kind, ERROR_SYNTAX);
		add_line(out, "refused", err.message);
		return;
	}
	add_line(out, "action", action_names[bounce.action]);
	add_line(out, "status", bounce.status);
	add_line(out, "bad recipient", bounce.bad_recipient ? "yes" : "no");
	add_line(out, "recipient", bounce.recipient);
	add_line(out, "words", bounce.words);
	add_line(out, "message id", bounce.message_id);
	add_line(out, "token", bounce.token);
}

static void read_golden(struct buf *out, const char *name, const char *end)
{
	owned(mem) char *path = mem_printf(GOLDEN "%s.%s", name, end);
	struct error err = {0};

	if (file_read(out, path, &err) < 0)
		fail_msg("%s", err.message);
}

static void accept_golden(const char *name, struct span got)
{
	owned(mem) char *path = mem_printf(GOLDEN "%s.out", name);
	struct error err = {0};

	if (getenv("GOLDEN_ACCEPT") && file_replace(path, got, 0644, &err) < 0)
		fail_msg("%s", err.message);
}

static void add_with_crlf(struct buf *out, struct span text)
{
	struct span line;

	while (text.ptr && span_split(&text, '\n', &line)) {
		buf_add_span(out, line);
		if (text.ptr)
			buf_add_str(out, "\r\n");
	}
}

static void assert_described(const char *name, struct span mail,
                             const char *want)
{
	owned(buf) struct buf got = BUF_INIT(LIMIT_BOUNCE_BYTES);

	describe(&got, mail);
	if (strcmp(buf_str(&got), want) != 0)
		fail_msg("%s:\n got: %s\nwant: %s", name, buf_str(&got), want);
}

/* As Postfix, Exim, Gmail and Exchange write them, and what is none. */
static void tells_bounces_from_other_mails(void **state)
{
	static const char *const names[] = {
		"bounce-postfix",
		"bounce-postfix-delayed",
		"bounce-postfix-utf8",
		"bounce-exim",
		"bounce-gmail",
		"bounce-exchange",
		"bounce-policy",
		"bounce-relayed",
		"bounce-two-recipients",
		"bounce-hostile",
		"not-autoreply",
		"not-qmail",
		"not-read-receipt",
		"not-complaint",
		"not-empty-report",
		"not-said",
		"not-forwarded",
		"not-multipart",
		"not-mail",
		"not-empty",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		owned(buf) struct buf mail = BUF_INIT(LIMIT_BOUNCE_BYTES);
		owned(buf) struct buf crlf = BUF_INIT(LIMIT_BOUNCE_BYTES);
		owned(buf) struct buf want = BUF_INIT(LIMIT_BOUNCE_BYTES);
		owned(buf) struct buf got = BUF_INIT(LIMIT_BOUNCE_BYTES);

		read_golden(&mail, names[i], "in");
		describe(&got, buf_span(&mail));
		accept_golden(names[i], buf_span(&got));
		read_golden(&want, names[i], "out");
		assert_described(names[i], buf_span(&mail), buf_str(&want));
		add_with_crlf(&crlf, buf_span(&mail));
		assert_described(names[i], buf_span(&crlf), buf_str(&want));
	}
}

/* Cut anywhere, it is a bounce or refused, and nothing else happens. */
static void survives_every_truncation(void **state)
{
	owned(buf) struct buf mail = BUF_INIT(LIMIT_BOUNCE_BYTES);
	const size_t step = 31;

	(void)state;
	read_golden(&mail, "bounce-postfix", "in");
	for (size_t len = 0; len < mail.len; len += step) {
		owned(buf) struct buf got = BUF_INIT(LIMIT_BOUNCE_BYTES);
		/* Of its own length, for those who watch memory. */
		owned(mem) char *copy = mem_new(len + 1);

		memcpy(copy, mail.data, len);
		describe(&got, (struct span){copy, len});
	}
}

static void refuses_what_is_too_long(void **state)
{
	owned(mail_bounce) struct mail_bounce bounce = {0};
	owned(mem) char *mail = mem_new(LIMIT_BOUNCE_BYTES + 1);
	struct error err = {0};

	(void)state;
	assert_int_equal(
		mail_bounce_read(&bounce,
	                         (struct span){mail, LIMIT_BOUNCE_BYTES + 1},
	                         SENDER, &err),
		-1);
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_string_equal(err.message, "it is longer than 1048576 bytes");
}

/* `begin`, then `unit` up to the limit, or enough of it for a slow wrapper. */
static void fill(struct buf *mail, const char *begin, const char *unit)
{
	size_t max = getenv("TEST_WRAPPER") && *getenv("TEST_WRAPPER")
	                     ? LIMIT_BOUNCE_BYTES / 16
	                     : LIMIT_BOUNCE_BYTES;

	buf_add_str(mail, begin);
	while (mail->len + strlen(unit) <= max)
		buf_add_str(mail, unit);
}

static void survives_what_is_as_long_as_allowed(void **state)
{
	static const struct {
		const char *begin;
		const char *unit;
		const char *description;
	} cases[] = {
		{"", "x", "refused: "},
		{"", "X: y\n", "refused: "},
		{"", "To: digest+bounce-1@example.org\n", "refused: "},
		{"To: ", "a@b.example,", "refused: "},
		{"Content-Type: multipart/mixed; boundary=a\n\n",
	         "--a\nContent-Type: multipart/mixed; boundary=a\n\n",
	         "refused: "},
		{"Content-Type: message/rfc822\n\n",
	         "Content-Type: message/rfc822\n\n", "refused: "},
		{REPORT, "\n\n", "refused: "},
		{REPORT, "X: y\n\n", "refused: "},
		{REPORT "Action: failed\n", " x\n", "action: failed"},
		{REPORT "Action: failed\nDiagnostic-Code: smtp; 550 ", "x ",
	         "action: failed"},
		{REPORT "Action: failed\nStatus: 5.", "1",
	         "action: failed\nstatus: \n"},
		{REPORT, "Action: failed\n\n", "action: failed"},
		{REPORT "Action: failed\n--b\nContent-Type: message/rfc822\n\n",
	         "Message-ID: <", "action: failed"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(buf) struct buf mail = BUF_INIT(LIMIT_BOUNCE_BYTES);
		owned(buf) struct buf got = BUF_INIT(LIMIT_BOUNCE_BYTES);

		fill(&mail, cases[i].begin, cases[i].unit);
		describe(&got, buf_span(&mail));
		if (!span_starts(buf_span(&got), cases[i].description))
			fail_msg("'%s' does not begin with '%s'", buf_str(&got),
			         cases[i].description);
	}
}

static void writes_a_sender_for_each_token(void **state)
{
	static const struct {
		const char *sender;
		const char *token;
		const char *verp; /* NULL: refused */
	} cases[] = {
		{"digest@example.org", "7f3a",
	         "digest+bounce-7f3a@example.org"},
		{"a+b@b\u00fccher.example", "1",
	         "a+b+bounce-1@xn--bcher-kva.example"},
		{"digest@example.org", "", NULL},
		{"digest@example.org", "a b", NULL},
		{"digest@example.org", "a@b", NULL},
		{"digest@example.org", "a>\r\nDATA", NULL},
		{"digest@example.org", "\u00fc", NULL},
		{"no address", "1", NULL},
		{"digest@example.org",
	         "0123456789012345678901234567890123456789"
	         "01234567890",
	         NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *verp = NULL;
		struct error err = {0};
		int rc = mail_verp_sender(&verp, cases[i].sender,
		                          cases[i].token, &err);

		assert_int_equal(rc, cases[i].verp ? 0 : -1);
		if (cases[i].verp)
			assert_string_equal(verp, cases[i].verp);
		else
			assert_int_not_equal(err.message[0], '\0');
	}
}

/* What is written is read again. */
static void finds_the_token_that_was_written(void **state)
{
	static const char *const senders[] = {"digest@example.org",
	                                      "a+b@b\u00fccher.example",
	                                      "x+bounce-y@example.org"};

	(void)state;
	for (size_t i = 0; i < COUNT(senders); i++) {
		owned(mail_bounce) struct mail_bounce bounce = {0};
		owned(mem) char *verp = NULL;
		owned(mem) char *mail = NULL;
		struct error err = {0};

		assert_int_equal(
			mail_verp_sender(&verp, senders[i], "00ff9z", &err), 0);
		mail = mem_printf("Delivered-To: %s\n" REPORT
		                  "Action: failed\n--b--\n",
		                  verp);
		if (mail_bounce_read(&bounce, span_of(mail), senders[i], &err) <
		    0)
			fail_msg("%s", err.message);
		assert_non_null(bounce.token);
		assert_string_equal(bounce.token, "00ff9z");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_bounces_from_other_mails),
		cmocka_unit_test(survives_every_truncation),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(survives_what_is_as_long_as_allowed),
		cmocka_unit_test(writes_a_sender_for_each_token),
		cmocka_unit_test(finds_the_token_that_was_written),
	};

	/* GLib's complaints about a call are bugs of ours. */
	g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
	return cmocka_run_group_tests_name("bounce", tests, NULL, NULL);
}
