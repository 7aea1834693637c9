#!/usr/bin/env bash
# Two send-now at the same moment send each digest once.
. "$(dirname "$0")/lib.sh"

start_smtp
MANY=$SMTP
# One connection: what it has in flight is one message.
SMTP="$MANY connections = 1;"
use_demo
run 0 fetch
# The first holds its first message up, so that the second meets it sending.
smtp_rules <<<'[{"stage": "mail", "nth": 1, "do": "pause"}]'
"${PROGRAM[@]}" send-now --no-fetch >"$T/out1" 2>"$T/err1" &
FIRST=$!
PIDS+=("$FIRST")
wait_event "$SMTP_EVENTS" 'PAUSED mail' "$FIRST"
"${PROGRAM[@]}" send-now --no-fetch >"$T/out2" 2>"$T/err2" &
SECOND=$!
PIDS+=("$SECOND")
# The first dies here; the second must take over what it left.
{ kill -KILL "$FIRST" && wait "$FIRST"; } 2>/dev/null
wait "$SECOND"
is 'the second ends well' $? 0
check 'and sends what the first had begun' <<'END'
equal(received(), DEMO)
equal(len(inbox()), 3)
END

SMTP=$MANY
use_demo
for round in 1 2 3 4 5; do
    new_state
    rm -rf "$T/inbox"
    mkdir "$T/inbox"
    WHAT="round $round" run 0 fetch
    "${PROGRAM[@]}" send-now --no-fetch >"$T/out1" 2>"$T/err1" &
    FIRST=$!
    "${PROGRAM[@]}" send-now --no-fetch >"$T/out2" 2>"$T/err2" &
    SECOND=$!
    PIDS+=("$FIRST" "$SECOND")
    wait "$FIRST"
    is "the first ends well, round $round" $? 0
    wait "$SECOND"
    is "the second ends well, round $round" $? 0
    check "each digest was sent once, round $round" <<'END'
equal(len(inbox()), 3)
equal(received(), DEMO)
END
done

done_testing
