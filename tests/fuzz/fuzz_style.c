/* A style sheet, a NUL, and the HTML that it is put into: no tag is added.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "digest/style.h"
#include "fuzz.h"

static size_t count(struct span text, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == c;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	owned(mem) char *copy =
		mem_dup_span((struct span){(const char *)data, size});
	const char *end = memchr(copy, '\0', size);
	struct span css = span_of(copy);
	/* cmark makes no NUL. */
	struct span html = end ? span_of(end + 1) : SPAN_NONE;
	owned(style) struct style *style = NULL;
	owned(buf) struct buf out = BUF_INIT(SIZE_MAX);
	struct error err = {0};

	if (style_parse(&style, "s", css, &err) < 0) {
		if (!*err.message)
			abort();
		return 0;
	}
	/* Each @-rule ends a line of its own. */
	if (style_head(style).len > 2 * css.len)
		abort();
	style_inline(&out, style, html);
	/* Of two styles of one tag the second one stays. */
	if (count(buf_span(&out), '<') > count(html, '<'))
		abort();
	return 0;
}
