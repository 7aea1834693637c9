#pragma once

/*
 * A session with the relay. libcurl opens it (DNS, TCP, TLS or STARTTLS,
 * EHLO, AUTH; CURLOPT_CONNECT_ONLY in the one loop); then MAIL, RCPT, DATA
 * and QUIT are ours, pipelined (RFC 2920) where the server offers it. No call
 * waits; everything is answered by a callback inside net_turn().
 *
 * A message's way:
 *
 *   smtp_send()          MAIL, RCPT, DATA go out
 *     ready()            354 came: before the dot is sent, its owner makes
 *                        that durable, then calls
 *   smtp_send_body()     the body and the final dot go out, and with them
 *                        the next message's MAIL, RCPT, DATA, if it is known
 *     done()             the outcome; then ready() or done() of the next
 *                        one, perhaps in the same net_turn(). If there is no
 *                        next one, smtp_send() may be called again, here or
 *                        later, unless outcome->closed
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"
#include "net/net.h"

enum smtp_tls {
	SMTP_TLS_REQUIRED, /* smtps, or STARTTLS; verified */
	SMTP_TLS_NONE,     /* conf allows it to loopback or private addresses */
};

/* The config's smtp group. Strings are owned. */
struct smtp_options {
	char *url; /* smtp://HOST[:PORT] or smtps://HOST[:PORT] */
	enum smtp_tls tls;
	char *username; /* NULL: no login */
	char *password; /* NULL: none; read from password_file */
	char *ca_file;  /* NULL: the system's */
	uint32_t connections;
	uint32_t per_minute;     /* 0: no limit */
	uint32_t per_connection; /* 0: no limit */
	uint32_t timeout_s;      /* for the opening, and for each reply */
	uint32_t *retry_min;     /* minutes; the last repeats */
	size_t n_retry_min;
	uint32_t give_up_after_hours;
	bool hold_unknown; /* on_unknown = "hold" */
	bool verp;
};

/* Overwrites the password before it is released. */
void smtp_options_fini(struct smtp_options *options);

enum smtp_stage {
	SMTP_STAGE_CONNECT, /* DNS, TCP, TLS, greeting, EHLO */
	SMTP_STAGE_LOGIN,
	SMTP_STAGE_MAIL,
	SMTP_STAGE_RCPT,
	SMTP_STAGE_DATA,
	SMTP_STAGE_BODY, /* body being sent, the dot not yet */
	SMTP_STAGE_DOT,  /* the dot is sent, no reply yet */
};

enum smtp_verdict {
	SMTP_SENT,     /* 250 to the final dot */
	SMTP_DEFERRED, /* provably not sent; the same may work later */
	SMTP_FAILED,   /* 5xx for this recipient or message */
	SMTP_RELAY,    /* the relay's fault, no message's: stop the run */
	SMTP_UNKNOWN,  /* lost after the final dot: it may have arrived */
};

#define SMTP_REPLY_TEXT_MAX 400

struct smtp_outcome {
	enum smtp_verdict verdict;
	enum smtp_stage stage;
	bool closed; /* the session is over: only smtp_close() is left */
	/* 421 or 4.7.x: the server wants fewer connections, or messages. */
	bool slow_down;
	/*
	 * A 5xx about this mailbox: 5.1.x (but not 5.1.7 and 5.1.8, which are
	 * the sender's) or 5.2.x; without such a code, 550, 551, 553 to RCPT.
	 */
	bool bad_recipient;
	int code;          /* SMTP reply code; 0: none */
	char enhanced[12]; /* "5.1.1" (RFC 3463), "" if there is none */
	char reply[SMTP_REPLY_TEXT_MAX];  /* the server's words, cleaned */
	char sentence[ERROR_MESSAGE_MAX]; /* for people: what happened, where,
	                                     why, what to do */
};

struct smtp_events {
	/* The session is open: smtp_send() may be called. */
	void (*open)(void *ctx);
	/*
	 * It could not be opened (SMTP_RELAY), or the server ended it while
	 * no message was under way, or only a next one, to which it had said
	 * nothing yet (SMTP_DEFERRED): no message is harmed.
	 */
	void (*closed)(void *ctx, const struct smtp_outcome *outcome);
	/* No other callback comes until smtp_send_body() or smtp_close(). */
	void (*ready)(void *ctx);
	void (*done)(void *ctx, const struct smtp_outcome *outcome);
	void *ctx;
};

struct smtp_session;

/*
 * Begins to open a session; open() or closed() follows. `net`, `clock` and
 * `options` are borrowed and must outlive it; `events` is copied. Fails if
 * the URL is of another kind.
 */
MUST_CHECK int smtp_open(struct smtp_session **ret_session, struct net *net,
                         const struct clock *clock,
                         const struct smtp_options *options,
                         const struct smtp_events *events, struct error *err);

/*
 * Ends it at once: QUIT without waiting for its reply. Allowed in any state,
 * also inside its own callbacks; no callback follows.
 */
void smtp_close(struct smtp_session *session);

OWNED_DEFINE(smtp_session, struct smtp_session, smtp_close);

/* What the server offers, known from open() on. */
bool smtp_offers(const struct smtp_session *session, const char *keyword);
/* Its SIZE limit in bytes; 0: none said. */
uint64_t smtp_size_limit(const struct smtp_session *session);

/*
 * What is to be sent. Addresses are as mail_address_for_smtp() gives them and
 * checked again here. `message`: CRLF lines, not dot-stuffed. A bare CR or LF,
 * a NUL, a line of more than 998 bytes, a message over the server's SIZE, or
 * 8-bit bytes that it does not offer to take (SMTPUTF8 for addresses and
 * header, 8BITMIME for the body) end in done() with SMTP_FAILED at
 * SMTP_STAGE_MAIL, without a code, from inside a later net_turn().
 */
struct smtp_letter {
	const char *from;
	const char *to;
	struct span message;
};

/*
 * Begins a message: after open(), or after a done() behind which no next one
 * is under way. Strings and bytes are borrowed until its done().
 */
void smtp_send(struct smtp_session *session, const struct smtp_letter *letter);

/*
 * Body and dot of the message that is ready. `next`, if not NULL, is begun as
 * if by smtp_send() when this one has its outcome; where the server
 * pipelines, its commands travel in the same flight. If that outcome is
 * `closed`, or closed() comes, `next` was not harmed and gets no callback.
 */
void smtp_send_body(struct smtp_session *session,
                    const struct smtp_letter *next);
