#pragma once

/*
 * Time that a test passes by hand, for libcurl as well, and names that nobody
 * looks up: this program's clock_gettime() and getaddrinfo() come before
 * libc's.
 */

#include <netdb.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t slow_passed_ms;

/* A look-up waits until the writing end is closed. */
static int slow_names[2] = {-1, -1};

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, ret_time);
	int64_t passed_ms = slow_passed_ms;

	ret_time->tv_sec += passed_ms / 1000;
	ret_time->tv_nsec += passed_ms % 1000 * 1000000;
	if (ret_time->tv_nsec >= 1000000000) {
		ret_time->tv_nsec -= 1000000000;
		ret_time->tv_sec++;
	}
	return rc;
}

int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **ret_list)
{
	char byte;

	(void)node;
	(void)service;
	(void)hints;
	(void)ret_list;
	(void)!read(slow_names[0], &byte, 1);
	return EAI_AGAIN;
}
