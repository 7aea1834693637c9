#include "smtp_private.h"

#include "base/limits.h"
#include "base/num.h"
#include "mail_private.h"

#define CODE_DIGITS 3

void smtp_reply_fini(struct smtp_reply *reply)
{
	buf_fini(&reply->text);
}

void smtp_reply_reset(struct smtp_reply *reply)
{
	reply->code = 0;
	reply->n_lines = 0;
	reply->enhanced[0] = '\0';
	reply->text.max = SMTP_REPLY_TEXT_MAX - 1;
	buf_clear(&reply->text);
}

/* RFC 5321, section 4.2: %x32-35 %x30-35 %x30-39. */
static bool read_code(struct span line, int *ret_code)
{
	uint64_t code;

	if (!num_parse(span_first(line, CODE_DIGITS), 200, 599, &code))
		return false;
	*ret_code = (int)code;
	return line.len == CODE_DIGITS || line.ptr[CODE_DIGITS] == ' ' ||
	       line.ptr[CODE_DIGITS] == '-';
}

size_t smtp_enhanced_len(struct span text, int class)
{
	struct span code = span_first(text, span_find(text, " "));
	struct span rest = code;
	struct span part;
	uint64_t value;
	size_t n = 0;

	while (rest.ptr && span_split(&rest, '.', &part)) {
		if (part.len > 3 || !num_parse(part, 0, 999, &value) ||
		    (n == 0 && value != (uint64_t) class))
			return 0;
		n++;
	}
	return n == 3 && code.len < SMTP_ENHANCED_MAX ? code.len : 0;
}

/* Each line may repeat the enhanced code; it is kept once, off the words. */
static void add_words(struct smtp_reply *reply, struct span text)
{
	size_t len = smtp_enhanced_len(text, reply->code / 100);

	if (len > 0 && reply->n_lines == 0) {
		memcpy(reply->enhanced, text.ptr, len);
		reply->enhanced[len] = '\0';
	}
	if (len > 0 && span_is(span_first(text, len), reply->enhanced))
		text = span_skip(text, len);
	mail_add_one_line(&reply->text, text);
}

static int add_line(struct smtp_reply *reply, struct span line,
                    struct error *err)
{
	int code;

	if (!read_code(line, &code))
		return error_set(err, ERROR_SYNTAX, "no reply code");
	if (reply->n_lines > 0 && code != reply->code)
		return error_set(err, ERROR_SYNTAX,
		                 "codes %d and %d in one reply", reply->code,
		                 code);
	if (reply->n_lines == LIMIT_SMTP_REPLY_LINES)
		return error_set(err, ERROR_LIMIT, "more than %u lines",
		                 LIMIT_SMTP_REPLY_LINES);

	reply->code = code;
	if (line.len > CODE_DIGITS)
		add_words(reply, span_skip(line, CODE_DIGITS + 1));
	reply->n_lines++;
	if (line.len > CODE_DIGITS && line.ptr[CODE_DIGITS] == '-')
		return SMTP_REPLY_MORE;
	return SMTP_REPLY_COMPLETE;
}

int smtp_reply_read(struct smtp_reply *reply, struct span *rest,
                    struct error *err)
{
	int state = SMTP_REPLY_MORE;

	while (state == SMTP_REPLY_MORE) {
		size_t end = span_find(*rest, "\n");
		struct span line = span_first(*rest, end);

		if (end > LIMIT_SMTP_LINE_BYTES)
			return error_set(err, ERROR_LIMIT,
			                 "a line longer than %u bytes",
			                 LIMIT_SMTP_LINE_BYTES);
		if (end == rest->len)
			return SMTP_REPLY_MORE;
		*rest = span_skip(*rest, end + 1);
		if (span_ends(line, "\r"))
			line.len--;
		state = add_line(reply, line, err);
	}
	return state;
}

bool smtp_reply_accepts(const struct smtp_reply *reply, enum smtp_stage stage)
{
	switch (stage) {
	case SMTP_STAGE_MAIL:
	case SMTP_STAGE_RCPT:
		return reply->code / 100 == 2;
	case SMTP_STAGE_DATA:
		return reply->code == 354;
	case SMTP_STAGE_DOT:
		return reply->code == 250;
	case SMTP_STAGE_CONNECT:
	case SMTP_STAGE_LOGIN:
	case SMTP_STAGE_BODY:
		return false;
	}
	return false;
}
