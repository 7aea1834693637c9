#!/usr/bin/env bash
# Memory runs out at one allocation after another, from when the database is
# open: the program says so and aborts, or goes on; the state is whole, and the
# next run sends what is left, nothing twice but what was in flight.
. "$(dirname "$0")/lib.sh"
. "$HERE/torture.sh"

[ "${#WRAPPER[@]}" -eq 0 ] || skip_all 'not under a wrapper'
ldd "$ARXMAIL" | grep -q asan && skip_all 'a sanitizer has its own malloc'
"${CC:-cc}" -O1 -shared -fPIC -D_GNU_SOURCE -o "$T/no_memory.so" \
    "$HERE/no_memory.c" || bail 'cc'
chmod 755 "$T/no_memory.so"
start_smtp
SMTP+=' connections = 1;' # which may leave one mail unknown
use_demo
mkdir "$T/told" "$T/begin"
chmod 777 "$T/told"

# Before an abort: ours, GLib's and cmark's words.
TELLS='out of memory|failed to allocate|returned null pointer'

# sweep WHAT ARGS: fails allocation 1, 2, 3 ... until a run has none left to
# fail: each one in `make torture`, else in ever larger steps. What is left is
# looked at in such steps at all times.
sweep() {
    local n=1 next=1 runs=0 aborts=0 crashes='' what=$1
    shift
    while :; do
        rm -rf "$T/state" "$T/inbox" "$T/told/yes"
        cp -a "$T/begin" "$T/state"
        mkdir "$T/inbox"
        { FAIL_AT=$n FAIL_TOLD=$T/told/yes LD_PRELOAD=$T/no_memory.so \
            timeout 60 "${PROGRAM[@]}" "$@" >"$T/out" 2>"$T/err" </dev/null
        } 2>/dev/null
        rc=$?
        [ -e "$T/told/yes" ] || break
        runs=$((runs + 1))
        case $rc in
        134 | 133) # ours and cmark's; GLib's is a trap
            aborts=$((aborts + 1))
            grep -Eq "$TELLS" "$T/err" ||
                crashes+=" $n:silent"
            ;;
        0 | 1 | 3) ;;
        *) crashes+=" $n:$rc" ;;
        esac
        if [ "$n" -ge "$next" ]; then
            after || crashes+=" $n:state"
            next=$((n + 1 + (n > 30 ? n / $(amount 6 60) : 0)))
        fi
        n=$(amount "$next" $((n + 1)))
    done
    diag "$what: $runs allocations failed of $n, $aborts aborts$crashes"
    is "$what: each run ended well" "$crashes" ''
    is "$what: there were runs" $((runs > 20)) 1
}

# The database is whole, and a run with memory does the rest.
after() {
    (cd "$T" && "$PYTHON" -c 'from mail import *; check_whole()') \
        2>"$T/err3" || return 1
    own "$T"/state/*
    "${PROGRAM[@]}" send-now --no-fetch >"$T/out2" 2>"$T/err2" </dev/null ||
        return 1
    (cd "$T" && "$PYTHON" -c 'from mail import *; check_demo_sent()') \
        2>"$T/err3"
}

diag() {
    printf '# %s\n' "$*"
}

run 0 fetch
rm -rf "$T/begin"
cp -a "$T/state" "$T/begin"
sweep 'preview' preview ada@example.org
sweep 'send-now' send-now --no-fetch
sweep 'fetch' fetch

done_testing
