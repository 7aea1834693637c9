#!/usr/bin/env bash
# Two and five processes send from one state folder, and some are killed: each
# digest arrives once, but for what those had in flight, and the limit per minute
# holds over all of them.
. "$(dirname "$0")/lib.sh"
. "$HERE/torture.sh"

PLAIN=$SMTP
SMTP+=' connections = 4;'
readers "$(amount 60 200)"
torture 'many senders, one killed' <<'END'
def kill_one(relay, story, n_processes):
    runs = [start(name=str(i)) for i in range(n_processes)]
    killed = []

    def kill():
        victim = DRAW.choice(runs)
        if DRAW.random() < 0.7:
            victim = find_sender(runs)
        killed.append(victim)
        story.n_allowed += relay.n_open
        victim.kill()

    relay.arm(*draw_moment(N), kill)
    statuses = [end(run) for run in runs]
    relay.disarm()
    relay.drain()
    for run, status in zip(runs, statuses):
        assert status == 0 or run in killed, \
            (status, read(f"err{runs.index(run)}"))
    if -signal.SIGKILL in statuses:
        story.note_end(0)
    # Perhaps nobody is left who knew of the last ones.
    return send()


relay = start_relay()
for n_processes in 2, 5:
    total = Sum(f"{n_processes} processes, one killed")
    for _ in range(amount(5, 60)):
        story = Story(N)
        total.finish(story, kill_one(relay, story, n_processes))
    total.tell()
END

# One in 400 ms: longer than it takes to see that the lock is free.
SMTP="$PLAIN connections = 4; per_minute = 150;"
readers "$(amount 16 50)"
torture 'the limit per minute over five processes, four of them killed' <<'END'
INTERVAL_SEC = 0.4
# How much later than it was sent a message may be recorded.
SLACK_SEC = 0.5

relay = start_relay()
story = Story(N)
runs = [start(name=str(i)) for i in range(5)]


def kill():
    victim = find_sender([run for run in runs if run.returncode is None])
    story.n_allowed += relay.n_open
    victim.kill()
    if story.n_ends < 3:
        relay.arm("kept", N // 5, kill)
    story.n_ends += 1


relay.arm("kept", N // 5, kill)
statuses = [end(run) for run in runs]
relay.drain()
assert sorted(statuses) == 4 * [-signal.SIGKILL] + [0], statuses
story.finish(0)

times = [message.at for message in accepted()]
most = 0
for first in range(len(times)):
    for last in range(first + 1, len(times)):
        early = (last - first) * INTERVAL_SEC - (times[last] - times[first])
        most = max(most, early)
        assert early <= SLACK_SEC, \
            f"{last - first + 1} in {times[last] - times[first]:.2f} s"
rate = (len(times) - 1) / (times[-1] - times[0])
tell(f"five processes at 150 a minute, four killed: "
     f"{len(times)} messages, {rate * 60:.0f} a minute; the earliest came "
     f"{most * 1000:.0f} ms before its time")
END

done_testing
