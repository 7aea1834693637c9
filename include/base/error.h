#pragma once

/*
 * Errors.
 *
 * A function that can fail takes a `struct error *` last and returns
 *
 *      0   success
 *    > 0   an outcome that its comment names and its caller handles
 *     -1   failure: *err says what happened; the caller forwards it
 */

#define ERROR_MESSAGE_MAX 512
#define MUST_CHECK __attribute__((warn_unused_result))

enum error_kind {
	ERROR_NONE,
	ERROR_SYSTEM,    /* the operating system or a library said no */
	ERROR_SYNTAX,    /* the input breaks its grammar */
	ERROR_LIMIT,     /* the input is well formed but beyond a limit */
	ERROR_TEMPORARY, /* the peer may accept the same request later */
	ERROR_PERMANENT, /* the peer will never accept this request */
};

struct error {
	enum error_kind kind;
	char message[ERROR_MESSAGE_MAX]; /* cut short if it is longer */
};

/*
 * Both return -1, so that a failing path is one return statement. A message
 * that is too long is cut at a character's border and ends in "...".
 */
int error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int error_prefix(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
