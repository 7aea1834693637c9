#!/usr/bin/env bash
# kill -9 at random dots of a run over four connections, again and again until a
# run ends by itself: nothing is lost, and repeats are at most one for each open
# connection and kill, each with the Message-ID that it had.
. "$(dirname "$0")/lib.sh"

SUBSCRIBERS=80
CONNECTIONS=4
start_smtp
SMTP+=" connections = $CONNECTIONS;"
use_demo
for ((i = 1; i <= SUBSCRIBERS; i++)); do
    printf '%s{ email = "reader%d@example.org"; categories = ["cs.CL"]; }\n' \
        "$([ "$i" -eq 1 ] || echo ,)" "$i"
done | config
run 0 fetch

kills=0
for nth in 3 11 7 2 19 5 1 13; do
    # From there on every connection waits, or the others would send on until
    # the kill comes, perhaps all there is.
    smtp_rules <<END
[{"stage": "dot", "from": $nth, "do": "pause", "keep": true}]
END
    run_until "$SMTP_EVENTS" PAUSED send-now --no-fetch
    kills=$((kills + 1))
done
smtp_rules <<<'[]'
run 0 send-now --no-fetch
check 'everybody has the digest, and hardly anybody twice' <<END
mails = inbox()
equal(len({mail.to for mail in mails}), $SUBSCRIBERS)
equal(len({mail["Message-ID"] for mail in mails}), $SUBSCRIBERS)
repeats = len(mails) - $SUBSCRIBERS
assert repeats <= $kills * $CONNECTIONS, repeats
END
run 0 send-now
check 'nothing is left to send' <<END
equal(len({mail.to for mail in inbox()}), $SUBSCRIBERS)
END

done_testing
