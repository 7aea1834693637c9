/* A relay whose name nobody looks up. */

#include "../slow.h"
#include "scripted.h"

static void says_that_no_name_is_found(void **state)
{
	struct client client;

	(void)state;
	assert_return_code(pipe(slow_names), 0);
	start_client(&client, "stall\n");
	client.options.url = (char[]){"smtp://relay.example.org:587"};
	client.options.timeout_s = 1;
	run_client(&client);
	stop_client(&client); /* while the look-up waits */
	abandon_server(&client.server);
	close(slow_names[1]);
	assert_int_equal(client.outcome.verdict, SMTP_RELAY);
	assert_string_equal(client.outcome.sentence,
	                    "relay.example.org:587 cannot be found, because "
	                    "DNS does not answer (within 1 s): check the name "
	                    "servers in /etc/resolv.conf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_that_no_name_is_found),
	};

	return cmocka_run_group_tests_name("smtp: names", tests, NULL, NULL);
}
