#!/usr/bin/env bash
# kill -9 at each step of the dialogue, then again: every digest arrives, and
# none twice but for the one in flight, with the same Message-ID.
. "$(dirname "$0")/lib.sh"

start_smtp
SMTP+=" connections = 1;"
use_demo
run 0 fetch
cp -a "$T/state" "$T/fetched"

# killed WHERE N_MAILS RULE: killed when the server meets the rule; N_MAILS (one
# of these numbers) arrive over both runs.
killed() {
    new_state
    cp -a "$T/fetched/." "$T/state/"
    rm -rf "$T/inbox"
    mkdir "$T/inbox"
    smtp_rules <<<"[$3]"
    run_until "$SMTP_EVENTS" PAUSED send-now --no-fetch
    smtp_rules <<<'[]'
    WHAT="killed at $1" run 0 send-now --no-fetch
    check "all arrive, killed at $1" <<END
equal(received(), DEMO)
assert len(inbox()) in ($2,), len(inbox())
equal(len({mail["Message-ID"] for mail in inbox()}), 3)
END
    WHAT="a third time, killed at $1" run 0 send-now
    check "nothing is left to send, killed at $1" <<<"assert len(inbox()) in ($2,), len(inbox())"
}

for stage in connect ehlo mail rcpt data dot; do
    killed "$stage" 3 "{\"stage\": \"$stage\", \"do\": \"pause\"}"
done
# The commands travel with the message before, whose reply may not have been
# read when the kill comes.
for nth in 2 3; do
    for stage in mail rcpt data dot; do
        killed "$stage of message $nth" "3, 4" \
            "{\"stage\": \"$stage\", \"nth\": $nth, \"do\": \"pause\"}"
    done
done
for nth in 1 2 3; do
    killed "the reply to dot $nth, which was taken" 4 \
        "{\"stage\": \"dot\", \"nth\": $nth, \"do\": \"pause\", \"keep\": true}"
done

done_testing
