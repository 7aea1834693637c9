/* A message's way into DATA: pure. */

#include "smtp_private.h"

#include "base/limits.h"

#define CRLF "\r\n"
/* RFC 5321, section 4.5.3.1.6, without CRLF. */
#define TEXT_LINE_BYTES 998

static const char *find_bad_line(struct span line)
{
	if (!span_ends(line, "\r"))
		return "has a bare LF";
	line.len--;
	if (line.len == 0)
		return NULL;
	if (memchr(line.ptr, '\r', line.len))
		return "has a bare CR";
	if (memchr(line.ptr, '\0', line.len))
		return "has a NUL";
	return line.len > TEXT_LINE_BYTES ? "is longer than 998 bytes" : NULL;
}

int smtp_check_body(struct span message, struct error *err)
{
	struct span line;
	size_t number = 1;

	if (message.len > LIMIT_MESSAGE_BYTES)
		return error_set(err, ERROR_LIMIT,
		                 "the message is longer than %u bytes",
		                 LIMIT_MESSAGE_BYTES);
	if (!span_ends(message, CRLF))
		return error_set(err, ERROR_SYNTAX,
		                 "the message does not end in CRLF");

	for (; span_split(&message, '\n', &line) && message.ptr; number++) {
		const char *why = find_bad_line(line);

		if (why)
			return error_set(err, ERROR_SYNTAX,
			                 "the message's line %zu %s", number,
			                 why);
	}
	return 0;
}

void smtp_add_body(struct buf *out, struct span message)
{
	struct span line;

	while (span_split(&message, '\n', &line) && message.ptr) {
		if (line.ptr[0] == '.')
			buf_add_char(out, '.');
		buf_add(out, line.ptr, line.len + 1);
	}
	buf_add_str(out, "." CRLF);
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
