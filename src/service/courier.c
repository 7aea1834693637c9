#include "service/courier.h"

#include "base/mem.h"

struct courier {
	struct service_world *world;
	struct smtp_letter letter;
	void *relay;
	bool has_ended;
	struct smtp_outcome outcome;
};

static void on_open(void *ctx)
{
	struct courier *courier = ctx;

	courier->world->relay_send(courier->relay, &courier->letter);
}

static void on_ready(void *ctx)
{
	struct courier *courier = ctx;

	courier->world->relay_send_body(courier->relay, NULL);
}

static void on_end(void *ctx, const struct smtp_outcome *outcome)
{
	struct courier *courier = ctx;

	courier->has_ended = true;
	courier->outcome = *outcome;
}

int courier_open(struct courier **ret_courier, struct service *service,
                 const struct smtp_letter *letter, struct error *err)
{
	owned(courier) struct courier *courier = mem_new(sizeof(*courier));
	const struct smtp_events events = {on_open, on_end, on_ready, on_end,
	                                   courier};

	courier->world = service->world;
	courier->letter = *letter;
	if (courier->world->relay_open(courier->world->ctx, &events,
	                               &courier->relay, err) < 0)
		return -1;
	*ret_courier = take_ptr(courier);
	return 0;
}

void courier_close(struct courier *courier)
{
	if (!courier)
		return;
	if (courier->relay)
		courier->world->relay_close(courier->relay);
	free(courier);
}

const struct smtp_outcome *courier_outcome(const struct courier *courier)
{
	return courier->has_ended ? &courier->outcome : NULL;
}
