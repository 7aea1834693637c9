#include <inttypes.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/mem.h"
#include "daemon_private.h"

#define USEC_PER_MS 1000
/* So often while stopping, and each time for so much longer. */
#define STOPPING_EVERY_MS 10000
#define STOPPING_MORE_USEC 60000000

/*
 * sd_watchdog_enabled(3) wants it twice an interval; three times is safer, and
 * with the unit's three minutes no more often than the loop wakes by itself.
 */
void notifier_init(struct notifier *notifier)
{
	uint64_t usec = 0;

	*notifier = (struct notifier){0};
	if (sd_watchdog_enabled(0, &usec) > 0)
		notifier->every_ms = (int64_t)(usec / USEC_PER_MS / 3) + 1;
}

void notifier_fini(struct notifier *notifier)
{
	free(notifier->status);
}

void notifier_ready(const struct notifier *notifier)
{
	(void)notifier;
	(void)sd_notify(0, "READY=1");
}

void notifier_status(struct notifier *notifier, const char *status)
{
	if (notifier->status && !strcmp(notifier->status, status))
		return;
	free(notifier->status);
	notifier->status = mem_dup(status);
	(void)sd_notifyf(0, "STATUS=%s", status);
}

void notifier_reloading(const struct notifier *notifier, int64_t now_ms)
{
	(void)notifier;
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	                 now_ms * USEC_PER_MS);
}

static void extend(size_t n_unanswered)
{
	(void)sd_notifyf(0,
	                 "EXTEND_TIMEOUT_USEC=%d\n"
	                 "STATUS=stopping: %zu replies to mails are missing",
	                 STOPPING_MORE_USEC, n_unanswered);
}

void notifier_stopping(struct notifier *notifier, size_t n_unanswered)
{
	notifier->is_stopping = true;
	notifier->next_ms = 0;
	if (notifier->every_ms == 0 || notifier->every_ms > STOPPING_EVERY_MS)
		notifier->every_ms = STOPPING_EVERY_MS;
	(void)sd_notify(0, "STOPPING=1");
	if (n_unanswered > 0)
		extend(n_unanswered);
}

void notifier_alive(struct notifier *notifier, int64_t now_ms,
                    size_t n_unanswered)
{
	if (notifier->every_ms == 0 || now_ms < notifier->next_ms)
		return;
	notifier->next_ms = now_ms + notifier->every_ms;
	(void)sd_notify(0, "WATCHDOG=1");
	if (notifier->is_stopping && n_unanswered > 0)
		extend(n_unanswered);
}

int64_t notifier_next_ms(const struct notifier *notifier, int64_t look_ms)
{
	if (notifier->every_ms > 0 && notifier->next_ms < look_ms)
		return notifier->next_ms;
	return look_ms;
}
