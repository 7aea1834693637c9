#include "mail/bounce.h"

#include <strings.h>

#include <gmime/gmime.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "mail/address.h"
#include "mail_private.h"
#include "smtp_private.h"

#define VERP_MARK "+bounce-"
/* RFC 5321, section 4.5.3.1.3: a path. */
#define ADDRESS_MAX_BYTES 320
#define MESSAGE_ID_MAX_BYTES 998
#define CODE_DIGITS 3
/* A mail of ours has one recipient; a list behind it has more. */
#define MAX_BLOCKS 1000

OWNED_DEFINE(stream, GMimeStream, g_object_unref);
OWNED_DEFINE(parser, GMimeParser, g_object_unref);
OWNED_DEFINE(message, GMimeMessage, g_object_unref);

void mail_bounce_fini(struct mail_bounce *bounce)
{
	free(bounce->recipient);
	free(bounce->words);
	free(bounce->message_id);
	free(bounce->token);
	*bounce = (struct mail_bounce){0};
}

/* The caller owns it; NULL if there is none in it. */
static GMimeMessage *parse(struct span text)
{
	owned(stream) GMimeStream *stream = g_mime_stream_mem_new_with_buffer(
		text.len ? text.ptr : "", text.len);
	owned(parser) GMimeParser *parser =
		g_mime_parser_new_with_stream(stream);

	return g_mime_parser_construct_message(parser, NULL);
}

/* One line of at most `max` bytes; NULL if nothing is left. */
static char *clean(const char *text, size_t max)
{
	owned(buf) struct buf line = BUF_INIT(max);

	mail_add_one_line(&line, span_of(text));
	return line.len > 0 ? mem_dup(buf_str(&line)) : NULL;
}

static const char *get_field(GMimeMessage *message, const char *name)
{
	return g_mime_object_get_header(GMIME_OBJECT(message), name);
}

/* ---- VERP ---- */

static bool is_token(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!g_ascii_isalnum(text.ptr[i]))
			return false;
	return text.len > 0;
}

static char *write_verp(const char *address, const char *token)
{
	size_t local = strcspn(address, "@");

	return mem_printf("%.*s" VERP_MARK "%s%s", (int)local, address, token,
	                  address + local);
}

int mail_verp_sender(char **ret_address, const char *sender, const char *token,
                     struct error *err)
{
	owned(mem) char *plain = NULL;
	owned(mem) char *verp = NULL;

	if (!is_token(span_of(token)))
		return error_set(err, ERROR_SYNTAX,
		                 "a token is letters and digits only");
	if (mail_address_for_smtp(&plain, span_of(sender), err) < 0)
		return -1;
	verp = write_verp(plain, token);
	return mail_address_for_smtp(ret_address, span_of(verp), err);
}

/*
 * The token in an address; NULL if it is not one of the sender's. Servers may
 * have changed the case of the local part.
 */
static char *find_token(const char *address, const char *sender)
{
	size_t local = strcspn(sender, "@");
	size_t mark = local + strlen(VERP_MARK);
	size_t len = strcspn(address, "@");
	char *token;

	if (len <= mark || strncasecmp(address, sender, local) != 0 ||
	    strncasecmp(address + local, VERP_MARK, strlen(VERP_MARK)) != 0 ||
	    strcasecmp(address + len, sender + local) != 0 ||
	    !is_token((struct span){address + mark, len - mark}))
		return NULL;
	token = mem_dup_span((struct span){address + mark, len - mark});
	for (char *c = token; *c; c++)
		*c = g_ascii_tolower(*c);
	return token;
}

static char *find_token_in_list(const char *field, const char *sender)
{
	InternetAddressList *list =
		internet_address_list_parse(NULL, field ? field : "");
	int n = list ? internet_address_list_length(list) : 0;
	char *token = NULL;

	for (int i = 0; i < n && !token; i++) {
		InternetAddress *each =
			internet_address_list_get_address(list, i);

		if (INTERNET_ADDRESS_IS_MAILBOX(each))
			token = find_token(
				internet_address_mailbox_get_idn_addr(
					INTERNET_ADDRESS_MAILBOX(each)),
				sender);
	}
	g_clear_object(&list);
	return token;
}

static bool names_recipient(const char *name)
{
	static const char *const names[] = {"Delivered-To", "X-Original-To",
	                                    "Envelope-To", "To"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcasecmp(name, names[i]))
			return true;
	return false;
}

/* Fields that name a recipient occur more than once: one for each hop. */
static char *read_token(GMimeMessage *mail, const char *sender)
{
	GMimeHeaderList *fields =
		g_mime_object_get_header_list(GMIME_OBJECT(mail));
	int n = g_mime_header_list_get_count(fields);
	char *token = NULL;

	for (int i = 0; i < n && !token; i++) {
		GMimeHeader *field =
			g_mime_header_list_get_header_at(fields, i);

		if (names_recipient(g_mime_header_get_name(field)))
			token = find_token_in_list(
				g_mime_header_get_value(field), sender);
	}
	return token;
}

/* ---- the parts of a report ---- */

struct report {
	GMimeMessage *mail;
	GMimeObject *status;   /* its second part; NULL: none */
	GMimeObject *returned; /* what came back; NULL: nothing */
};

static bool is_type(GMimeObject *part, const char *type, const char *subtype)
{
	return g_mime_content_type_is_type(g_mime_object_get_content_type(part),
	                                   type, subtype);
}

static bool is_returned(GMimeObject *part)
{
	return is_type(part, "message", "rfc822") ||
	       is_type(part, "message", "global") ||
	       is_type(part, "text", "rfc822-headers") ||
	       is_type(part, "message", "rfc822-headers") ||
	       is_type(part, "message", "global-headers");
}

static void take_parts(struct report *report, GMimeMultipart *multipart)
{
	int n = g_mime_multipart_get_count(multipart);

	for (int i = 0; i < n; i++) {
		GMimeObject *part = g_mime_multipart_get_part(multipart, i);

		if (!report->status &&
		    (is_type(part, "message", "delivery-status") ||
		     is_type(part, "message", "global-delivery-status")))
			report->status = part;
		else if (!report->returned && is_returned(part))
			report->returned = part;
	}
}

static int refuse_type(GMimeObject *top, struct error *err)
{
	const char *kind =
		g_mime_object_get_content_type_parameter(top, "report-type");
	owned(mem) char *type = NULL;
	char *mime;

	if (is_type(top, "multipart", "report")) {
		type = kind ? clean(kind, 100) : NULL;
		return error_set(err, ERROR_SYNTAX,
		                 "it is a report of another kind: %s",
		                 type ? type : "none is named");
	}
	mime = g_mime_content_type_get_mime_type(
		g_mime_object_get_content_type(top));
	type = clean(mime, 100);
	g_free(mime);
	return error_set(err, ERROR_SYNTAX,
	                 "it is no delivery status notification but %s",
	                 type ? type : "of no known type");
}

/* Some say multipart/report without the kind. */
static int find_parts(struct report *report, struct error *err)
{
	GMimeObject *top = g_mime_message_get_mime_part(report->mail);
	const char *kind;

	if (!top)
		return error_set(err, ERROR_SYNTAX, "it has no body");
	kind = g_mime_object_get_content_type_parameter(top, "report-type");
	if (!is_type(top, "multipart", "report") || !GMIME_IS_MULTIPART(top) ||
	    (kind && strcasecmp(kind, "delivery-status") != 0))
		return refuse_type(top, err);
	take_parts(report, GMIME_MULTIPART(top));
	if (!report->status)
		return kind ? error_set(err, ERROR_SYNTAX,
		                        "it has no part that says what became "
		                        "of the mail")
		            : refuse_type(top, err);
	return 0;
}

/* A part's content, decoded. */
static void read_content(struct buf *out, GMimeObject *part)
{
	owned(stream) GMimeStream *stream = g_mime_stream_mem_new();
	GMimeDataWrapper *content =
		GMIME_IS_PART(part) ? g_mime_part_get_content(GMIME_PART(part))
				    : NULL;
	const GByteArray *bytes;

	if (content)
		g_mime_data_wrapper_write_to_stream(content, stream);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	buf_add(out, bytes->data, bytes->len);
}

/* ---- what became of a recipient: RFC 3464, section 2.3 ---- */

static bool read_action(const char *text, enum mail_bounce_action *ret_action)
{
	static const struct {
		const char *word;
		enum mail_bounce_action action;
	} actions[] = {
		{"failed", MAIL_BOUNCE_FAILED},
		{"delayed", MAIL_BOUNCE_DELAYED},
		{"delivered", MAIL_BOUNCE_DELIVERED},
		{"relayed", MAIL_BOUNCE_DELIVERED},
		{"expanded", MAIL_BOUNCE_DELIVERED},
	};
	size_t len;

	text += strspn(text, " \t");
	len = strcspn(text, " \t\r\n(;");
	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
		if (len == strlen(actions[i].word) &&
		    !strncasecmp(text, actions[i].word, len)) {
			*ret_action = actions[i].action;
			return true;
		}
	return false;
}

/* The value behind `type;`, as "rfc822; ada@example.org". */
static struct span skip_type(const char *field)
{
	struct span text = span_of(field);
	size_t type = span_find(text, ";");

	if (type < text.len)
		text = span_skip(text, type + 1);
	return span_trim(text);
}

static char *read_address(const char *field)
{
	struct span text = field ? skip_type(field) : SPAN_NONE;
	owned(mem) char *copy = NULL;

	if (span_starts(text, "<") && span_ends(text, ">"))
		text = span_skip(span_first(text, text.len - 1), 1);
	copy = mem_dup_span(text);
	return clean(copy, ADDRESS_MAX_BYTES);
}

static void take_status(struct mail_bounce *bounce, struct span text)
{
	size_t len = 0;

	if (span_starts(text, "2.") || span_starts(text, "4.") ||
	    span_starts(text, "5."))
		len = smtp_enhanced_len(text, text.ptr[0] - '0');
	if (len == 0 || len >= sizeof(bounce->status))
		return;
	memcpy(bounce->status, text.ptr, len);
	bounce->status[len] = '\0';
}

/* "5.0.0" says nothing: what the last server said may say more. */
static bool is_vague(const char *status)
{
	return status[0] == '\0' || !strcmp(status + 1, ".0.0");
}

/* Returns the reply code in the server's words, 0 if there is none. */
static int take_words(struct mail_bounce *bounce, struct span words)
{
	owned(mem) char *copy = mem_dup_span(words);
	uint64_t code = 0;

	bounce->words = clean(copy, SMTP_REPLY_TEXT_MAX - 1);
	if (!num_parse(span_first(words, CODE_DIGITS), 200, 559, &code))
		return 0;
	words = span_skip(words, CODE_DIGITS);
	while (span_starts(words, " ") || span_starts(words, "-"))
		words = span_skip(words, 1);
	if (is_vague(bounce->status))
		take_status(bounce, words);
	return (int)code;
}

static bool read_recipient(struct mail_bounce *bounce, GMimeMessage *fields)
{
	const char *action = get_field(fields, "Action");
	const char *status = get_field(fields, "Status");
	const char *words;
	int code;

	if (!action || !read_action(action, &bounce->action))
		return false;
	if (status)
		take_status(bounce, span_trim(span_of(status)));
	bounce->recipient = read_address(get_field(fields, "Final-Recipient"));
	if (!bounce->recipient)
		bounce->recipient =
			read_address(get_field(fields, "Original-Recipient"));
	words = get_field(fields, "Diagnostic-Code");
	code = words ? take_words(bounce, skip_type(words)) : 0;
	if (code == 0 && bounce->status[0] == '5')
		code = 500;
	bounce->bad_recipient =
		bounce->action == MAIL_BOUNCE_FAILED &&
		smtp_is_about_mailbox(
			code, is_vague(bounce->status) ? "" : bounce->status);
	return true;
}

/* The next block of fields: lines up to an empty one. */
static struct span take_block(struct span *rest)
{
	struct span block = SPAN_NONE;
	struct span line;

	while (rest->ptr && span_split(rest, '\n', &line)) {
		bool is_empty = span_trim(line).len == 0;

		if (is_empty && block.ptr)
			break;
		if (!is_empty && !block.ptr)
			block.ptr = line.ptr;
		if (block.ptr)
			block.len = (size_t)(line.ptr + line.len - block.ptr);
	}
	return block;
}

/* The first recipient that failed, or else the first one. */
static void read_recipients(struct mail_bounce *bounce, struct span status,
                            bool *ret_found)
{
	for (int n = 0; status.ptr && n < MAX_BLOCKS; n++) {
		struct span block = take_block(&status);
		owned(message) GMimeMessage *fields =
			block.len > 0 ? parse(block) : NULL;
		struct mail_bounce each = {0};

		if (!fields || !read_recipient(&each, fields))
			continue;
		if (!*ret_found || (each.action == MAIL_BOUNCE_FAILED &&
		                    bounce->action != MAIL_BOUNCE_FAILED)) {
			mail_bounce_fini(bounce);
			*bounce = each;
		} else {
			mail_bounce_fini(&each);
		}
		*ret_found = true;
	}
}

static int read_status(struct mail_bounce *bounce, GMimeObject *part,
                       struct error *err)
{
	owned(buf) struct buf status = BUF_INIT(LIMIT_BOUNCE_BYTES);
	bool is_found = false;

	read_content(&status, part);
	if (status.len > 0)
		read_recipients(bounce, buf_span(&status), &is_found);
	if (!is_found)
		return error_set(err, ERROR_SYNTAX,
		                 "it does not say what became of any "
		                 "recipient");
	return 0;
}

/* ---- which mail it was ---- */

static char *read_id(GMimeMessage *message)
{
	const char *id = g_mime_message_get_message_id(message);

	return id ? clean(id, MESSAGE_ID_MAX_BYTES) : NULL;
}

static char *read_returned_id(GMimeObject *part)
{
	owned(buf) struct buf content = BUF_INIT(LIMIT_BOUNCE_BYTES);
	owned(message) GMimeMessage *returned = NULL;

	if (GMIME_IS_MESSAGE_PART(part)) {
		GMimeMessage *inner = g_mime_message_part_get_message(
			GMIME_MESSAGE_PART(part));

		return inner ? read_id(inner) : NULL;
	}
	read_content(&content, part);
	if (content.len > 0)
		returned = parse(buf_span(&content));
	return returned ? read_id(returned) : NULL;
}

/* Some return nothing, but answer to the mail. */
static char *read_answered_id(GMimeMessage *mail)
{
	const char *field = get_field(mail, "In-Reply-To");
	char *id = field ? g_mime_utils_decode_message_id(field) : NULL;
	char *copy = id ? clean(id, MESSAGE_ID_MAX_BYTES) : NULL;

	g_free(id);
	return copy;
}

static int read_bounce(struct mail_bounce *bounce, struct span mail,
                       const char *sender, struct error *err)
{
	owned(message) GMimeMessage *message = parse(mail);
	struct report report = {.mail = message};

	if (!message)
		return error_set(err, ERROR_SYNTAX, "it is no mail");
	if (find_parts(&report, err) < 0 ||
	    read_status(bounce, report.status, err) < 0)
		return -1;
	if (report.returned)
		bounce->message_id = read_returned_id(report.returned);
	if (!bounce->message_id)
		bounce->message_id = read_answered_id(message);
	bounce->token = read_token(message, sender);
	return 0;
}

int mail_bounce_read(struct mail_bounce *ret_bounce, struct span mail,
                     const char *sender, struct error *err)
{
	owned(mail_bounce) struct mail_bounce bounce = {0};
	owned(mem) char *for_smtp = NULL;
	int rc;

	if (mail.len > LIMIT_BOUNCE_BYTES)
		return error_set(err, ERROR_LIMIT, "it is longer than %u bytes",
		                 LIMIT_BOUNCE_BYTES);
	if (mail_address_for_smtp(&for_smtp, span_of(sender), err) < 0)
		return -1;
	/* Once is enough, and GMime 3.2 does not survive a second life. */
	g_mime_init();
	rc = read_bounce(&bounce, mail, for_smtp, err);
	if (rc == 0) {
		*ret_bounce = bounce;
		bounce = (struct mail_bounce){0};
	}
	return rc;
}
