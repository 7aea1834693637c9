/* The dialogue of an open session. */

#include "smtp_private.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>

#include "base/limits.h"
#include "base/mem.h"
#include "mail/address.h"

#define READ_BYTES 4096
/*
 * One TLS record a write: if a write fails, the peer can read nothing of it,
 * so that how much it has is known to the byte.
 */
#define WRITE_BYTES 16384
#define DOT "." CRLF
#define CRLF "\r\n"

/* ---- time and news ---- */

static void expect_within(struct smtp_session *session, int64_t seconds)
{
	session->patience_sec = seconds;
	session->deadline_ms =
		clock_monotonic_ms(session->clock) + seconds * 1000;
}

/* How much of `out` may go: all, or one command at a time. */
static size_t sendable(const struct smtp_session *session)
{
	if (session->state == SMTP_COMMANDS &&
	    session->n_answered < session->n_steps &&
	    !smtp_offers(session, "PIPELINING"))
		return session->steps[session->n_answered].end;
	return session->out.len;
}

/* Asks for the turns that the session needs next. */
static void settle(struct smtp_session *session)
{
	bool is_writing = session->n_sent < sendable(session);
	bool is_waiting = session->state == SMTP_IDLE ||
	                  session->state == SMTP_COMMANDS ||
	                  session->state == SMTP_BODY;

	net_watch_events(session->watch, !is_waiting  ? 0
	                                 : is_writing ? POLLIN | POLLOUT
	                                              : POLLIN);
	if (session->news || session->is_unread)
		net_watch_deadline(session->watch, 0);
	else if (is_waiting && session->state != SMTP_IDLE)
		net_watch_deadline(session->watch, session->deadline_ms);
	else
		net_watch_deadline(session->watch, INT64_MAX);
}

void smtp_session_tell(struct smtp_session *session)
{
	struct smtp_events events = session->events;
	struct smtp_outcome outcome = session->outcome;
	enum smtp_news news = session->news;

	session->news = SMTP_NEWS_NONE;
	switch (news) {
	case SMTP_NEWS_NONE:
		break;
	case SMTP_NEWS_OPEN:
		events.open(events.ctx);
		break;
	case SMTP_NEWS_CLOSED:
		events.closed(events.ctx, &outcome);
		break;
	case SMTP_NEWS_READY:
		events.ready(events.ctx);
		break;
	case SMTP_NEWS_DONE:
		events.done(events.ctx, &outcome);
		break;
	}
}

/* The message has its outcome. */
static void finish(struct smtp_session *session)
{
	/* What came after the last reply makes the next ones untrue. */
	if (session->in.len > 0 || session->is_lost)
		session->outcome.closed = true;
	session->state = session->outcome.closed ? SMTP_OVER : SMTP_IDLE;
	session->deadline_ms = INT64_MAX;
	session->news = SMTP_NEWS_DONE;
}

static enum smtp_stage stage_of(enum smtp_command command)
{
	switch (command) {
	case SMTP_COMMAND_RSET:
	case SMTP_COMMAND_MAIL:
		return SMTP_STAGE_MAIL;
	case SMTP_COMMAND_RCPT:
		return SMTP_STAGE_RCPT;
	case SMTP_COMMAND_DATA:
	case SMTP_COMMAND_DOT:
	case SMTP_N_COMMANDS:
		return SMTP_STAGE_DATA;
	}
	return SMTP_STAGE_DATA;
}

static enum smtp_stage stage_now(const struct smtp_session *session)
{
	if (session->state == SMTP_COMMANDS)
		return stage_of(session->steps[session->n_answered].command);
	if (session->state != SMTP_BODY)
		return SMTP_STAGE_MAIL;
	/* One byte of the dot may be enough for a careless server. */
	return session->n_sent + strlen(DOT) > session->out.len
	               ? SMTP_STAGE_DOT
	               : SMTP_STAGE_BODY;
}

static const char *loss_hint(const struct smtp_session *session)
{
	if (session->state == SMTP_IDLE)
		return "no message was under way";
	return stage_now(session) == SMTP_STAGE_DOT
	               ? "the message may have arrived"
	               : "it was not sent; the same may work later";
}

/*
 * The session cannot go on, because of `what` the server did, or did not;
 * `reply` NULL: without saying anything.
 */
static void lose(struct smtp_session *session, const char *what,
                 const struct smtp_reply *reply)
{
	struct smtp_outcome *outcome = &session->outcome;
	bool is_idle = session->state == SMTP_IDLE;

	if (session->state != SMTP_COMMANDS || !session->is_refused) {
		*outcome = (struct smtp_outcome){.stage = stage_now(session)};
		outcome->verdict = outcome->stage == SMTP_STAGE_DOT
		                           ? SMTP_UNKNOWN
		                           : SMTP_DEFERRED;
		if (reply)
			smtp_quote(outcome, reply);
		smtp_say(outcome, session->where, what, loss_hint(session));
	}
	outcome->closed = true;
	session->state = SMTP_OVER;
	session->news = is_idle ? SMTP_NEWS_CLOSED : SMTP_NEWS_DONE;
}

/* ---- replies ---- */

static void add_step(struct smtp_session *session, enum smtp_command command,
                     const char *line)
{
	buf_add_str(&session->out, line);
	buf_add_str(&session->out, CRLF);
	session->steps[session->n_steps++] =
		(struct smtp_step){command, session->out.len};
}

/*
 * All commands are answered and the last one is DATA, accepted: the body
 * comes next. After a refusal an empty message must be ended (RFC 2920,
 * section 3.1), unless it has a recipient: then it must never be ended.
 */
static void take_go_ahead(struct smtp_session *session)
{
	if (!session->is_refused) {
		session->state = SMTP_READY;
		session->news = SMTP_NEWS_READY;
	} else if (session->is_recipient_taken) {
		session->outcome.closed = true;
		finish(session);
	} else {
		add_step(session, SMTP_COMMAND_DOT, ".");
	}
}

static void judge_step(struct smtp_session *session, enum smtp_command command)
{
	enum smtp_stage stage = stage_of(command);
	bool is_accepted = smtp_reply_accepts(&session->reply, stage);

	if (command == SMTP_COMMAND_MAIL)
		session->is_sender_taken = is_accepted;
	if (command == SMTP_COMMAND_RCPT)
		session->is_recipient_taken = is_accepted;
	if (session->is_refused && session->reply.code == 421)
		session->outcome.closed = true;
	if (is_accepted || session->is_refused)
		return;
	if (command == SMTP_COMMAND_RSET) {
		lose(session, "refused to begin a new message",
		     &session->reply);
		return;
	}
	session->is_refused = true;
	smtp_judge_reply(&session->outcome, stage, &session->reply,
	                 session->where);
	/* One at a time: what follows has not been sent and never will be. */
	if (!smtp_offers(session, "PIPELINING"))
		session->n_steps = session->n_answered;
}

static void take_command_reply(struct smtp_session *session)
{
	enum smtp_command command =
		session->steps[session->n_answered++].command;

	judge_step(session, command);
	if (session->news)
		return;
	if (session->is_refused && session->outcome.closed) {
		finish(session);
	} else if (session->n_answered < session->n_steps) {
		expect_within(session, session->options->timeout_s);
	} else if (command == SMTP_COMMAND_DATA && session->reply.code == 354) {
		expect_within(session, session->options->timeout_s);
		take_go_ahead(session);
	} else {
		session->needs_reset =
			session->is_sender_taken && command != SMTP_COMMAND_DOT;
		finish(session);
	}
}

/* Before the dot is sent, only a refusal makes sense. */
static void take_body_reply(struct smtp_session *session)
{
	enum smtp_stage stage = stage_now(session);

	smtp_judge_reply(&session->outcome, stage, &session->reply,
	                 session->where);
	if (stage == SMTP_STAGE_BODY)
		session->outcome.closed = true;
	finish(session);
}

/* Nothing was asked: a 421, or nonsense. */
static void take_idle_reply(struct smtp_session *session)
{
	lose(session,
	     session->reply.code == 421 ? "ended the session"
	                                : "spoke out of turn",
	     &session->reply);
}

static void take_reply(struct smtp_session *session)
{
	switch (session->state) {
	case SMTP_IDLE:
		take_idle_reply(session);
		break;
	case SMTP_COMMANDS:
		take_command_reply(session);
		break;
	case SMTP_BODY:
		take_body_reply(session);
		break;
	case SMTP_OPENING:
	case SMTP_READY:
	case SMTP_OVER:
		break;
	}
	smtp_reply_reset(&session->reply);
}

/* Keeps the part of `in` that is not read yet: a line's begin. */
static void drop_read(struct smtp_session *session, struct span rest)
{
	if (rest.len > 0)
		memmove(session->in.data, rest.ptr, rest.len);
	buf_cut(&session->in, rest.len);
}

static void take_replies(struct smtp_session *session)
{
	int state = SMTP_REPLY_COMPLETE;

	while (state == SMTP_REPLY_COMPLETE && !session->news) {
		struct span rest = buf_span(&session->in);
		struct error err;

		state = smtp_reply_read(&session->reply, &rest, &err);
		drop_read(session, rest);
		if (state == SMTP_REPLY_COMPLETE) {
			take_reply(session);
		} else if (state < 0) {
			owned(mem) char *what = mem_printf(
				"sent no SMTP reply (%s)", err.message);

			lose(session, what, NULL);
		}
	}
}

/* ---- bytes ---- */

/* Some of what has come; false if there was nothing. */
static bool read_some(struct smtp_session *session)
{
	char bytes[READ_BYTES];
	size_t n = 0;
	CURLcode code = curl_easy_recv(session->easy, bytes, sizeof(bytes), &n);

	if (code == CURLE_AGAIN)
		return false;
	if (code || n == 0) {
		session->is_lost = true;
		return false;
	}
	buf_add(&session->in, bytes, n);
	return true;
}

/* As much as the socket takes. */
static void write_out(struct smtp_session *session)
{
	size_t end = sendable(session);

	while (session->n_sent < end) {
		size_t n = end - session->n_sent;
		CURLcode code;

		if (n > WRITE_BYTES)
			n = WRITE_BYTES;
		code = curl_easy_send(session->easy,
		                      session->out.data + session->n_sent, n,
		                      &n);
		if (code == CURLE_AGAIN)
			return;
		if (code) {
			session->is_lost = true;
			return;
		}
		session->n_sent += n;
		expect_within(session, stage_now(session) == SMTP_STAGE_DOT
		                               ? LIMIT_SMTP_DOT_SEC
		                               : session->options->timeout_s);
	}
}

/* A server that sends on and on ends with the limits of a reply. */
static void work(struct smtp_session *session)
{
	bool has_more;

	session->is_unread = false;
	do {
		has_more = read_some(session);
		take_replies(session);
	} while (has_more && !session->news);

	if (!session->news && !session->is_lost)
		write_out(session);
	if (session->news)
		return;
	if (session->is_lost) {
		lose(session, "closed the connection", NULL);
	} else if (clock_monotonic_ms(session->clock) >= session->deadline_ms) {
		owned(mem) char *what =
			mem_printf("did not answer within %" PRId64 " s",
		                   session->patience_sec);

		lose(session, what, NULL);
	}
}

static void on_watch(void *ctx, short ready)
{
	struct smtp_session *session = ctx;

	(void)ready;
	if (!session->news)
		work(session);
	settle(session);
	smtp_session_tell(session);
}

void smtp_session_begin(struct smtp_session *session)
{
	buf_clear(&session->in);
	smtp_reply_reset(&session->reply);
	session->state = SMTP_IDLE;
	session->deadline_ms = INT64_MAX;
	session->watch =
		net_watch(session->net, session->fd, on_watch, session);
	settle(session);
}

/* ---- messages ---- */

static bool has_8bit(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] >= 0x80)
			return true;
	return false;
}

static int check_envelope(const char *address, struct error *err)
{
	owned(mem) char *for_smtp = NULL;

	if (mail_address_for_smtp(&for_smtp, span_of(address), err) < 0)
		return -1;
	if (strcmp(for_smtp, address) != 0)
		return error_set(err, ERROR_SYNTAX,
		                 "'%s': its domain is not in A-labels",
		                 address);
	return 0;
}

static int check_limits(const struct smtp_session *session, bool needs_utf8,
                        struct error *err)
{
	uint64_t size = smtp_size_limit(session);

	if (size > 0 && session->message.len > size)
		return error_set(err, ERROR_LIMIT,
		                 "the message has %zu bytes, and %s takes at "
		                 "most %" PRIu64,
		                 session->message.len, session->where, size);
	if (needs_utf8 && !smtp_offers(session, "SMTPUTF8"))
		return error_set(err, ERROR_PERMANENT,
		                 "the address needs SMTPUTF8, which %s does "
		                 "not offer",
		                 session->where);
	return 0;
}

/* Nothing is sent: the message itself is at fault. */
static void fail_message(struct smtp_session *session, const struct error *err)
{
	session->outcome = (struct smtp_outcome){
		.verdict = SMTP_FAILED,
		.stage = SMTP_STAGE_MAIL,
	};
	memcpy(session->outcome.sentence, err->message, sizeof(err->message));
	session->news = SMTP_NEWS_DONE;
}

static void add_commands(struct smtp_session *session, const char *from,
                         const char *to, bool needs_utf8)
{
	owned(buf) struct buf line = BUF_INIT(LIMIT_SMTP_LINE_BYTES);

	if (session->needs_reset)
		add_step(session, SMTP_COMMAND_RSET, "RSET");

	buf_addf(&line, "MAIL FROM:<%s>", from);
	if (smtp_offers(session, "SIZE"))
		buf_addf(&line, " SIZE=%zu", session->message.len);
	if (needs_utf8)
		buf_add_str(&line, " SMTPUTF8");
	add_step(session, SMTP_COMMAND_MAIL, buf_str(&line));

	buf_clear(&line);
	buf_addf(&line, "RCPT TO:<%s>", to);
	add_step(session, SMTP_COMMAND_RCPT, buf_str(&line));
	add_step(session, SMTP_COMMAND_DATA, "DATA");
}

static void forget_message(struct smtp_session *session)
{
	buf_clear(&session->out);
	session->n_sent = 0;
	session->n_steps = 0;
	session->n_answered = 0;
	session->is_sender_taken = false;
	session->is_recipient_taken = false;
	session->is_refused = false;
}

void smtp_send(struct smtp_session *session, const char *from, const char *to,
               struct span message)
{
	bool needs_utf8 = has_8bit(span_of(from)) || has_8bit(span_of(to)) ||
	                  has_8bit(message);
	struct error err;

	assert(session->state == SMTP_IDLE && !session->news);
	forget_message(session);
	session->message = message;
	if (check_envelope(from, &err) < 0 || check_envelope(to, &err) < 0 ||
	    smtp_check_body(message, &err) < 0 ||
	    check_limits(session, needs_utf8, &err) < 0) {
		fail_message(session, &err);
	} else {
		add_commands(session, from, to, needs_utf8);
		session->needs_reset = false;
		session->state = SMTP_COMMANDS;
		expect_within(session, session->options->timeout_s);
		write_out(session);
	}
	settle(session);
}

/*
 * What the server has said since 354 was not asked for: the body is not sent
 * then, and the next turn says why.
 */
void smtp_send_body(struct smtp_session *session)
{
	assert(session->state == SMTP_READY && !session->news);
	buf_clear(&session->out);
	session->n_sent = 0;
	smtp_add_body(&session->out, session->message);
	session->state = SMTP_BODY;
	expect_within(session, session->options->timeout_s);

	read_some(session);
	session->is_unread = session->in.len > 0 || session->is_lost;
	if (!session->is_unread)
		write_out(session);
	settle(session);
}

void smtp_session_quit(struct smtp_session *session)
{
	size_t n;

	if (session->state == SMTP_IDLE)
		(void)curl_easy_send(session->easy, "QUIT" CRLF,
		                     strlen("QUIT" CRLF), &n);
}
