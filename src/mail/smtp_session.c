/* The dialogue of an open session. */

#include "smtp_private.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>

#include "base/limits.h"
#include "base/mem.h"

/*
 * One TLS record a write: if a write fails, the peer can read nothing of it,
 * so that how much it has is known to the byte. (Without TLS that is true of
 * any write.) One record a read: what is left of it inside the library would
 * wake nobody.
 */
#define RECORD_BYTES 16384
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
	if (session->means.pipelining)
		return session->out.len;
	if (session->state == SMTP_BODY)
		return session->body_end;
	if (session->n_answered < session->n_steps)
		return session->steps[session->n_answered].end;
	return session->out.len;
}

static short find_events(const struct smtp_session *session)
{
	switch (session->state) {
	case SMTP_IDLE:
	case SMTP_COMMANDS:
	case SMTP_BODY:
		return session->n_sent < sendable(session) ? POLLIN | POLLOUT
		                                           : POLLIN;
	case SMTP_OPENING:
	case SMTP_READY:
	case SMTP_FAULTY:
	case SMTP_OVER:
		break;
	}
	return 0;
}

/* Asks for the turns that the session needs next. */
static void settle(struct smtp_session *session)
{
	net_watch_events(session->watch, find_events(session));
	net_watch_deadline(session->watch, session->news || session->is_unread
	                                           ? 0
	                                           : session->deadline_ms);
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

static void forget_out(struct smtp_session *session)
{
	buf_clear(&session->out);
	session->n_sent = 0;
}

/* The message has its outcome. What it did not send is never sent. */
static void finish(struct smtp_session *session)
{
	forget_out(session);
	session->has_next = false;
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
	return session->n_sent + strlen(DOT) > session->body_end
	               ? SMTP_STAGE_DOT
	               : SMTP_STAGE_BODY;
}

/* Has the server said nothing yet to any message that has no outcome? */
static bool is_between(const struct smtp_session *session)
{
	return session->state == SMTP_IDLE ||
	       (session->state == SMTP_COMMANDS && session->is_ahead &&
	        session->n_answered == 0);
}

static const char *loss_hint(const struct smtp_session *session)
{
	if (is_between(session))
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
	bool is_idle = is_between(session);

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
	session->deadline_ms = INT64_MAX;
	session->news = is_idle ? SMTP_NEWS_CLOSED : SMTP_NEWS_DONE;
}

/* ---- replies ---- */

/*
 * All commands are answered and the last one is DATA, accepted: the body
 * comes next. After a refusal an empty message must be ended (RFC 2920,
 * section 3.1), unless it has a recipient: then it must never be ended.
 */
static void take_go_ahead(struct smtp_session *session)
{
	if (!session->is_refused) {
		session->state = SMTP_READY;
		session->deadline_ms = INT64_MAX;
		session->news = SMTP_NEWS_READY;
	} else if (session->is_recipient_taken) {
		session->outcome.closed = true;
		finish(session);
	} else {
		smtp_add_step(session, SMTP_COMMAND_DOT, ".");
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
	if (!session->means.pipelining)
		session->n_steps = session->n_answered;
}

/* Nothing was asked: a 421, or nonsense. */
static void take_idle_reply(struct smtp_session *session)
{
	lose(session,
	     session->reply.code == 421 ? "ended the session"
	                                : "spoke out of turn",
	     &session->reply);
}

static void take_command_reply(struct smtp_session *session)
{
	struct smtp_step step = session->steps[session->n_answered];
	enum smtp_command command = step.command;

	if (is_between(session) && session->reply.code == 421) {
		take_idle_reply(session);
		return;
	}
	if (step.end > session->n_sent) {
		lose(session, "answered before it was asked", &session->reply);
		return;
	}
	session->n_answered++;
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

/* On to the next message, whose commands may be on their way. */
static void begin_next(struct smtp_session *session)
{
	session->has_next = false;
	session->is_ahead = true;
	session->state = session->fault.kind ? SMTP_FAULTY : SMTP_COMMANDS;
	session->news = SMTP_NEWS_DONE;
	expect_within(session, session->options->timeout_s);
}

/* Before the dot is sent, only a refusal makes sense. */
static void take_body_reply(struct smtp_session *session)
{
	enum smtp_stage stage = stage_now(session);

	smtp_judge_reply(&session->outcome, stage, &session->reply,
	                 session->where);
	if (stage == SMTP_STAGE_BODY)
		session->outcome.closed = true;
	if (session->has_next && !session->outcome.closed && !session->is_lost)
		begin_next(session);
	else
		finish(session);
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
	case SMTP_FAULTY:
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
			smtp_hide_password(&session->reply, session->options);
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
	char bytes[RECORD_BYTES];
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

		if (session->is_encrypted && n > RECORD_BYTES)
			n = RECORD_BYTES;
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

/* Nothing is sent: the message itself is at fault. */
static void tell_fault(struct smtp_session *session)
{
	session->outcome = (struct smtp_outcome){
		.verdict = SMTP_FAILED,
		.stage = SMTP_STAGE_MAIL,
	};
	memcpy(session->outcome.sentence, session->fault.message,
	       sizeof(session->fault.message));
	session->state = SMTP_IDLE;
	session->deadline_ms = INT64_MAX;
	session->news = SMTP_NEWS_DONE;
}

static void check_deadline(struct smtp_session *session)
{
	owned(mem) char *what = NULL;

	if (clock_monotonic_ms(session->clock) < session->deadline_ms)
		return;
	what = mem_printf("did not answer within %" PRId64 " s",
	                  session->patience_sec);
	lose(session, what, NULL);
}

/* A server that sends on and on ends with the limits of a reply. */
static void work(struct smtp_session *session)
{
	session->is_unread = false;
	take_replies(session);
	while (!session->news && read_some(session))
		take_replies(session);

	if (!session->news && !session->is_lost)
		write_out(session);
	if (session->news)
		return;
	if (session->is_lost)
		lose(session, "closed the connection", NULL);
	else
		check_deadline(session);
}

static void find_news(struct smtp_session *session)
{
	if (session->news)
		return;
	if (session->state == SMTP_FAULTY)
		tell_fault(session);
	else
		work(session);
}

/* After an outcome: is there more to do, or to tell, without a wait? */
static bool has_work(const struct smtp_session *session)
{
	if (session->news || session->state == SMTP_FAULTY)
		return true;
	if (session->state != SMTP_IDLE && session->state != SMTP_COMMANDS)
		return false;
	return session->in.len > 0 || session->n_sent < sendable(session);
}

static void on_watch(void *ctx, short ready)
{
	struct smtp_session *session = ctx;
	bool is_closed = false;
	bool is_told = true;

	(void)ready;
	session->is_closed = &is_closed;
	while (is_told) {
		find_news(session);
		is_told = session->news != SMTP_NEWS_NONE;
		smtp_session_tell(session);
		if (is_closed)
			return;
		is_told = is_told && has_work(session);
	}
	session->is_closed = NULL;
	settle(session);
}

static void find_means(struct smtp_session *session)
{
	session->means = (struct smtp_means){
		.pipelining = smtp_offers(session, "PIPELINING"),
		.size = smtp_offers(session, "SIZE"),
		.eight_bit = smtp_offers(session, "8BITMIME"),
		.utf8 = smtp_offers(session, "SMTPUTF8"),
		.max_bytes = smtp_size_limit(session),
	};
}

void smtp_session_begin(struct smtp_session *session)
{
	buf_clear(&session->in);
	smtp_reply_reset(&session->reply);
	find_means(session);
	session->is_encrypted =
		session->is_smtps || session->options->tls == SMTP_TLS_REQUIRED;
	session->state = SMTP_IDLE;
	session->deadline_ms = INT64_MAX;
	session->watch =
		net_watch(session->net, session->fd, on_watch, session);
	settle(session);
}

/* ---- messages ---- */

void smtp_send(struct smtp_session *session, const struct smtp_letter *letter)
{
	assert(session->state == SMTP_IDLE && !session->news);
	forget_out(session);
	session->is_ahead = false;
	smtp_begin_letter(session, letter);
	if (session->fault.kind) {
		tell_fault(session);
	} else {
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
void smtp_send_body(struct smtp_session *session,
                    const struct smtp_letter *next)
{
	assert(session->state == SMTP_READY && !session->news);
	forget_out(session);
	if (session->is_dotted)
		smtp_add_stuffed(&session->out, session->message);
	else
		buf_add_span(&session->out, session->message);
	buf_add_str(&session->out, DOT);
	session->body_end = session->out.len;
	session->has_next = next != NULL;
	if (next)
		smtp_begin_letter(session, next);
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
