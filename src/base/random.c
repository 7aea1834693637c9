#include "base/random.h"

#include <stdlib.h>
#include <sys/random.h>

/* For the few bytes asked for here getrandom() neither fails nor is cut. */
static void fill(void *bytes, size_t n)
{
	if (getrandom(bytes, n, 0) != (ssize_t)n)
		abort();
}

void random_hex(char *hex, size_t n_bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n_bytes; i++) {
		unsigned char byte;

		fill(&byte, 1);
		hex[2 * i] = digits[byte >> 4];
		hex[2 * i + 1] = digits[byte & 15];
	}
	hex[2 * n_bytes] = '\0';
}

uint32_t random_below(uint32_t below)
{
	uint32_t value;

	fill(&value, sizeof(value));
	return (uint32_t)((uint64_t)value * below >> 32);
}
