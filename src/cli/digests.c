/* A subscriber's digest, the next or the last one, for who shows or mails it.
 */

#include "cli_private.h"
#include "service/compose.h"
#include "service/summarize.h"

struct user {
	cli_digest_fn use;
	void *ctx;
};

static int hand_over(struct cli *cli, const struct subscriber *subscriber,
                     struct digest *digest, const struct user *user)
{
	struct error err = {0};

	if (service_add_words(&cli->service, subscriber, digest, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	return user->use(cli, subscriber, digest, user->ctx);
}

static int use_last(struct cli *cli, const struct subscriber *subscriber,
                    const struct user *user)
{
	owned(store_digest) struct store_digest *stored = NULL;
	struct store_last_digest last = {0};
	struct error err = {0};
	int found = store_last_digest(cli->store, subscriber->id, &last, &err);

	if (found == STORE_MISSING) {
		cli_say("%s: no digest was made yet", subscriber->email);
		return CLI_FAILED;
	}
	if (found < 0 ||
	    store_load_digest(cli->store, last.digest_id, &stored, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	return hand_over(cli, subscriber, stored->digest, user);
}

/* Why there is nothing to see, and what to do. */
static int say_nothing(const struct subscriber *subscriber, int outcome,
                       const struct digest *digest)
{
	if (outcome == COMPOSE_PAUSED)
		cli_say("%s: paused in the config; --last shows the last "
		        "digest",
		        subscriber->email);
	else if (outcome == COMPOSE_SUSPENDED)
		cli_say("%s: suspended, because the address was refused too "
		        "often; --last shows the last digest",
		        subscriber->email);
	else if (digest->n_considered == 0)
		cli_say("%s: nothing new is stored for these categories; "
		        "'arxmail fetch' polls the feeds, --last shows the "
		        "last digest",
		        subscriber->email);
	else
		cli_say("%s: none of %u new papers matches; 'arxmail fetch' "
		        "polls the feeds, --last shows the last digest",
		        subscriber->email, digest->n_considered);
	return CLI_FAILED;
}

static int use_next(struct cli *cli, const struct subscriber *subscriber,
                    const struct user *user)
{
	owned(service_composer) struct service_composer *composer = NULL;
	owned(composed) struct service_composed composed = {0};
	struct error err = {0};
	int outcome;

	if (service_composer_new(&composer, &cli->service, &subscriber, 1,
	                         &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	outcome = service_compose(composer, subscriber, &composed, &err);
	if (outcome < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (outcome != COMPOSED)
		return say_nothing(subscriber, outcome, composed.digest);
	return hand_over(cli, subscriber, composed.digest, user);
}

int cli_with_digest(struct cli *cli, const struct subscriber *subscriber,
                    bool last, cli_digest_fn use, void *ctx)
{
	const struct user user = {use, ctx};

	return last ? use_last(cli, subscriber, &user)
	            : use_next(cli, subscriber, &user);
}
