#pragma once

/*
 * The world as service/ sees it: time, feeds, the relay. Real in the daemon
 * and the commands, scripted in tests, so that days pass in milliseconds.
 * Everything that takes time is started here and answered by its callback
 * inside wait().
 */

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "conf/conf.h"
#include "feed/fetch.h"
#include "llm/client.h"
#include "mail/smtp.h"
#include "store/store.h"

struct summarizer;

struct service_world {
	struct clock clock;
	void *ctx;

	/* As feed_fetch(). */
	void (*fetch)(void *ctx, const struct feed_request *request,
	              feed_answer_fn done, void *arg);

	/* As smtp_open(), smtp_send(), smtp_send_body(), smtp_close(). */
	int (*relay_open)(void *ctx, const struct smtp_events *events,
	                  void **ret_relay, struct error *err);
	void (*relay_send)(void *relay, const struct smtp_letter *letter);
	void (*relay_send_body)(void *relay, const struct smtp_letter *next);
	void (*relay_close)(void *relay);

	/* As llm_ask(); where the config has an llm group. */
	void (*ask)(void *ctx, const struct llm_question *question,
	            llm_answer_fn done, void *arg);
	/* Questions that are on their way get no answers any more. */
	void (*forget)(void *ctx);

	/* One wait until `until_ms` (monotonic) at most, as net_turn(). */
	int (*wait)(void *ctx, int64_t until_ms, struct error *err);
};

/* What every part of service/ works with. All borrowed. */
struct service {
	const struct conf *conf;
	struct store *store;
	struct service_world *world;
	struct digest_cache *cache; /* NULL: none */
	/* Whose work a due digest may wait for; NULL: none. */
	const struct summarizer *summarizer;
};
