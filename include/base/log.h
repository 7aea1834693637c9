#pragma once

/*
 * The log: one event, one line on stderr, `subject: what happened: why`,
 * lower case, no full stop. Priorities (<3> to <7>, sd-daemon(3)) stand before
 * the line when JOURNAL_STREAM is set. Control characters are replaced.
 */

enum log_level {
	LOG_LEVEL_ERROR = 3,   /* someone must act */
	LOG_LEVEL_WARNING = 4, /* we coped, and say how */
	LOG_LEVEL_NOTICE = 5,  /* state changed */
	LOG_LEVEL_INFO = 6,    /* one line per poll and run */
	LOG_LEVEL_DEBUG = 7,
};

/* Lines above `level` are dropped. Begins as LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
