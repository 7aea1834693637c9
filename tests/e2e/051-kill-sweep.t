#!/usr/bin/env bash
# kill -9 at every write to disk or socket of a run, one after the other, then
# again: every digest arrives, none twice but for the one in flight.
. "$(dirname "$0")/lib.sh"

[ -z "${TEST_WRAPPER-}" ] || skip_all 'strace and another wrapper do not mix'
if ldd "$ARXMAIL" | grep -q libasan; then
    skip_all 'strace and the leak sanitizer do not mix'
fi
strace -qq -o /dev/null /bin/true 2>/dev/null ||
    skip_all 'strace is not there or not allowed here'

start_smtp
SMTP+=" connections = 1;"
use_demo
run 0 fetch
cp -a "$T/state" "$T/fetched"

# killed_at SYSCALL K: its Kth call is its last. Says whether it came so far.
killed_at() {
    new_state
    cp -a "$T/fetched/." "$T/state/"
    rm -rf "$T/inbox"
    mkdir "$T/inbox"
    # Bash reports a killed program on the stderr of its own.
    {
        "${AS_USER[@]}" strace -qq -f -o /dev/null -e trace="$1" \
            -e "inject=$1:signal=KILL:when=$2" "$T/arxmail" -c "$CONF" \
            send-now --no-fetch >"$T/out" 2>&1 </dev/null
    } 2>/dev/null
    [ $? -ge 128 ]
}

# sweep SYSCALL STEP
sweep() {
    local k=1
    while killed_at "$1" "$k"; do
        "${PROGRAM[@]}" send-now --no-fetch >"$T/out" 2>"$T/err" </dev/null
        check "killed at $1 number $k" <<'END'
equal(received(), DEMO)
assert len(inbox()) in (3, 4), len(inbox())
equal(len({mail["Message-ID"] for mail in inbox()}), 3)
END
        k=$((k + $2))
    done
    is "$1 was reached at least five times" $((k > 5)) 1
}

sweep pwrite64 3
sweep fdatasync 1
sweep sendto 1

done_testing
