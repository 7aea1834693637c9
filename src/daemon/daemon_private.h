#pragma once

/* Shared inside daemon/. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- notify.c: what systemd is told; nothing where it is not there ---- */

struct notifier {
	int64_t every_ms; /* between two signs of life; 0: none is asked for */
	int64_t next_ms;
	bool is_stopping;
	char *status; /* the last one that was told */
};

void notifier_init(struct notifier *notifier);
void notifier_fini(struct notifier *notifier);
void notifier_ready(const struct notifier *notifier);
/* A sentence for people; told if it is another one than before. */
void notifier_status(struct notifier *notifier, const char *status);
void notifier_reloading(const struct notifier *notifier, int64_t now_ms);
void notifier_stopping(struct notifier *notifier, size_t n_unanswered);

/*
 * The loop has come round: once an interval systemd is told so, and, while
 * stopping waits for replies, given more time.
 */
void notifier_alive(struct notifier *notifier, int64_t now_ms,
                    size_t n_unanswered);

/* `look_ms`, or when the next sign of life is due, if that is earlier. */
int64_t notifier_next_ms(const struct notifier *notifier, int64_t look_ms);
