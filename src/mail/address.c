#include "mail/address.h"

#include <glib.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

/* RFC 5321, section 4.5.3.1; RFC 1035, section 2.3.4. */
#define LOCAL_MAX 64
#define DOMAIN_MAX 255
#define LABEL_MAX 63

/* How much of a bad address an error message repeats, in bytes. */
#define SHOWN_MAX 100

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

/* RFC 5322's atext and RFC 6532's UTF8-non-ascii. */
static bool is_atext(unsigned char c)
{
	return is_alnum(c) || c >= 0x80 ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_ascii(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] >= 0x80)
			return false;
	return true;
}

static size_t count(struct span text, char wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == wanted;
	return n;
}

static int refuse(struct error *err, struct span address, const char *why)
{
	owned(buf) struct buf shown = BUF_INIT(4 * SHOWN_MAX);

	buf_add_terminal(&shown, span_first(address, SHOWN_MAX));
	return error_set(err, ERROR_SYNTAX, "'%s%s' is no address: %s",
	                 buf_str(&shown), address.len > SHOWN_MAX ? "..." : "",
	                 why);
}

/* The functions named find_ give the reason for a refusal, or NULL. */

static const char *find_bad_character(struct span address)
{
	if (!utf8_valid(address))
		return "it is not UTF-8";

	while (address.len > 0) {
		uint32_t c = utf8_next(&address);

		if (utf8_is_control(c))
			return "it holds a control character";
		if (utf8_is_blank(c))
			return "it holds a blank";
		if (c == '<' || c == '>')
			return "it holds < or >; only the address itself "
			       "belongs here";
		if (c == '"')
			return "quoted local parts are not supported";
	}
	return NULL;
}

static const char *find_bad_local(struct span local)
{
	struct span rest = local;
	struct span atom;

	if (local.len == 0)
		return "nothing stands before the '@'";
	if (local.len > LOCAL_MAX)
		return "more than 64 bytes stand before the '@'";

	while (span_split(&rest, '.', &atom)) {
		if (atom.len == 0)
			return "before the '@', dots may only stand between "
			       "other characters";
		for (size_t i = 0; i < atom.len; i++)
			if (!is_atext((unsigned char)atom.ptr[i]))
				return "before the '@', ( ) , : ; [ ] \\ are "
				       "not allowed";
	}
	return NULL;
}

static bool is_ldh_label(struct span label)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.ptr[0] == '-' ||
	    label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!is_alnum((unsigned char)label.ptr[i]) &&
		    label.ptr[i] != '-')
			return false;
	return true;
}

static const char *find_bad_domain(struct span domain)
{
	struct span rest = domain;
	struct span label;

	if (domain.len == 0)
		return "no domain stands behind the '@'";
	if (domain.ptr[0] == '[')
		return "a domain must stand behind the '@', not a number in "
		       "brackets";
	if (domain.len > DOMAIN_MAX)
		return "its domain is longer than 255 bytes";

	while (span_split(&rest, '.', &label))
		if (!is_ldh_label(label))
			return "its domain is none: letters, digits and "
			       "hyphens, joined by dots, are";
	return NULL;
}

/*
 * Appends the domain as A-labels. Compatibility forms become ASCII there (a
 * fullwidth '<' is one), so it is the result that is checked.
 */
static const char *add_ascii_domain(struct buf *out, struct span domain)
{
	owned(mem) char *unicode = NULL;
	owned(mem) char *ascii = NULL;
	const char *why;

	if (is_ascii(domain)) {
		buf_add_span(out, domain);
		return find_bad_domain(domain);
	}
	unicode = mem_dup_span(domain);
	ascii = g_hostname_to_ascii(unicode);
	if (!ascii)
		return "its domain is no internationalized domain name";

	why = find_bad_domain(span_of(ascii));
	buf_add_str(out, ascii);
	return why;
}

struct span mail_address_domain(struct span address)
{
	size_t at = span_find(address, "@");

	return at < address.len ? span_skip(address, at + 1) : SPAN_NONE;
}

bool mail_address_needs_utf8(struct span address)
{
	return !is_ascii(span_first(address, span_find(address, "@")));
}

int mail_address_for_smtp(char **ret_address, struct span address,
                          struct error *err)
{
	owned(buf) struct buf out = BUF_INIT(SIZE_MAX / 2);
	struct span local = span_first(address, span_find(address, "@"));
	const char *why = find_bad_character(address);

	if (!why && address.len == 0)
		why = "it is empty";
	if (!why && count(address, '@') != 1)
		why = local.len == address.len ? "it has no '@' and domain"
		                               : "it has more than one '@'";
	if (!why)
		why = find_bad_local(local);
	if (!why) {
		buf_add_span(&out, local);
		buf_add_char(&out, '@');
		why = add_ascii_domain(&out, mail_address_domain(address));
	}
	if (why)
		return refuse(err, address, why);
	return buf_finish(&out, "the address", ret_address, err);
}

int mail_check_address(struct span address, struct error *err)
{
	owned(mem) char *unused = NULL;

	return mail_address_for_smtp(&unused, address, err);
}

void mail_mailbox_fini(struct mail_mailbox *mailbox)
{
	free(mailbox->name);
	free(mailbox->address);
	*mailbox = (struct mail_mailbox){0};
}

static int check_name(struct span name, struct error *err)
{
	if (name.len > LIMIT_SUBJECT_BYTES)
		return error_set(err, ERROR_LIMIT,
		                 "the name is longer than %u bytes",
		                 LIMIT_SUBJECT_BYTES);
	if (!utf8_valid(name))
		return error_set(err, ERROR_SYNTAX, "the name is not UTF-8");

	while (name.len > 0)
		if (utf8_is_control(utf8_next(&name)))
			return error_set(err, ERROR_SYNTAX,
			                 "the name holds a control character");
	return 0;
}

/* The inside of RFC 5322's quoted-string, without its backslashes. */
static int unquote(struct buf *out, struct span quoted, struct error *err)
{
	while (quoted.len > 0) {
		char c = quoted.ptr[0];

		quoted = span_skip(quoted, 1);
		if (c == '\\' && quoted.len > 0) {
			c = quoted.ptr[0];
			quoted = span_skip(quoted, 1);
		} else if (c == '"' || c == '\\') {
			return error_set(err, ERROR_SYNTAX,
			                 "inside the quoted name, %c needs a "
			                 "backslash before it",
			                 c);
		}
		buf_add_char(out, c);
	}
	return 0;
}

static int read_name(struct buf *out, struct span text, struct error *err)
{
	if (check_name(text, err) < 0)
		return -1;
	if (span_starts(text, "\"")) {
		if (text.len < 2 || !span_ends(text, "\""))
			return error_set(err, ERROR_SYNTAX,
			                 "the name's quotation mark is not "
			                 "closed");
		text = span_skip(span_first(text, text.len - 1), 1);
		return unquote(out, span_trim(text), err);
	}
	if (count(text, '<') + count(text, '>') > 0)
		return error_set(err, ERROR_SYNTAX,
		                 "a name with < or > must stand in quotation "
		                 "marks");
	buf_add_span(out, text);
	return 0;
}

/* Cuts the name off `Name <address>`, leaving the address. */
static void split_mailbox(struct span *text, struct span *ret_name)
{
	const char *angle =
		text->len > 0 ? memrchr(text->ptr, '<', text->len) : NULL;
	size_t before = angle ? (size_t)(angle - text->ptr) : 0;

	if (!angle || !span_ends(*text, ">"))
		return;
	*ret_name = span_trim(span_first(*text, before));
	*text = span_skip(*text, before + 1);
	text->len--;
}

int mail_parse_mailbox(struct mail_mailbox *ret_mailbox, const char *text,
                       struct error *err)
{
	owned(buf) struct buf name = BUF_INIT(LIMIT_SUBJECT_BYTES);
	struct span address = span_trim(span_of(text));
	struct span name_text = SPAN_NONE;
	char *name_str = NULL;

	split_mailbox(&address, &name_text);
	if (read_name(&name, name_text, err) < 0 ||
	    mail_check_address(address, err) < 0)
		return -1;
	if (name.len > 0 && buf_finish(&name, "the name", &name_str, err) < 0)
		return -1;

	*ret_mailbox = (struct mail_mailbox){name_str, mem_dup_span(address)};
	return 0;
}
