#pragma once

/* SMTP: what smtp_*.c share. */

#include <curl/curl.h>

#include "base/buf.h"
#include "base/span.h"
#include "base/strings.h"
#include "mail/smtp.h"

/* ---- replies (smtp_reply.c) ---- */

/* RFC 3463: "5.123.456" is the longest. */
#define SMTP_ENHANCED_MAX 12

/* One reply, of one or more lines, as far as it has come. */
struct smtp_reply {
	int code;
	unsigned n_lines;
	char enhanced[SMTP_ENHANCED_MAX];
	struct buf text; /* its words, cleaned, on one line */
};

/* Outcomes of smtp_reply_read(). */
enum smtp_reply_state {
	SMTP_REPLY_COMPLETE = 0,
	SMTP_REPLY_MORE = 1,
};

/* Begins a new one. A zeroed reply may be reset, too. */
void smtp_reply_reset(struct smtp_reply *reply);
void smtp_reply_fini(struct smtp_reply *reply);

/*
 * Takes whole lines off *rest until the reply is complete or more must come.
 * Fails on what is no reply (RFC 5321, section 4.2) or passes the limits.
 */
MUST_CHECK int smtp_reply_read(struct smtp_reply *reply, struct span *rest,
                               struct error *err);

/* The length of an enhanced code (RFC 3463) of the class at its start, or 0. */
size_t smtp_enhanced_len(struct span text, int class);

/* Does the reply let the dialogue go on at this stage? */
bool smtp_reply_accepts(const struct smtp_reply *reply, enum smtp_stage stage);

/* ---- the body (smtp_body.c) ---- */

/* Outcomes of smtp_check_body(). */
enum smtp_body {
	SMTP_BODY_PLAIN = 0,
	SMTP_BODY_DOTTED = 1, /* some line begins with a dot */
};

/* CRLF lines of at most 998 bytes, no bare CR or LF, no NUL. */
MUST_CHECK int smtp_check_body(struct span message, struct error *err);
/* Does any byte need more than 7 bits? */
bool smtp_has_8bit(struct span text);
/* Appends a checked message, dot-stuffed (RFC 5321, section 4.5.2). */
void smtp_add_stuffed(struct buf *out, struct span message);

/* ---- outcomes in words (smtp_words.c) ---- */

/* What a reply that does not accept means: verdict, closed, sentence. */
void smtp_judge_reply(struct smtp_outcome *outcome, enum smtp_stage stage,
                      const struct smtp_reply *reply, const char *where);

/*
 * Does a refusal of a recipient blame the mailbox (see bad_recipient)?
 * `enhanced` may be "".
 */
bool smtp_is_about_mailbox(int code, const char *enhanced);

/* `WHERE WHAT: HINT (it said: CODE WORDS)`; the hint may be NULL. */
void smtp_say(struct smtp_outcome *outcome, const char *where, const char *what,
              const char *hint);

/* Code, enhanced code and words of the reply. */
void smtp_quote(struct smtp_outcome *outcome, const struct smtp_reply *reply);

/*
 * A server may repeat what it was told: words with the password in them, plain
 * or as AUTH sends it, are left out of the reply.
 */
void smtp_hide_password(struct smtp_reply *reply,
                        const struct smtp_options *options);

/* ---- the session (smtp_open.c) ---- */

enum smtp_state {
	SMTP_OPENING, /* libcurl's part */
	SMTP_IDLE,
	SMTP_COMMANDS, /* replies to commands are awaited */
	SMTP_READY,    /* the owner is to call smtp_send_body() */
	SMTP_BODY,     /* the body goes out; then the reply to its dot */
	SMTP_FAULTY, /* the next message cannot be sent: its turn to be told */
	SMTP_OVER,
};

/*
 * What the owner is to be told. It is told at the end of a turn, by the last
 * statement that touches the session, for the owner may close it there.
 */
enum smtp_news {
	SMTP_NEWS_NONE,
	SMTP_NEWS_OPEN,
	SMTP_NEWS_CLOSED,
	SMTP_NEWS_READY,
	SMTP_NEWS_DONE,
};

enum smtp_command {
	SMTP_COMMAND_RSET, /* the transaction before was left open */
	SMTP_COMMAND_MAIL,
	SMTP_COMMAND_RCPT,
	SMTP_COMMAND_DATA,
	SMTP_COMMAND_DOT, /* ends an empty message that has no recipient */
	SMTP_N_COMMANDS,
};

struct smtp_step {
	enum smtp_command command;
	size_t end; /* of its line in `out` */
};

/* What the server offers of what is used here. */
struct smtp_means {
	bool pipelining;
	bool size;
	bool eight_bit;
	bool utf8;
	uint64_t max_bytes; /* 0: none said */
};

struct smtp_session {
	struct net *net;
	const struct clock *clock;
	const struct smtp_options *options;
	struct smtp_events events;
	CURL *easy;
	struct net_watch *watch;
	curl_socket_t fd;
	char *where;   /* host:port, for people */
	bool is_smtps; /* TLS from the first byte */
	char curl_words[CURL_ERROR_SIZE];

	struct strings offers; /* the last EHLO's lines, without codes */
	bool is_reply_begun;   /* libcurl is amid a reply's lines */
	bool is_greeted;
	bool is_logged_in;
	bool is_plain_refused; /* the password would have gone out in clear */
	int no_socket;         /* the errno for which there is none */
	struct error no_reply; /* why what libcurl read is none */

	enum smtp_state state;
	enum smtp_news news;
	struct smtp_outcome outcome;
	int64_t deadline_ms;
	int64_t patience_sec; /* what the deadline was set to */
	struct buf in;
	struct smtp_reply reply;
	bool is_lost;   /* the peer's end was read */
	bool is_unread; /* bytes have come that no turn has looked at */

	struct smtp_means means;
	bool is_encrypted;
	bool *is_closed; /* of who tells the owner: to be set by smtp_close() */

	/*
	 * The message under way: `out` has its commands, then its body. While
	 * its dot is not answered, everything else here is the next one's,
	 * whose commands are behind the body.
	 */
	struct span message;
	bool is_dotted;
	struct buf out;
	size_t n_sent;
	size_t body_end; /* in `out` */
	struct smtp_step steps[SMTP_N_COMMANDS];
	size_t n_steps;
	size_t n_answered;
	bool has_next;
	bool is_ahead; /* it was the next one */
	bool is_sender_taken;
	bool is_recipient_taken;
	bool is_refused;    /* `outcome` says how */
	bool needs_reset;   /* outlives its message */
	struct error fault; /* of the message itself; ERROR_NONE: none */
};

/* ---- a message's commands (smtp_letter.c) ---- */

/* Appends a command and its line end to `out`. */
void smtp_add_step(struct smtp_session *session, enum smtp_command command,
                   const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Begins a new message: its commands are appended to `out`, or session->fault
 * says why it cannot be sent.
 */
void smtp_begin_letter(struct smtp_session *session,
                       const struct smtp_letter *letter);

/* ---- the dialogue (smtp_session.c) ---- */

/* From the moment libcurl has opened it: watches its socket. */
void smtp_session_begin(struct smtp_session *session);
/* QUIT, where the dialogue stands at a point that allows it. */
void smtp_session_quit(struct smtp_session *session);
/* Tells the owner. The session may be gone when it returns. */
void smtp_session_tell(struct smtp_session *session);

/* What a failed opening means. */
void smtp_judge_opening(struct smtp_outcome *outcome, CURLcode code,
                        const struct smtp_session *session);
