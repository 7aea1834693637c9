/*
 * Every fault at every stage, on the first, the middle and the last of three
 * messages on one connection: without pipelining, with it, and with each
 * message's commands in the flight of the body before.
 */

#include "scripted.h"

#define N_LETTERS 3

enum mode {
	MODE_PLAIN,
	MODE_GROUPS,
	MODE_AHEAD,
};

static const char *const mode_names[] = {"plain", "groups", "ahead"};

enum {
	CLOSES = 1,    /* outcome->closed */
	SLOWER = 2,    /* outcome->slow_down */
	MAILBOX = 4,   /* outcome->bad_recipient */
	UNTOUCHED = 8, /* a next message is not even told */
};

struct fault {
	enum smtp_stage stage;
	const char *script; /* in place of that stage's good reply */
	enum smtp_verdict verdict;
	unsigned marks;
	const char *sentence; /* a part of it */
};

#define LATER "it was not sent; the same may work later"
#define ARRIVED "it may have arrived"

static const struct fault faults[] = {
	{SMTP_STAGE_MAIL, "> 450 4.3.0 x\n", SMTP_DEFERRED, 0,
         "cannot take the message now: " LATER " (it said: 450 4.3.0 x)"},
	{SMTP_STAGE_MAIL, "> 451 4.7.1 x\n", SMTP_DEFERRED, SLOWER, LATER},
	{SMTP_STAGE_MAIL, "> 452 x\n", SMTP_DEFERRED, 0, LATER},
	{SMTP_STAGE_MAIL, "> 421 4.3.2 x\n", SMTP_DEFERRED,
         CLOSES | SLOWER | UNTOUCHED, "(it said: 421 4.3.2 x)"},
	{SMTP_STAGE_MAIL, "> 501 5.1.7 x\n", SMTP_RELAY, 0,
         "refuses the sender: check sender.from"},
	{SMTP_STAGE_MAIL, "> 503 5.5.1 x\n", SMTP_RELAY, 0, "sender.from"},
	{SMTP_STAGE_MAIL, "> 530 5.7.0 x\n", SMTP_RELAY, 0,
         "wants a login or TLS first: check smtp.username"},
	{SMTP_STAGE_MAIL, "> 535 5.7.8 x\n", SMTP_RELAY, 0, "sender.from"},
	{SMTP_STAGE_MAIL, "> 550 x\n", SMTP_RELAY, 0, "sender.from"},
	{SMTP_STAGE_MAIL, "> 550 5.1.8 x\n", SMTP_RELAY, 0, "sender.from"},
	{SMTP_STAGE_MAIL, "> 552 x\n", SMTP_FAILED, 0, "refuses the message"},
	{SMTP_STAGE_MAIL, "> 552 5.3.4 x\n", SMTP_FAILED, 0, "(it said: 552"},
	{SMTP_STAGE_MAIL, "> 554 5.3.4 x\n", SMTP_FAILED, 0, "(it said: 554"},
	{SMTP_STAGE_MAIL, "> 550 5.6.7 x\n", SMTP_FAILED, 0, "(it said: 550"},
	{SMTP_STAGE_MAIL, "> 354 x\n", SMTP_DEFERRED, CLOSES,
         "answered out of turn: " LATER},
	{SMTP_STAGE_MAIL, "close\n", SMTP_DEFERRED, CLOSES | UNTOUCHED,
         "closed the connection: "},
	{SMTP_STAGE_MAIL, "reset\n", SMTP_DEFERRED, CLOSES | UNTOUCHED,
         "closed the connection: "},
	{SMTP_STAGE_MAIL, "+ 25\nclose\n", SMTP_DEFERRED, CLOSES | UNTOUCHED,
         "closed the connection: "},
	{SMTP_STAGE_MAIL, "> what?\n", SMTP_DEFERRED, CLOSES | UNTOUCHED,
         "sent no SMTP reply (no reply code): "},
	{SMTP_STAGE_MAIL, "tick 61\nstall\n", SMTP_DEFERRED, CLOSES | UNTOUCHED,
         "did not answer within 60 s: "},

	{SMTP_STAGE_RCPT, "> 450 4.2.0 x\n", SMTP_DEFERRED, 0, LATER},
	{SMTP_STAGE_RCPT, "> 450 4.7.1 x\n", SMTP_DEFERRED, SLOWER, LATER},
	{SMTP_STAGE_RCPT, "> 451 4.3.0 x\n", SMTP_DEFERRED, 0, LATER},
	{SMTP_STAGE_RCPT, "> 452 4.5.3 x\n", SMTP_DEFERRED, 0, LATER},
	{SMTP_STAGE_RCPT, "> 421 x\n", SMTP_DEFERRED, CLOSES | SLOWER, LATER},
	{SMTP_STAGE_RCPT, "> 550 5.1.1 x\n", SMTP_FAILED, MAILBOX,
         "refuses the recipient (it said: 550 5.1.1 x)"},
	{SMTP_STAGE_RCPT, "> 550 x\n", SMTP_FAILED, MAILBOX, "(it said: 550"},
	{SMTP_STAGE_RCPT, "> 551 x\n", SMTP_FAILED, MAILBOX, "(it said: 551"},
	{SMTP_STAGE_RCPT, "> 553 x\n", SMTP_FAILED, MAILBOX, "(it said: 553"},
	{SMTP_STAGE_RCPT, "> 552 5.2.2 x\n", SMTP_FAILED, MAILBOX, "(it said:"},
	{SMTP_STAGE_RCPT, "> 552 x\n", SMTP_FAILED, 0, "(it said: 552"},
	{SMTP_STAGE_RCPT, "> 554 5.7.1 x\n", SMTP_FAILED, 0, "(it said: 554"},
	{SMTP_STAGE_RCPT, "> 550 5.7.1 x\n", SMTP_FAILED, 0, "(it said: 550"},
	{SMTP_STAGE_RCPT, "> 550 5.1.8 x\n", SMTP_FAILED, 0, "(it said: 550"},
	{SMTP_STAGE_RCPT, "> 530 5.7.0 x\n", SMTP_RELAY, 0,
         "wants a login or TLS first"},
	{SMTP_STAGE_RCPT, "> 354 x\n", SMTP_DEFERRED, CLOSES,
         "answered out of turn"},
	{SMTP_STAGE_RCPT, "close\n", SMTP_DEFERRED, CLOSES, LATER},
	{SMTP_STAGE_RCPT, "reset\n", SMTP_DEFERRED, CLOSES, LATER},
	{SMTP_STAGE_RCPT, "> what?\n", SMTP_DEFERRED, CLOSES, LATER},
	{SMTP_STAGE_RCPT, "tick 61\nstall\n", SMTP_DEFERRED, CLOSES, LATER},

	{SMTP_STAGE_DATA, "> 450 4.2.0 x\n", SMTP_DEFERRED, 0, LATER},
	{SMTP_STAGE_DATA, "> 451 4.7.0 x\n", SMTP_DEFERRED, SLOWER, LATER},
	{SMTP_STAGE_DATA, "> 421 x\n", SMTP_DEFERRED, CLOSES | SLOWER, LATER},
	{SMTP_STAGE_DATA, "> 554 5.7.1 x\n", SMTP_FAILED, 0, "(it said: 554"},
	{SMTP_STAGE_DATA, "> 550 5.1.1 x\n", SMTP_FAILED, MAILBOX, "550 5.1.1"},
	{SMTP_STAGE_DATA, "> 550 x\n", SMTP_FAILED, 0, "(it said: 550"},
	{SMTP_STAGE_DATA, "> 530 5.7.0 x\n", SMTP_RELAY, 0, "login or TLS"},
	{SMTP_STAGE_DATA, "> 250 x\n", SMTP_DEFERRED, CLOSES, LATER},
	{SMTP_STAGE_DATA, "close\n", SMTP_DEFERRED, CLOSES, LATER},
	{SMTP_STAGE_DATA, "reset\n", SMTP_DEFERRED, CLOSES, LATER},
	{SMTP_STAGE_DATA, "tick 61\nstall\n", SMTP_DEFERRED, CLOSES, LATER},

	{SMTP_STAGE_DOT, "> 450 4.3.0 x\n", SMTP_DEFERRED, 0, LATER},
	{SMTP_STAGE_DOT, "> 451 4.7.0 x\n", SMTP_DEFERRED, SLOWER, LATER},
	{SMTP_STAGE_DOT, "> 421 4.3.2 x\n", SMTP_DEFERRED, CLOSES | SLOWER,
         LATER},
	{SMTP_STAGE_DOT, "> 554 5.6.0 x\n", SMTP_FAILED, 0,
         "refuses the message (it said: 554 5.6.0 x)"},
	{SMTP_STAGE_DOT, "> 552 5.2.2 x\n", SMTP_FAILED, MAILBOX, "552 5.2.2"},
	{SMTP_STAGE_DOT, "> 550 x\n", SMTP_FAILED, 0, "(it said: 550"},
	{SMTP_STAGE_DOT, "> 530 5.7.0 x\n", SMTP_RELAY, 0, "login or TLS"},
	{SMTP_STAGE_DOT, "> 251 x\n", SMTP_UNKNOWN, CLOSES, ARRIVED},
	{SMTP_STAGE_DOT, "> 354 x\n", SMTP_UNKNOWN, CLOSES, ARRIVED},
	{SMTP_STAGE_DOT, "close\n", SMTP_UNKNOWN, CLOSES, "may have arrived"},
	{SMTP_STAGE_DOT, "reset\n", SMTP_UNKNOWN, CLOSES, "may have arrived"},
	{SMTP_STAGE_DOT, "+ 25\nclose\n", SMTP_UNKNOWN, CLOSES,
         "closed the connection: the message may have arrived"},
	{SMTP_STAGE_DOT, "> 250-2.0.0 x\nclose\n", SMTP_UNKNOWN, CLOSES,
         "closed the connection: the message may have arrived"},
	{SMTP_STAGE_DOT, "> ok\n", SMTP_UNKNOWN, CLOSES, "no reply code"},
	{SMTP_STAGE_DOT, "tick 601\nstall\n", SMTP_UNKNOWN, CLOSES,
         "did not answer within 600 s: the message may have arrived"},
};

/* ---- the server's part ---- */

struct play {
	const struct fault *fault;
	enum mode mode;
	unsigned at;            /* the message that has the fault */
	const char *data_reply; /* to DATA after a refused RCPT */
	struct buf script;
};

static bool is_at(const struct play *play, unsigned i, enum smtp_stage stage)
{
	return i == play->at && play->fault->stage == stage;
}

static void add_command(struct play *play, unsigned i, enum smtp_stage stage)
{
	if (stage == SMTP_STAGE_MAIL)
		buf_add_str(&play->script, MAIL);
	else if (stage == SMTP_STAGE_RCPT)
		buf_addf(&play->script, "< RCPT TO:<r%u@example.org>\n", i);
	else
		buf_add_str(&play->script, DATA);
}

static void add_good_reply(struct play *play, enum smtp_stage stage)
{
	buf_add_str(&play->script,
	            stage == SMTP_STAGE_DATA ? "> 354 go\n" : "> 250 ok\n");
}

/* The rest of a group of which one command was refused. */
static void add_refused_rest(struct play *play)
{
	if (play->mode == MODE_PLAIN || play->fault->marks & CLOSES)
		return;
	if (play->fault->stage == SMTP_STAGE_MAIL)
		buf_add_str(&play->script, "> 503 no\n> 503 no\n");
	if (play->fault->stage == SMTP_STAGE_RCPT)
		buf_add_str(&play->script, play->data_reply);
}

static void add_group(struct play *play, unsigned i)
{
	for (int stage = SMTP_STAGE_MAIL; stage <= SMTP_STAGE_DATA; stage++)
		add_command(play, i, (enum smtp_stage)stage);
}

/* Returns false if the message got no further. */
static bool add_replies(struct play *play, unsigned i)
{
	for (int s = SMTP_STAGE_MAIL; s <= SMTP_STAGE_DATA; s++) {
		enum smtp_stage stage = (enum smtp_stage)s;

		if (play->mode == MODE_PLAIN)
			add_command(play, i, stage);
		if (is_at(play, i, stage)) {
			buf_add_str(&play->script, play->fault->script);
			add_refused_rest(play);
			return false;
		}
		add_good_reply(play, stage);
	}
	return true;
}

static void add_body(struct play *play, unsigned i)
{
	buf_addf(&play->script, "< Subject: %u\n< \n< body\n< .\n", i);
	if (play->mode == MODE_AHEAD && i + 1 < N_LETTERS)
		add_group(play, i + 1);
	if (is_at(play, i, SMTP_STAGE_DOT))
		buf_add_str(&play->script, play->fault->script);
	else
		buf_add_str(&play->script, "> 250 ok\n");
}

/* A transaction that was begun and not ended. */
static bool needs_reset(const struct play *play, unsigned i)
{
	return i == play->at + 1 && play->fault->stage >= SMTP_STAGE_RCPT &&
	       play->fault->stage <= SMTP_STAGE_DATA &&
	       (play->mode == MODE_PLAIN ||
	        play->fault->stage == SMTP_STAGE_DATA ||
	        !strstr(play->data_reply, "354"));
}

static void add_begin(struct play *play, unsigned i, bool is_begun)
{
	bool resets = needs_reset(play, i);

	if (resets)
		buf_add_str(&play->script, "< RSET\n");
	if (resets && play->mode == MODE_PLAIN)
		buf_add_str(&play->script, "> 250 ok\n");
	if (play->mode != MODE_PLAIN && !is_begun)
		add_group(play, i);
	if (resets && play->mode != MODE_PLAIN)
		buf_add_str(&play->script, "> 250 ok\n");
}

static void write_script(struct play *play)
{
	bool is_begun = false;

	buf_add_str(&play->script,
	            play->mode == MODE_PLAIN ? PLAIN : PIPELINED);
	for (unsigned i = 0; i < N_LETTERS; i++) {
		add_begin(play, i, is_begun);
		is_begun = add_replies(play, i);
		if (is_begun)
			add_body(play, i);
		is_begun = is_begun && play->mode == MODE_AHEAD;
		if (i == play->at && play->fault->marks & CLOSES)
			return;
	}
	buf_add_str(&play->script, QUIT);
}

/* ---- the client's part ---- */

static bool is_fault(const struct fault *fault,
                     const struct smtp_outcome *outcome)
{
	return outcome->verdict == fault->verdict &&
	       outcome->stage == fault->stage &&
	       outcome->closed == ((fault->marks & CLOSES) != 0) &&
	       outcome->slow_down == ((fault->marks & SLOWER) != 0) &&
	       outcome->bad_recipient == ((fault->marks & MAILBOX) != 0) &&
	       strstr(outcome->sentence, fault->sentence);
}

/* That the other messages came to no harm, and the right one was told. */
static bool went_as_expected(const struct play *play,
                             const struct client *client)
{
	const struct fault *fault = play->fault;
	bool is_untouched = play->mode == MODE_AHEAD && play->at > 0 &&
	                    fault->marks & UNTOUCHED;
	unsigned n_done = fault->marks & CLOSES ? play->at + 1 : N_LETTERS;

	if (is_untouched)
		n_done--;
	if (client->n_done != n_done || client->is_told_closed != is_untouched)
		return false;
	for (unsigned i = 0; i < n_done; i++)
		if (i != play->at && client->outcomes[i].verdict != SMTP_SENT)
			return false;
	return is_fault(fault, is_untouched ? &client->outcome
	                                    : &client->outcomes[play->at]);
}

static void write_letters(struct client *client, char texts[][2][40])
{
	for (unsigned i = 0; i < N_LETTERS; i++) {
		snprintf(texts[i][0], sizeof(texts[i][0]), "r%u@example.org",
		         i);
		snprintf(texts[i][1], sizeof(texts[i][1]),
		         "Subject: %u\r\n\r\nbody\r\n", i);
		client->letters[i].to = texts[i][0];
		client->letters[i].message = span_of(texts[i][1]);
	}
	client->n_messages = N_LETTERS;
}

static void run_play(struct play *play)
{
	char texts[N_LETTERS][2][40];
	struct client client;
	bool went_well;

	play->script = BUF_INIT(100000);
	write_script(play);
	start_client(&client, buf_str(&play->script));
	write_letters(&client, texts);
	client.is_ahead = play->mode == MODE_AHEAD;
	run_client(&client);
	stop_client(&client);
	went_well = stop_server(&client.server);
	if (!went_well || !went_as_expected(play, &client))
		fail_msg(
			"%s, message %u, stage %d, %s: server %d, %u done, "
			"verdict %d: %s",
			mode_names[play->mode], play->at + 1,
			play->fault->stage, play->fault->script, went_well,
			client.n_done, client.outcomes[play->at].verdict,
			client.outcomes[play->at].sentence);
	buf_fini(&play->script);
}

static void play_all(enum mode mode, const char *data_reply)
{
	for (unsigned at = 0; at < N_LETTERS; at++)
		for (size_t i = 0; i < COUNT(faults); i++)
			run_play(&(struct play){&faults[i], mode, at,
			                        data_reply, BUF_INIT(0)});
}

static void harms_no_other_message_without_pipelining(void **state)
{
	(void)state;
	play_all(MODE_PLAIN, "");
}

static void harms_no_other_message_with_pipelining(void **state)
{
	(void)state;
	play_all(MODE_GROUPS, "> 554 none\n");
	play_all(MODE_GROUPS, "> 354 go\n< .\n> 554 none\n");
}

static void harms_no_other_message_with_commands_sent_ahead(void **state)
{
	(void)state;
	play_all(MODE_AHEAD, "> 554 none\n");
	play_all(MODE_AHEAD, "> 354 go\n< .\n> 554 none\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(harms_no_other_message_without_pipelining),
		cmocka_unit_test(harms_no_other_message_with_pipelining),
		cmocka_unit_test(
			harms_no_other_message_with_commands_sent_ahead),
	};

	return cmocka_run_group_tests_name("smtp faults", tests, NULL, NULL);
}
