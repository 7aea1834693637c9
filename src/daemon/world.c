#include "daemon/world.h"

#include "base/mem.h"

struct world {
	struct service_world service;
	struct clock clock;
	struct net *net;
	struct feed_fetcher *fetcher;
	struct llm_client *model; /* NULL: the config has none */
	const struct conf *conf;
	char *state_dir; /* NULL: no gate between processes */
};

static void fetch(void *ctx, const struct feed_request *request,
                  feed_answer_fn done, void *arg)
{
	struct world *world = ctx;

	feed_fetch(world->fetcher, request, done, arg);
}

static int relay_open(void *ctx, const struct smtp_events *events,
                      void **ret_relay, struct error *err)
{
	struct world *world = ctx;
	struct smtp_session *session = NULL;

	if (smtp_open(&session, world->net, &world->clock, &world->conf->smtp,
	              events, err) < 0)
		return -1;
	*ret_relay = session;
	return 0;
}

static void relay_send(void *relay, const struct smtp_letter *letter)
{
	smtp_send(relay, letter);
}

static void relay_send_body(void *relay, const struct smtp_letter *next)
{
	smtp_send_body(relay, next);
}

static void relay_close(void *relay)
{
	smtp_close(relay);
}

static void ask(void *ctx, const struct llm_question *question,
                llm_answer_fn done, void *arg)
{
	struct world *world = ctx;

	llm_ask(world->model, question, done, arg);
}

static void forget(void *ctx)
{
	struct world *world = ctx;

	llm_client_close(take_ptr(world->model));
	if (world->conf->llm.url)
		world->model = llm_client_open(world->net, &world->conf->llm);
}

static int wait_once(void *ctx, int64_t until_ms, struct error *err)
{
	struct world *world = ctx;

	return net_turn(world->net, until_ms, err);
}

int world_open(struct world **ret_world, const struct conf *conf,
               const char *state_dir, struct error *err)
{
	owned(world) struct world *world = mem_new(sizeof(*world));

	world->clock = clock_real();
	world->service = (struct service_world){
		.clock = world->clock,
		.ctx = world,
		.fetch = fetch,
		.relay_open = relay_open,
		.relay_send = relay_send,
		.relay_send_body = relay_send_body,
		.relay_close = relay_close,
		.ask = ask,
		.forget = forget,
		.wait = wait_once,
	};
	world->state_dir = state_dir ? mem_dup(state_dir) : NULL;
	if (net_open(&world->net, &world->clock, err) < 0 ||
	    world_set_conf(world, conf, err) < 0)
		return -1;
	*ret_world = take_ptr(world);
	return 0;
}

void world_close(struct world *world)
{
	if (!world)
		return;
	feed_fetcher_close(world->fetcher);
	llm_client_close(world->model);
	net_close(world->net);
	free(world->state_dir);
	free(world);
}

int world_set_conf(struct world *world, const struct conf *conf,
                   struct error *err)
{
	feed_fetcher_close(take_ptr(world->fetcher));
	world->conf = conf;
	forget(world);
	return feed_fetcher_open(&world->fetcher, world->net, &world->clock,
	                         &conf->feeds, world->state_dir, err);
}

struct net *world_net(struct world *world)
{
	return world->net;
}

struct service_world *world_service(struct world *world)
{
	return &world->service;
}
