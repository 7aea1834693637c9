#include "mail/message.h"

#include <assert.h>

#include <gmime/gmime.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/quoted.h"
#include "base/random.h"
#include "encode_private.h"
#include "mail_private.h"

/* Enough of the Message-ID to be unique; RFC 2046 allows 70 in all. */
#define BOUNDARY_ID_BYTES 60
#define MESSAGE_ID_RANDOM_BYTES 16
/* What stands around the parts is less. */
#define FRAME_BYTES 1024

void mail_sender_fini(struct mail_sender *sender)
{
	mail_mailbox_fini(&sender->from);
	free(sender->reply_to);
	free(sender->admin);
	free(sender->unsubscribe);
	free(sender->list_id);
	*sender = (struct mail_sender){0};
}

/* The address of a config that was checked. */
static char *address_for_smtp(const char *address)
{
	struct error err;
	char *for_smtp = NULL;
	int rc = mail_address_for_smtp(&for_smtp, span_of(address), &err);

	assert(rc == 0);
	(void)rc;
	return for_smtp;
}

char *mail_new_message_id(const struct mail_sender *sender)
{
	owned(mem) char *from = address_for_smtp(sender->from.address);
	char id[2 * MESSAGE_ID_RANDOM_BYTES + 1];

	random_hex(id, MESSAGE_ID_RANDOM_BYTES);
	return mem_printf("%s%s", id, strchr(from, '@'));
}

/* ---- header ---- */

/* A value that goes into its field as it is. */
static int check_token(const char *what, const char *value, struct error *err)
{
	for (const char *c = value; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '<' || *c == '>')
			return error_set(err, ERROR_SYNTAX,
			                 "%s holds a character that is not "
			                 "allowed in it",
			                 what);
	return 0;
}

static int check_tokens(const struct mail_message *message, struct error *err)
{
	if (check_token("the Message-ID", message->message_id, err) < 0 ||
	    check_token("the language", message->language, err) < 0 ||
	    check_token("the unsubscribe URL", message->sender->unsubscribe,
	                err) < 0 ||
	    check_token("the list id", message->sender->list_id, err) < 0)
		return -1;
	return 0;
}

static int add_mailbox(struct buf *out, const char *field, const char *display,
                       const char *address, struct error *err)
{
	owned(mem) char *for_smtp = NULL;

	if (mail_address_for_smtp(&for_smtp, span_of(address), err) < 0)
		return error_prefix(err, "%s", field);
	mail_add_mailbox_field(out, field, span_of(display), for_smtp);
	return 0;
}

/* In whole minutes, so that time and zone say the same. */
static int add_date(struct buf *out, const struct mail_message *message,
                    struct error *err)
{
	int32_t offset_sec =
		message->utc_offset_sec - message->utc_offset_sec % 60;
	GTimeZone *zone = g_time_zone_new_offset(offset_sec);
	GDateTime *utc = g_date_time_new_from_unix_utc(message->date);
	GDateTime *local = utc ? g_date_time_to_timezone(utc, zone) : NULL;
	char *date = local ? g_mime_utils_header_format_date(local) : NULL;

	if (date)
		mail_add_raw_field(out, "Date", date);
	g_free(date);
	g_clear_pointer(&local, g_date_time_unref);
	g_clear_pointer(&utc, g_date_time_unref);
	g_time_zone_unref(zone);
	return date ? 0 : error_set(err, ERROR_LIMIT, "Date: out of range");
}

static void add_list_fields(struct buf *out, const struct mail_sender *sender)
{
	mail_add_mailbox_field(out, "List-Id", span_of(sender->from.name),
	                       sender->list_id);
	mail_add_mailbox_field(out, "List-Unsubscribe", SPAN_NONE,
	                       sender->unsubscribe);
	/* RFC 8058: only beside an https URL. */
	if (span_starts(span_of(sender->unsubscribe), "https:"))
		mail_add_raw_field(out, "List-Unsubscribe-Post",
		                   "List-Unsubscribe=One-Click");
}

static int add_header(struct buf *out, const struct mail_message *message,
                      struct error *err)
{
	const struct mail_sender *sender = message->sender;

	if (check_tokens(message, err) < 0 || add_date(out, message, err) < 0 ||
	    add_mailbox(out, "From", sender->from.name, sender->from.address,
	                err) < 0)
		return -1;
	if (sender->reply_to &&
	    add_mailbox(out, "Reply-To", NULL, sender->reply_to, err) < 0)
		return -1;
	if (add_mailbox(out, "To", message->to_name, message->to_address, err) <
	    0)
		return -1;
	mail_add_text_field(out, "Subject", span_of(message->subject));
	mail_add_mailbox_field(out, "Message-ID", SPAN_NONE,
	                       message->message_id);
	mail_add_raw_field(out, "Content-Language", message->language);
	if (message->html)
		add_list_fields(out, sender);
	mail_add_raw_field(out, "Auto-Submitted", "auto-generated");
	if (message->html)
		mail_add_raw_field(out, "Precedence", "bulk");
	return 0;
}

/* ---- body ---- */

struct part {
	const char *type;
	struct span encoded;
	bool is_base64;
	struct buf own; /* what `encoded` points into if it was made here */
};

static inline void owned_release_part(struct part *part)
{
	buf_fini(&part->own);
}

/* The shorter encoding; mostly that is clear before base64 is made. */
static void encode(struct part *part, struct span text)
{
	owned(buf) struct buf base64 = BUF_INIT(SIZE_MAX / 2);

	part->own = BUF_INIT(SIZE_MAX / 2);
	buf_add_quoted(&part->own,
	               text.len > 0 ? text : (struct span){"\n", 1});
	if (part->own.len > mail_base64_least(text))
		mail_add_base64(&base64, text);
	part->is_base64 = base64.len > 0 && base64.len < part->own.len;
	if (part->is_base64) {
		buf_fini(&part->own);
		part->own = base64;
		base64 = BUF_INIT(base64.max);
	}
	part->encoded = buf_span(&part->own);
}

static void add_part(struct buf *out, const struct part *part)
{
	buf_addf(out, "Content-Type: %s; charset=utf-8\r\n", part->type);
	buf_addf(out, "Content-Transfer-Encoding: %s\r\n\r\n",
	         part->is_base64 ? "base64" : "quoted-printable");
	buf_add_span(out, part->encoded);
	buf_add_str(out, "\r\n");
}

/*
 * "=_" cannot occur in quoted-printable, nor "_" in base64: no part can hold
 * the boundary, whatever the Message-ID.
 */
static void add_boundary(struct buf *out, const char *message_id)
{
	buf_add_str(out, "=_");
	for (const char *c = message_id; *c && *c != '@'; c++)
		if (g_ascii_isalnum(*c) && out->len < BOUNDARY_ID_BYTES)
			buf_add_char(out, *c);
}

static void add_plain_body(struct buf *out, const struct mail_message *message)
{
	owned(part) struct part text = {.type = "text/plain"};

	encode(&text, span_of(message->text));
	buf_add_str(out, "MIME-Version: 1.0\r\n");
	add_part(out, &text);
}

static void add_body(struct buf *out, const struct mail_message *message)
{
	owned(part) struct part text = {"text/plain",
	                                .encoded = span_of(message->text)};
	owned(part) struct part html = {"text/html",
	                                .encoded = span_of(message->html)};
	owned(buf) struct buf boundary = BUF_INIT(BOUNDARY_ID_BYTES);

	if (!message->text_quoted)
		encode(&text, span_of(message->text));
	if (!message->html_quoted)
		encode(&html, span_of(message->html));
	add_boundary(&boundary, message->message_id);
	buf_reserve(out, text.encoded.len + html.encoded.len + FRAME_BYTES);
	buf_add_str(out,
	            "MIME-Version: 1.0\r\n"
	            "Content-Type: multipart/alternative;\r\n");
	buf_addf(out, " boundary=\"%s\"\r\n\r\n", buf_str(&boundary));
	buf_addf(out, "--%s\r\n", buf_str(&boundary));
	add_part(out, &text);
	buf_addf(out, "--%s\r\n", buf_str(&boundary));
	add_part(out, &html);
	buf_addf(out, "--%s--\r\n", buf_str(&boundary));
}

int mail_build(struct buf *out, const struct mail_message *message,
               struct error *err)
{
	owned(buf) struct buf built = BUF_INIT(LIMIT_MESSAGE_BYTES);

	if (add_header(&built, message, err) < 0)
		return -1;
	if (message->html)
		add_body(&built, message);
	else
		add_plain_body(&built, message);
	if (built.failed)
		return error_set(err, ERROR_LIMIT,
		                 "the message is longer than %zu bytes",
		                 built.max);
	if (out->len == 0 && built.len <= out->max) {
		built.max = out->max;
		buf_fini(out);
		*out = built;
		built = BUF_INIT(0);
	} else {
		buf_add_span(out, buf_span(&built));
	}
	return 0;
}

void mail_add_library(struct buf *out)
{
	buf_addf(out, "GMime %u.%u.%u", gmime_major_version,
	         gmime_minor_version, gmime_micro_version);
}
