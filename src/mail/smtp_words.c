/* Outcomes: what a reply or its absence means, and how to say it. */

#include "smtp_private.h"

#include <stdio.h>

#include <glib.h>

/* Longer than any sentence: WHERE, the hints and a reply are all bounded. */
#define SENTENCE_MAX 8192

void smtp_quote(struct smtp_outcome *outcome, const struct smtp_reply *reply)
{
	_Static_assert(sizeof(outcome->enhanced) == sizeof(reply->enhanced),
	               "enhanced codes");

	outcome->code = reply->code;
	memcpy(outcome->enhanced, reply->enhanced, sizeof(outcome->enhanced));
	snprintf(outcome->reply, sizeof(outcome->reply), "%s",
	         buf_str(&reply->text));
	outcome->slow_down =
		reply->code == 421 || !strncmp(reply->enhanced, "4.7.", 4);
}

static bool has_encoded(const char *words, const char *bytes, size_t len)
{
	char *encoded = g_base64_encode((const unsigned char *)bytes, len);
	bool found = strstr(words, encoded) != NULL;

	g_free(encoded);
	return found;
}

static bool has_password(const char *words, const struct smtp_options *options)
{
	owned(buf) struct buf plain = BUF_INIT(SENTENCE_MAX);

	/* RFC 4616: NUL, user, NUL, password. */
	buf_add_char(&plain, '\0');
	buf_add_str(&plain, options->username ? options->username : "");
	buf_add_char(&plain, '\0');
	buf_add_str(&plain, options->password);
	return strstr(words, options->password) != NULL ||
	       has_encoded(words, plain.data, plain.len) ||
	       has_encoded(words, options->password, strlen(options->password));
}

void smtp_hide_password(struct smtp_reply *reply,
                        const struct smtp_options *options)
{
	if (!options->password || reply->text.len == 0 ||
	    !has_password(buf_str(&reply->text), options))
		return;
	buf_clear(&reply->text);
	buf_add_str(&reply->text, "(words with the password in them)");
}

void smtp_say(struct smtp_outcome *outcome, const char *where, const char *what,
              const char *hint)
{
	owned(buf) struct buf sentence = BUF_INIT(SENTENCE_MAX);
	struct error err;

	buf_addf(&sentence, "%s %s", where, what);
	if (hint)
		buf_addf(&sentence, ": %s", hint);
	if (outcome->code > 0) {
		buf_addf(&sentence, " (it said: %d", outcome->code);
		buf_add_str(&sentence, outcome->enhanced[0] ? " " : "");
		buf_add_str(&sentence, outcome->enhanced);
		buf_add_str(&sentence, outcome->reply[0] ? " " : "");
		buf_addf(&sentence, "%s)", outcome->reply);
	}
	/* It cuts at a character. */
	error_set(&err, ERROR_NONE, "%s", buf_str(&sentence));
	memcpy(outcome->sentence, err.message, sizeof(outcome->sentence));
}

/* A refusal of MAIL that is about this message, not about the sender. */
static bool is_about_message(const struct smtp_reply *reply)
{
	return reply->code == 552 || !strcmp(reply->enhanced, "5.3.4") ||
	       !strncmp(reply->enhanced, "5.6.", 4);
}

static enum smtp_verdict find_verdict(enum smtp_stage stage,
                                      const struct smtp_reply *reply)
{
	int class = reply->code / 100;

	if (class == 4)
		return SMTP_DEFERRED;
	if (class != 5)
		return stage == SMTP_STAGE_DOT ? SMTP_UNKNOWN : SMTP_DEFERRED;
	if (reply->code == 530)
		return SMTP_RELAY;
	if (stage == SMTP_STAGE_MAIL && !is_about_message(reply))
		return SMTP_RELAY;
	return SMTP_FAILED;
}

/* RFC 3463, sections 3.2 and 3.3, and for servers without such codes. */
bool smtp_is_about_mailbox(int code, const char *enhanced)
{
	if (code / 100 != 5 || !strcmp(enhanced, "5.1.7") ||
	    !strcmp(enhanced, "5.1.8"))
		return false;
	if (enhanced[0])
		return !strncmp(enhanced, "5.1.", 4) ||
		       !strncmp(enhanced, "5.2.", 4);
	return code == 550 || code == 551 || code == 553;
}

/* Behind RCPT, a bare 550 may be about anything. */
static bool is_bad_recipient(enum smtp_stage stage,
                             const struct smtp_reply *reply)
{
	return (stage == SMTP_STAGE_RCPT ||
	        (stage > SMTP_STAGE_RCPT && reply->enhanced[0])) &&
	       smtp_is_about_mailbox(reply->code, reply->enhanced);
}

static const char *say_refused(const struct smtp_outcome *outcome)
{
	if (outcome->verdict == SMTP_RELAY)
		return outcome->code == 530 ? "wants a login or TLS first"
		                            : "refuses the sender";
	return outcome->stage == SMTP_STAGE_RCPT ? "refuses the recipient"
	                                         : "refuses the message";
}

static const char *say_what(const struct smtp_outcome *outcome)
{
	switch (outcome->verdict) {
	case SMTP_SENT:
		return "took the message";
	case SMTP_DEFERRED:
		return outcome->code / 100 == 4 ? "cannot take the message now"
		                                : "answered out of turn";
	case SMTP_FAILED:
	case SMTP_RELAY:
		return say_refused(outcome);
	case SMTP_UNKNOWN:
		return "gave no clear answer to the message";
	}
	return "";
}

static const char *say_hint(const struct smtp_outcome *outcome)
{
	switch (outcome->verdict) {
	case SMTP_SENT:
	case SMTP_FAILED:
		return NULL;
	case SMTP_DEFERRED:
		return "it was not sent; the same may work later";
	case SMTP_RELAY:
		return outcome->code == 530
		               ? "check smtp.username, smtp.password_file and "
		                 "smtp.tls"
		               : "check sender.from, and that this login may "
		                 "send for it";
	case SMTP_UNKNOWN:
		return "it may have arrived";
	}
	return NULL;
}

void smtp_judge_reply(struct smtp_outcome *outcome, enum smtp_stage stage,
                      const struct smtp_reply *reply, const char *where)
{
	int class = reply->code / 100;

	*outcome = (struct smtp_outcome){.stage = stage};
	smtp_quote(outcome, reply);
	outcome->bad_recipient = is_bad_recipient(stage, reply);
	if (smtp_reply_accepts(reply, stage))
		outcome->verdict = SMTP_SENT;
	else
		outcome->verdict = find_verdict(stage, reply);
	outcome->closed = outcome->verdict != SMTP_SENT &&
	                  (reply->code == 421 || (class != 4 && class != 5));
	smtp_say(outcome, where, say_what(outcome), say_hint(outcome));
}
