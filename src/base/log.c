#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/limits.h"

/* Room for a priority and for each byte becoming U+FFFD. */
#define OUTPUT_BYTES (3 * LIMIT_LOG_LINE_BYTES + 16)

static enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	max_level = level;
}

/* One write a line, so that lines of several processes do not mix. */
static void write_line(const struct buf *line)
{
	size_t done = 0;

	while (done < line->len) {
		ssize_t n = write(STDERR_FILENO, line->data + done,
		                  line->len - done);

		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

/* A line that is too long is cut: part of it is better than none. */
void log_line(enum log_level level, const char *fmt, ...)
{
	owned(buf) struct buf line = BUF_INIT(OUTPUT_BYTES);
	char message[LIMIT_LOG_LINE_BYTES];
	va_list args;

	if (level > max_level)
		return;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);

	if (getenv("JOURNAL_STREAM"))
		buf_addf(&line, "<%d>", (int)level);
	buf_add_terminal(&line, span_of(message));
	buf_add_char(&line, '\n');
	write_line(&line);
}
