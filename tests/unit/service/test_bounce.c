/* Of the rig a part is enough here. */
#pragma GCC diagnostic ignored "-Wunused-function"

#include "rig.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "service/bounce.h"

struct report {
	const char *action;
	const char *status;
	const char *diagnostic;
	const char *to;         /* NULL: the sender's own address */
	const char *message_id; /* NULL: the mail is not in it */
};

static void write_report(struct buf *mail, const struct report *report)
{
	buf_addf(mail,
	         "From: MAILER-DAEMON@relay.example.net\r\n"
	         "To: %s\r\nMIME-Version: 1.0\r\n"
	         "Content-Type: multipart/report; boundary=b;"
	         " report-type=delivery-status\r\n\r\n"
	         "--b\r\nContent-Type: text/plain\r\n\r\nIt came back.\r\n"
	         "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
	         "Reporting-MTA: dns; relay.example.net\r\n\r\n"
	         "Final-Recipient: rfc822; ada@example.org\r\n"
	         "Action: %s\r\nStatus: %s\r\n"
	         "Diagnostic-Code: smtp; %s\r\n\r\n",
	         report->to ? report->to : "digest@example.org", report->action,
	         report->status, report->diagnostic);
	if (report->message_id)
		buf_addf(mail,
		         "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
		         "From: digest@example.org\r\nMessage-ID: <%s>\r\n\r\n",
		         report->message_id);
	buf_add_str(mail, "--b--\r\n");
}

/* What it gives, and what it logs. */
static int bounce(struct rig *rig, const char *mail, char *log, size_t size)
{
	owned(fd) int kept = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	struct error err = {0};
	int rc;

	assert_non_null(file);
	log_set_level(LOG_LEVEL_INFO);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	rc = service_bounce(&rig->service, span_of(mail), &err);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	log_set_level(LOG_LEVEL_ERROR);
	rewind(file);
	log[fread(log, 1, size - 1, file)] = '\0';
	fclose(file);
	if (rc < 0)
		snprintf(log, size, "%s", err.message);
	return rc;
}

static void assert_bounce(struct rig *rig, const struct report *report,
                          int expected, const char *sentence)
{
	owned(buf) struct buf mail = BUF_INIT(8192);
	char log[LIMIT_LOG_LINE_BYTES];
	int rc;

	write_report(&mail, report);
	rc = bounce(rig, buf_str(&mail), log, sizeof(log));
	if (rc != expected || !strstr(log, sentence))
		fail_msg("gives %d: %s", rc, log);
	assert_null(strstr(log, "ada@example.org"));
	assert_ptr_equal(strchr(log, '\n'),
	                 rc < 0 ? NULL : log + strlen(log) - 1);
}

static void send_one(struct rig *rig, int i)
{
	owned(mem) char *paper =
		mem_printf("2609.%05dv1 new A retrieval method", i);

	rig->now += DAY_SEC;
	ANNOUNCE(rig, paper);
	assert_int_equal(send_now(rig), 1);
}

static const char *last_id(const struct rig *rig)
{
	return rig->sent[rig->n_sent - 1].message_id;
}

#define NOBODY "550 5.1.1 <ada@example.org>: no such user"

static struct report refusal_of(const char *message_id)
{
	return (struct report){"failed", "5.1.1", NOBODY, NULL, message_id};
}

/* ---- tests ---- */

static void a_bounce_is_the_end_of_its_delivery(void **state)
{
	struct rig *rig = *state;
	struct report report;

	send_one(rig, 1);
	report = refusal_of(last_id(rig));
	assert_bounce(rig, &report, BOUNCE_COUNTED,
	              "bounce: ada: counted: 550 5.1.1 <ada>: no such user");
	assert_state(rig, "ada", DELIVERY_FAILED);
	assert_bounce(rig, &report, BOUNCE_IGNORED, "counted before");
}

static void is_found_by_the_address_that_it_came_to(void **state)
{
	struct rig *rig = *state;
	struct report report = refusal_of(NULL);
	char to[128];

	send_one(rig, 1);
	snprintf(to, sizeof(to), "digest+bounce-%.32s@example.org",
	         last_id(rig));
	report.to = to;
	assert_bounce(rig, &report, BOUNCE_COUNTED, "counted");
	assert_state(rig, "ada", DELIVERY_FAILED);
}

static void ignores_all_else_and_says_why(void **state)
{
	struct rig *rig = *state;
	const struct {
		struct report report;
		const char *sentence;
	} cases[] = {
		{{"delayed", "4.4.1", "timed out", NULL, "ID"}, "being tried"},
		{{"delivered", "2.0.0", "250 ok", NULL, "ID"}, "arrived"},
		{{"relayed", "2.0.0", "250 ok", NULL, "ID"}, "arrived"},
		{{"failed", "5.7.1", "554 5.7.1 spam", NULL, "ID"},
	         "not by the mailbox's fault"},
		{{"failed", "4.4.7", "expired", NULL, "ID"},
	         "not by the mailbox's fault"},
		{{"failed", "5.1.1", NOBODY, NULL, NULL}, ""},
		{{"failed", "5.1.1", NOBODY, NULL,
	          "00112233445566778899aabbccddeeff@example.org"},
	         "no mail that was sent lately"},
		{{"failed", "5.1.1", NOBODY,
	          "digest+bounce-00112233445566778899aabbccddeeff"
	          "@example.org",
	          NULL},
	         "no mail that was sent lately"},
	};

	send_one(rig, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct report report = cases[i].report;

		if (report.message_id && !strcmp(report.message_id, "ID"))
			report.message_id = last_id(rig);
		assert_bounce(rig, &report, BOUNCE_IGNORED, cases[i].sentence);
		assert_state(rig, "ada", DELIVERY_SENT);
	}
}

static void ignores_what_is_no_bounce(void **state)
{
	static const char *const mails[] = {
		"",
		"\n",
		"hello",
		"From: ada@example.org\nSubject: thanks\n\nI like it.\n",
		"Content-Type: multipart/report\n\n",
		"\xff\xfe\x01\n\n\x02",
	};
	char log[LIMIT_LOG_LINE_BYTES];

	for (size_t i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
		assert_int_equal(bounce(*state, mails[i], log, sizeof(log)),
		                 BOUNCE_IGNORED);
		assert_non_null(strstr(log, "bounce: ignored: "));
	}
}

static void three_bounces_in_a_row_suspend(void **state)
{
	struct rig *rig = *state;
	struct report report;

	for (int i = 1; i <= LIMIT_REFUSALS; i++) {
		send_one(rig, i);
		report = refusal_of(last_id(rig));
		assert_bounce(rig, &report, BOUNCE_COUNTED,
		              i < LIMIT_REFUSALS ? "counted" : "suspended");
	}
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00009v1 new A retrieval method");
	assert_int_equal(send_now(rig), 0);
	assert_day(rig, "ada", OUTCOME_SUSPENDED);
}

static void a_digest_that_arrived_between_begins_anew(void **state)
{
	struct rig *rig = *state;
	struct report report;

	for (int i = 1; i <= 2 * LIMIT_REFUSALS; i++) {
		send_one(rig, i);
		if (i == LIMIT_REFUSALS)
			continue;
		report = refusal_of(last_id(rig));
		assert_bounce(rig, &report, BOUNCE_COUNTED,
		              i < 2 * LIMIT_REFUSALS ? "counted" : "suspended");
	}
}

static void suspend(struct rig *rig)
{
	for (int i = 1; i <= LIMIT_REFUSALS; i++) {
		struct report report;

		send_one(rig, i);
		report = refusal_of(last_id(rig));
		assert_bounce(rig, &report, BOUNCE_COUNTED, "");
	}
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00009v1 new A retrieval method");
	assert_int_equal(send_now(rig), 0);
}

static void a_changed_address_lifts_it(void **state)
{
	struct rig *rig = *state;
	struct store_suspended_list list = {0};
	struct error err = {0};

	suspend(rig);
	configure(rig,
	          "{ id = \"ada\"; email = \"lovelace@example.org\";"
	          " categories = [\"cs.CL\"]; }");
	assert_int_equal(send_now(rig), 1);
	assert_string_equal(rig->sent[rig->n_sent - 1].to,
	                    "lovelace@example.org");
	assert_last_digest(rig, "ada", "2609.00009v1");
	assert_int_equal(store_list_suspended(rig->store, &list, &err), 0);
	assert_int_equal(list.n, 0);
	store_suspended_list_fini(&list);
}

static void who_is_resumed_gets_what_came_meanwhile(void **state)
{
	struct rig *rig = *state;
	struct error err = {0};

	suspend(rig);
	assert_int_equal(store_lift_suspension(rig->store, "ada", &err),
	                 STORE_FOUND);
	assert_int_equal(send_now(rig), 1);
	assert_last_digest(rig, "ada", "2609.00009v1");
}

static void waits_for_the_sender_of_the_mail(void **state)
{
	struct rig *rig = *state;
	struct report report = refusal_of(NULL);
	char to[128];

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	deliver(rig, ACT_CRASH_AFTER_DOT);
	assert_state(rig, "ada", DELIVERY_SENDING);
	snprintf(to, sizeof(to), "digest+bounce-%.32s@example.org",
	         rig->message_id);
	report.to = to;
	assert_bounce(rig, &report, -1, "is being sent");
	assert_state(rig, "ada", DELIVERY_SENDING);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_bounce_is_the_end_of_its_delivery),
		CASE(is_found_by_the_address_that_it_came_to),
		CASE(ignores_all_else_and_says_why),
		CASE(ignores_what_is_no_bounce),
		CASE(three_bounces_in_a_row_suspend),
		CASE(a_digest_that_arrived_between_begins_anew),
		CASE(a_changed_address_lifts_it),
		CASE(who_is_resumed_gets_what_came_meanwhile),
		CASE(waits_for_the_sender_of_the_mail),
	};

	return cmocka_run_group_tests_name("service: bounces", tests, NULL,
	                                   NULL);
}
