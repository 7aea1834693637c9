/* A message's way into DATA: pure. */

#include "smtp_private.h"

#include "base/limits.h"

#define CRLF "\r\n"
/* RFC 5321, section 4.5.3.1.6, without CRLF. */
#define TEXT_LINE_BYTES 998

/* `line` ends in LF and holds no other. */
static const char *find_bad_line(struct span line)
{
	size_t len = line.len - strlen(CRLF);

	if (line.len < strlen(CRLF) || line.ptr[len] != '\r')
		return "has a bare LF";
	if (memchr(line.ptr, '\r', len))
		return "has a bare CR";
	return len > TEXT_LINE_BYTES ? "is longer than 998 bytes" : NULL;
}

/* The first line of a text that ends in LF, with it. */
static struct span first_line(struct span text)
{
	const char *end = memchr(text.ptr, '\n', text.len);

	return span_first(text, end ? (size_t)(end - text.ptr) + 1 : text.len);
}

static int check_whole(struct span message, struct error *err)
{
	if (message.len > LIMIT_MESSAGE_BYTES)
		return error_set(err, ERROR_LIMIT,
		                 "the message is longer than %u bytes",
		                 LIMIT_MESSAGE_BYTES);
	if (!span_ends(message, CRLF))
		return error_set(err, ERROR_SYNTAX,
		                 "the message does not end in CRLF");
	if (memchr(message.ptr, '\0', message.len))
		return error_set(err, ERROR_SYNTAX, "the message has a NUL");
	return 0;
}

int smtp_check_body(struct span message, struct error *err)
{
	int outcome = SMTP_BODY_PLAIN;
	struct span line;
	size_t number = 1;

	if (check_whole(message, err) < 0)
		return -1;
	for (; message.len > 0; message = span_skip(message, line.len)) {
		const char *why;

		line = first_line(message);
		why = find_bad_line(line);
		if (why)
			return error_set(err, ERROR_SYNTAX,
			                 "the message's line %zu %s", number,
			                 why);
		if (line.ptr[0] == '.')
			outcome = SMTP_BODY_DOTTED;
		number++;
	}
	return outcome;
}

/* Copies from one line that begins with a dot to the next. */
void smtp_add_stuffed(struct buf *out, struct span message)
{
	struct span rest = message;

	while (rest.len > 0) {
		if (rest.ptr[0] == '.') {
			buf_add(out, message.ptr, message.len - rest.len);
			buf_add_char(out, '.');
			message = rest;
		}
		rest = span_skip(rest, first_line(rest).len);
	}
	buf_add_span(out, message);
}

/* Eight bytes at a time: every message is looked through. */
bool smtp_has_8bit(struct span text)
{
	uint64_t all = 0;
	uint64_t word;

	for (; text.len >= sizeof(word); text = span_skip(text, sizeof(word))) {
		memcpy(&word, text.ptr, sizeof(word));
		all |= word;
	}
	for (; text.len > 0; text = span_skip(text, 1))
		all |= (unsigned char)text.ptr[0];
	return all & 0x8080808080808080U;
}
