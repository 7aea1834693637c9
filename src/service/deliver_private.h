#pragma once

/*
 * The delivery engine. A sender rests until something is due and the lock is
 * free, then works until nothing is, or the relay is in trouble. At work it has
 * lanes, one session with the relay each; the outbox gives it letters.
 * Callbacks of a session only note what happened; then, once a turn of the
 * loop:
 *
 *   fill     letters are rendered for lanes that are free or about to be
 *   settle   one durable transaction: what ended, what starts, which dots
 *            are about to be sent
 *   act      commands and bodies go out
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/lock.h"
#include "mail/smtp.h"
#include "service/deliver.h"

/* ---- letters ---- */

/* A delivery with its message. */
struct letter {
	struct store_delivery delivery;
	const struct subscriber *subscriber;
	char *from; /* both as SMTP wants them; NULL: the outbox's */
	char *to;
	struct buf message;
	struct smtp_letter smtp; /* borrows the above */
	size_t n_papers;
	int32_t day;     /* the digest's: whose outcome it is */
	bool started;    /* the store knows that it is being sent */
	bool gone;       /* the store has it no more: superseded, cancelled */
	unsigned n_lost; /* sessions that ended before they took it */
};

void letter_free(struct letter *letter);
OWNED_DEFINE(letter, struct letter, letter_free);

struct sender;

/* Where letters come from: what is due, first what has waited longest. */
struct outbox {
	struct service *service;
	const struct sender
		*sender;           /* what it has in hand is not given again */
	const struct strings *ids; /* NULL: of all subscribers */
	char *from;                /* as SMTP wants it */
	struct store_deliveries page;
	size_t next; /* in the page */
	int64_t now;
	int64_t after_at;
	int64_t after_id;
	bool empty;
};

enum outbox_outcome {
	OUTBOX_LETTER = 0,
	OUTBOX_EMPTY = 1,
};

MUST_CHECK int outbox_init(struct outbox *outbox, const struct sender *sender,
                           struct error *err);
void outbox_fini(struct outbox *outbox);

/* Looks again from the beginning, for what is due at `now`. */
void outbox_rewind(struct outbox *outbox, int64_t now);

/* Renders the next one, which the caller owns. */
MUST_CHECK int outbox_next(struct outbox *outbox, struct letter **ret_letter,
                           struct error *err);

/* The next delivery's subscriber without rendering; NULL when it is empty. */
MUST_CHECK int outbox_skip(struct outbox *outbox,
                           const struct subscriber **ret_subscriber,
                           struct error *err);

/* ---- pace ---- */

/*
 * How fast the relay lets us: smtp.per_minute over all processes that ever
 * hold the lock, and slower while it asks for that (421, 4.7.x): half the
 * lanes, then fewer messages, and back step by step.
 */
struct pace {
	struct lock *lock; /* its file keeps the instant of the next message */
	int64_t interval_ms;
	int64_t own_interval_ms; /* smtp.per_minute */
	int64_t next_ms;         /* monotonic, the same for all processes */
	uint32_t n_lanes;        /* that may be open */
	uint32_t most_lanes;
	uint32_t n_good; /* sent since the last change */
};

void pace_init(struct pace *pace, struct lock *lock);
/* What the lock's last holder left, and what the config allows now. */
void pace_begin(struct pace *pace, const struct smtp_options *smtp);
bool pace_allows(const struct pace *pace, int64_t now_ms);
/* When it allows the next one. */
int64_t pace_look_ms(const struct pace *pace, int64_t now_ms);
void pace_take(struct pace *pace, int64_t now_ms);
void pace_slow_down(struct pace *pace);
void pace_speed_up(struct pace *pace);

/* ---- lanes ---- */

enum lane_state {
	LANE_CLOSED,
	LANE_OPENING,
	LANE_IDLE,     /* open; `current` is to be sent, if there is one */
	LANE_COMMANDS, /* its commands are out */
	LANE_READY,    /* its dot may be sent */
	LANE_BODY,     /* its dot is out */
};

/* A letter whose attempt is over. */
struct ended {
	struct letter *letter;
	struct smtp_outcome outcome;
	enum delivery_state state; /* what becomes of it, once settled */
};

/* So many refusals in a row that are not the recipients' are the relay's. */
#define REFUSED_MOST 3

struct lane {
	struct sender *sender;
	void *relay; /* NULL: no session */
	enum lane_state state;
	struct letter *current;
	struct letter *next;
	bool next_given;       /* the session has it, behind current's body */
	struct ended ended[4]; /* two letters, each once a turn */
	size_t n_ended;
	uint32_t n_on_connection;
};

MUST_CHECK int lane_open(struct lane *lane, struct error *err);
void lane_close(struct lane *lane);
/* Commands or body of what has been settled. */
void lane_act(struct lane *lane);

/* ---- the breaker ---- */

/*
 * Open while the relay refuses everybody: nothing is sent but, once an
 * interval, a single letter as a probe.
 */
struct breaker {
	bool is_open;
	bool is_refused;   /* opened by refusals, not by silence */
	unsigned n_probes; /* since it opened */
	int64_t probe_ms;  /* monotonic */
};

/* ---- the sender ---- */

enum phase {
	PHASE_REST,
	PHASE_WORK,
	PHASE_END, /* it was to end, or to work once only, and has */
};

struct sender {
	struct service *service;
	const struct service_deliver_events *events;
	const struct strings *ids; /* NULL: of all subscribers */
	bool is_once;              /* works once, then ends */
	bool is_ending;            /* as soon as no reply is missing */
	enum phase phase;
	struct service_deliver_counts counts; /* of this work */
	struct lock *lock;
	struct outbox outbox;
	struct pace pace;
	struct breaker breaker;
	struct lane *lanes;
	size_t n_lanes;
	struct letter **spare; /* that a session did not take, for another */
	size_t n_spare;        /* two a lane at most */
	/* Refused in a row, not for the recipients' fault. */
	struct letter *refused[REFUSED_MOST];
	unsigned n_refused;
	size_t n_unopened;  /* sessions in a row that did not open */
	unsigned n_busy;    /* times that the database was locked */
	bool stopping;      /* nothing new is begun */
	bool in_trouble;    /* because the relay refuses everybody */
	int64_t begun_at;   /* this work; Unix seconds */
	int64_t rewound_ms; /* when the outbox began anew */
};

/* Stops this work. */
void sender_stop(struct sender *sender, const char *sentence);

/* The same for the relay's trouble: the breaker opens when it has ended. */
void sender_stop_in_trouble(struct sender *sender, const char *sentence);
MUST_CHECK int sender_open_breaker(struct sender *sender, struct error *err);

/* The relay has shown that it takes mails. */
MUST_CHECK int sender_close_breaker(struct sender *sender, struct error *err);

/* Says to whom the run belongs that a delivery has ended. */
void sender_tell(const struct sender *sender,
                 const struct service_delivered *delivered);

/* Takes a letter that its session did not take. */
void sender_spare(struct sender *sender, struct letter *letter);

/* Is there another lane that has come so far, or further? */
bool sender_has_lane(const struct sender *sender, const struct lane *lane,
                     enum lane_state least);

/* Is this delivery in a lane, or spare? */
bool sender_holds(const struct sender *sender, int64_t delivery_id);

/* The refused ones' refusal stands. */
void sender_forget_refused(struct sender *sender);

/* Records what has ended, starts and is about to; one transaction. */
MUST_CHECK int sender_settle(struct sender *sender, struct error *err);

void deliver_count(struct service_deliver_counts *counts,
                   enum delivery_state state);

/* ---- work.c: the lanes at work ---- */

/* Whatever is due now is on its way after this. */
MUST_CHECK int sender_begin_work(struct sender *sender, struct error *err);
void sender_end_work(struct sender *sender);

/*
 * One turn; *ret_look_ms is when the next one has something to do even if no
 * session says anything. SENDER_WORKS, or SENDER_RESTS: all is done.
 */
MUST_CHECK int sender_work(struct sender *sender, int64_t *ret_look_ms,
                           struct error *err);
