#!/usr/bin/env bash
# The daemon under a clock that is set: a batch that comes late, steps of a week,
# a machine that dies, a clock that is years behind. Each digest comes once.
. "$(dirname "$0")/lib.sh"

for LIBFAKETIME in /usr/lib/*/faketime/libfaketime.so.1; do :; done
[ -e "$LIBFAKETIME" ] || skip_all 'no libfaketime'
[ ${#WRAPPER[@]} -eq 0 ] || skip_all 'valgrind has its own idea of time'
ldd "$ARXMAIL" | grep -q libasan && skip_all 'ASan wants to be loaded first'

# set_clock TIME: what the daemon's wall clock shows from now on; UTC.
set_clock() {
    printf '%+d\n' $(($(date -d "$1" +%s) - $(date +%s))) >"$T/clock.new"
    mv "$T/clock.new" "$T/clock"
}

# jump TIME: and makes the daemon look, by a reload that changes nothing.
jump() {
    local either='^(reload: nothing was changed|schedule: the clock was set)'
    cp "$CONF" "$T/good"
    echo 'nonsense = 1;' >>"$CONF"
    set_clock "$1"
    kill -HUP "$DAEMON"
    wait_log "$either"
    wait_log "$either"
    cp "$T/good" "$CONF"
}

# counts N: each reader has so many mails.
counts() {
    check "each reader has $1" <<<"
for reader in DEMO:
    equal(len(inbox(reader)), $1)"
}

start_smtp
use_demo
# Root has become another user before the library is loaded.
cat >"$T/faked" <<END
#!/bin/sh
LD_PRELOAD=$LIBFAKETIME FAKETIME_TIMESTAMP_FILE=$T/clock FAKETIME_NO_CACHE=1 \
    FAKETIME_DONT_FAKE_MONOTONIC=1 exec "$T/arxmail" "\$@"
END
chmod 755 "$T/faked"
PROGRAM=("${AS_USER[@]}" "$T/faked" -c "$CONF")

# A Tuesday, half past midnight in New York; cs.CL is late.
mv "$T/feeds/cs.CL.xml" "$T/late.xml"
set_clock '2026-11-24 05:30 UTC'
start_daemon
wait_log '^category math.NT: fresh'
jump '2026-11-24 07:31 UTC'
wait_log '^subscriber emmy@example.org: sent: 5 papers'
run 0 status
printed 'the others wait' "ada@example\.org: waiting: for today's batch of cs\.CL"
mv "$T/late.xml" "$T/feeds/cs.CL.xml"
jump '2026-11-24 08:15 UTC'
wait_log '^category cs.CL: fresh'
wait_log '^queue: sent 2,'
check 'when it comes, they get it at once' <<<'equal(received(), DEMO)'

# Back and forth.
jump '2026-11-17 09:00 UTC'
jump '2026-11-24 09:00 UTC'
counts 1

# The next day's batch; the machine dies while it is sent.
for feed in "$T"/feeds/*.xml; do
    sed -i 's/2611\.9/2611.7/g' "$feed"
done
smtp_rules <<<'[{"stage": "dot", "nth": 2, "do": "close", "keep": true}]'
jump '2026-11-25 07:31 UTC'
wait_log '^subscriber .*: sent: '
kill -KILL "$DAEMON"
wait "$DAEMON" 2>/dev/null
smtp_rules <<<'[]'
set_clock '2026-11-25 08:31 UTC'
start_daemon
wait_log '^queue: sent '
end_daemon 0 TERM
check 'all have the new batch, repeats with the same Message-ID' <<'END'
for reader in DEMO:
    mails = inbox(reader)
    assert len({mail["Message-ID"] for mail in mails}) == 2, reader
    equal(sum(mail["Message-ID"] == mails[0]["Message-ID"]
              for mail in mails), 1)
END
check 'and at most one of them twice' <<'END'
assert len(inbox()) <= 2 * len(DEMO) + 1, len(inbox())
END
before=$(ls "$T/inbox")

# Years behind, then right again.
set_clock '2001-01-01 09:00 UTC'
start_daemon
jump '2026-11-25 12:00 UTC'
end_daemon 0 TERM
is 'nothing comes again' "$(ls "$T/inbox")" "$before"

done_testing
