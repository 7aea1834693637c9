/* Any bytes as TeX: display text is valid UTF-8 without control characters. */

#include <stdlib.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span raw = {size > 0 ? (const char *)data : "", size};
	owned(buf) struct buf display = BUF_INIT(SIZE_MAX);
	struct span rest;

	text_add_display(&display, raw);
	if (!utf8_valid(buf_span(&display)))
		abort();
	for (rest = buf_span(&display); rest.len > 0;)
		if (utf8_is_control(utf8_next(&rest)))
			abort();
	return 0;
}
