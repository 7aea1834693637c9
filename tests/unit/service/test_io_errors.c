/* Of the rig a part is enough here. */
#pragma GCC diagnostic ignored "-Wunused-function"

#include "rig.h"

#include "../disk.h"

/*
 * The disk is full or broken from the nth write of a run on, or for one write,
 * for every n until a run gets through. The next run, of another process or of
 * the same one, finishes the work: nothing is lost, and only a message whose
 * dot was out comes again.
 */

#define MAX_WRITES 1000
#define N_READERS 3

static const char *const readers[N_READERS] = {"ada", "emmy", "wei"};

static int attempt(struct rig *rig, struct error *err)
{
	const struct service_queue_job job = {
		.subscribers = (const struct subscriber *const *)
	                               rig->conf->subscribers,
		.n = rig->conf->n_subscribers,
	};
	const struct service_deliver_events events = {0};
	struct service_queue_counts queued = {0};
	struct service_deliver_counts delivered = {0};

	rig->act = ACT_ACCEPT;
	if (service_queue(&rig->service, &job, &queued, err) < 0)
		return -1;
	return service_deliver(&rig->service, NULL, &events, &delivered, err);
}

/* A process that ends cannot write either. */
static void reopen(struct rig *rig)
{
	struct error err = {0};

	store_close(rig->store);
	disk->writes_left = -1;
	assert_int_equal(store_open(&rig->store, rig->dir, STORE_WRITE, &err),
	                 0);
	rig->service.store = rig->store;
}

static size_t count_unknown(struct rig *rig)
{
	struct error err = {0};
	size_t n = 0;

	assert_int_equal(
		store_recover_deliveries(rig->store, rig->now, false, &n, &err),
		0);
	return n;
}

/* How many messages the reader got, all with one Message-ID. */
static size_t count_messages(const struct rig *rig, const char *reader)
{
	const char *message_id = NULL;
	size_t n = 0;

	for (size_t i = 0; i < rig->n_sent; i++) {
		if (strncmp(rig->sent[i].to, reader, strlen(reader)) != 0)
			continue;
		if (message_id)
			assert_string_equal(rig->sent[i].message_id,
			                    message_id);
		message_id = rig->sent[i].message_id;
		n++;
	}
	return n;
}

static void check_end(struct rig *rig, size_t n_unknown)
{
	for (size_t i = 0; i < N_READERS; i++) {
		assert_in_range(count_messages(rig, readers[i]), 1, 2);
		assert_state(rig, readers[i], DELIVERY_SENT);
	}
	assert_in_range(n_unknown, 0, 1);
	assert_in_range(rig->n_sent, N_READERS, N_READERS + n_unknown);
}

struct way {
	int fault;
	const char *words;
	bool recovers;
	bool reopens;
};

/* Returns whether the nth write came. */
static bool ends_at(void **state, const struct way *way, int n)
{
	struct error err = {0};
	size_t n_unknown;
	struct rig *rig;
	bool came;
	int rc;

	assert_int_equal(set_up(state), 0);
	rig = *state;
	configure(rig,
	          ADA("") ", { id = \"emmy\"; email = \"emmy@example.org\";"
	                  " categories = [\"cs.CL\"]; },"
	                  "{ id = \"wei\"; email = \"wei@example.org\";"
	                  " categories = [\"cs.CL\"]; }");
	ANNOUNCE(rig, "2609.00001v1 new one", "2609.00002v1 new another");
	assert_int_equal(poll(rig), OUTCOME_FRESH);

	*disk = (struct disk){n, way->fault, way->recovers};
	rc = attempt(rig, &err);
	came = disk->writes_left <= 0;
	assert_int_equal(rc, came ? -1 : 0);
	if (came)
		assert_non_null(strstr(err.message, way->words));
	if (way->reopens)
		reopen(rig);
	disk->writes_left = -1;
	n_unknown = count_unknown(rig);
	assert_int_equal(attempt(rig, &err), 0);
	check_end(rig, n_unknown);
	assert_int_equal(tear_down(state), 0);
	*state = NULL;
	return came;
}

static void finishes_what_a_bad_disk_stopped(void **state)
{
	static const struct way ways[] = {
		{SQLITE_FULL, "arxmail.db: the disk is full: make room", false,
	         true},
		{SQLITE_FULL, "arxmail.db: the disk is full: make room", true,
	         false},
		{SQLITE_IOERR, "arxmail.db: disk I/O error", false, true},
		{SQLITE_IOERR, "arxmail.db: disk I/O error", true, true},
		{SQLITE_IOERR, "arxmail.db: disk I/O error", true, false},
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		int n = 1;

		while (ends_at(state, &ways[i], n))
			assert_true(++n < MAX_WRITES);
		/* Or it was no test. */
		assert_true(n > 50);
	}
}

/* What a test that failed has left. */
static int tear_down_left(void **state)
{
	disk->writes_left = -1;
	return *state ? tear_down(state) : 0;
}

static int begin_disk(void **state)
{
	static struct disk own = {.writes_left = -1};

	(void)state;
	return disk_begin(&own);
}

static int end_disk(void **state)
{
	(void)state;
	return disk_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(finishes_what_a_bad_disk_stopped,
	                                  tear_down_left),
	};

	return cmocka_run_group_tests_name("service: I/O errors", tests,
	                                   begin_disk, end_disk);
}
