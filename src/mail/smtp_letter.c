/* Is a message fit to be sent, and with which commands? */

#include "smtp_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "mail/address.h"

#define CRLF "\r\n"

/* What a letter's 8-bit bytes ask of the server. */
struct needs {
	bool utf8;
	bool eight_bit;
};

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

/* RFC 6531 for addresses and header fields, RFC 6152 for the body. */
static struct needs find_needs(const struct smtp_letter *letter)
{
	struct needs needs = {
		.utf8 = smtp_has_8bit(span_of(letter->from)) ||
	                smtp_has_8bit(span_of(letter->to)),
		.eight_bit = smtp_has_8bit(letter->message),
	};

	if (needs.eight_bit)
		needs.utf8 |= smtp_has_8bit(
			span_first(letter->message,
		                   span_find(letter->message, CRLF CRLF)));
	return needs;
}

static int check_needs(const struct smtp_session *session,
                       const struct needs *needs, struct error *err)
{
	if (needs->utf8 && !session->means.utf8)
		return error_set(err, ERROR_PERMANENT,
		                 "the address needs SMTPUTF8, which %s does "
		                 "not offer",
		                 session->where);
	if (needs->eight_bit && !session->means.eight_bit)
		return error_set(err, ERROR_PERMANENT,
		                 "the message needs 8BITMIME, which %s does "
		                 "not offer",
		                 session->where);
	return 0;
}

static int check_size(const struct smtp_session *session, struct error *err)
{
	uint64_t most = session->means.max_bytes;

	if (most > 0 && session->message.len > most)
		return error_set(err, ERROR_LIMIT,
		                 "the message has %zu bytes, and %s takes at "
		                 "most %" PRIu64,
		                 session->message.len, session->where, most);
	return 0;
}

void smtp_add_step(struct smtp_session *session, enum smtp_command command,
                   const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_addv(&session->out, fmt, args);
	va_end(args);
	buf_add_str(&session->out, CRLF);
	session->steps[session->n_steps++] =
		(struct smtp_step){command, session->out.len};
}

static void add_commands(struct smtp_session *session,
                         const struct smtp_letter *letter,
                         const struct needs *needs)
{
	char size[sizeof(" SIZE=18446744073709551615")] = "";

	if (session->needs_reset)
		smtp_add_step(session, SMTP_COMMAND_RSET, "RSET");
	if (session->means.size)
		snprintf(size, sizeof(size), " SIZE=%zu", letter->message.len);
	smtp_add_step(session, SMTP_COMMAND_MAIL, "MAIL FROM:<%s>%s%s%s",
	              letter->from, size,
	              needs->eight_bit ? " BODY=8BITMIME" : "",
	              needs->utf8 ? " SMTPUTF8" : "");
	smtp_add_step(session, SMTP_COMMAND_RCPT, "RCPT TO:<%s>", letter->to);
	smtp_add_step(session, SMTP_COMMAND_DATA, "DATA");
}

static int check_letter(struct smtp_session *session,
                        const struct smtp_letter *letter,
                        const struct needs *needs, struct error *err)
{
	int body;

	if (check_envelope(letter->from, err) < 0 ||
	    check_envelope(letter->to, err) < 0)
		return -1;
	body = smtp_check_body(letter->message, err);
	if (body < 0 || check_size(session, err) < 0 ||
	    check_needs(session, needs, err) < 0)
		return -1;
	session->is_dotted = body == SMTP_BODY_DOTTED;
	return 0;
}

void smtp_begin_letter(struct smtp_session *session,
                       const struct smtp_letter *letter)
{
	struct needs needs = find_needs(letter);

	session->fault.kind = ERROR_NONE;
	session->message = letter->message;
	session->n_steps = 0;
	session->n_answered = 0;
	session->is_sender_taken = false;
	session->is_recipient_taken = false;
	session->is_refused = false;
	if (check_letter(session, letter, &needs, &session->fault) < 0)
		return;
	add_commands(session, letter, &needs);
	session->needs_reset = false;
}
