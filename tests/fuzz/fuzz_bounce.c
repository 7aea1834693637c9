/* Any bytes as a mail: no bounce, with a reason, or one whose words are clean.
 */

#include <stdlib.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "mail/bounce.h"

static void check(const char *words)
{
	struct span rest = span_of(words);

	if (!utf8_valid(rest))
		abort();
	while (rest.len > 0)
		if (utf8_is_control(utf8_next(&rest)))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span mail = {size > 0 ? (const char *)data : "", size};
	struct mail_bounce bounce = {0};
	struct error err = {0};

	if (mail_bounce_read(&bounce, mail, "digest@example.org", &err) < 0) {
		if (!*err.message)
			abort();
		return 0;
	}
	check(bounce.status);
	check(bounce.recipient);
	check(bounce.words);
	check(bounce.message_id);
	check(bounce.token);
	mail_bounce_fini(&bounce);
	return 0;
}
