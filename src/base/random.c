#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/*
 * For the few bytes asked for here getrandom() is not cut; only before the
 * kernel has gathered any it waits, and a signal ends that.
 */
static void fill(void *bytes, size_t n)
{
	ssize_t n_got;

	do
		n_got = getrandom(bytes, n, 0);
	while (n_got < 0 && errno == EINTR);
	if (n_got == (ssize_t)n)
		return;
	perror("arxmail: the kernel gives no random bytes");
	abort();
}

void random_hex(char *hex, size_t n_bytes)
{
	static const char digits[] = "0123456789abcdef";

	/* Into the second half, which the digits reach last. */
	fill(hex + n_bytes, n_bytes);
	for (size_t i = 0; i < n_bytes; i++) {
		unsigned char byte = (unsigned char)hex[n_bytes + i];

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
