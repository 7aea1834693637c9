#!/usr/bin/env bash
# kill -9 at random moments of runs over four connections, again and again until
# one ends by itself: nothing is lost, and repeats are at most one for each open
# connection and kill, each with the Message-ID that it had.
. "$(dirname "$0")/lib.sh"
. "$HERE/torture.sh"

readers "$(amount 300 2000)"
torture 'kills at random moments' <<'END'
import time

relay = start_relay()
total = Sum("kills at random moments")
began = time.monotonic()
story = Story(N)
total.finish(story, send())
duration = time.monotonic() - began

while total.n_ends < amount(40, 300):
    story = Story(N)
    status = -signal.SIGKILL
    while status == -signal.SIGKILL:
        open_then = []
        run = start()

        def kill():
            open_then.append(relay.n_open)
            run.kill()

        # A moment of the dialogue, or of anything.
        if DRAW.random() < 0.75:
            relay.arm(*draw_moment(N // 5), kill)
            status = end(run)
        else:
            try:
                status = run.wait(DRAW.uniform(0, duration * 0.6))
            except subprocess.TimeoutExpired:
                kill()
                status = end(run)
        relay.disarm()
        relay.drain()
        if status == -signal.SIGKILL:
            story.note_end(open_then[0])
    total.finish(story, status)
    n = len(accepted())
    assert send() == 0 and len(accepted()) == n, "something was left to send"
total.tell()
END

done_testing
