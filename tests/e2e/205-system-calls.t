#!/usr/bin/env bash
# System calls fail one at a time, from when the database is open: the program
# goes on where the call can be made again, else it says what failed; the state
# is whole, and the next run sends what is left.
. "$(dirname "$0")/lib.sh"
. "$HERE/torture.sh"

ldd "$ARXMAIL" | grep -q asan && skip_all 'a sanitizer makes calls of its own'
strace -o "$T/trace" true 2>"$T/err" || skip_all "strace: $(cat "$T/err")"
printf '%s\n' "${PROGRAM[@]}" >"$T/program"
start_smtp
SMTP+=' connections = 1;' # which may leave one mail unknown
start_feeds
feed_script <<'END'
{"/cs.CL": [{"file": "feeds/cs.CL.xml"}],
 "/hep-lat": [{"file": "feeds/hep-lat.xml"}],
 "/math.NT": [{"file": "feeds/math.NT.xml"}]}
END
WEB_URL=$FEED_URL
FEED_URL="file://$T/feeds/{category}.xml"
use_demo

cp "$CONF" "$T/files.conf"

# inject NAME BEGIN ARGS: Python has the details.
inject() {
    if (cd "$T" && exec "$PYTHON" "$HERE/inject.py" "$1" "$2" "$CONF" \
        "${@:3}") >"$T/check" 2>&1; then
        grep '^#' "$T/check"
        pass "$1: each run ended well"
    else
        fail "$1: each run ended well" <"$T/check"
    fi
}

cp -a "$T/state" "$T/empty"
run 0 fetch
cp -a "$T/state" "$T/fetched"
inject 'preview' fetched preview ada@example.org
inject 'send-now' fetched send-now --no-fetch
inject 'fetch' empty fetch

# Over the network one category, because three seconds lie between requests.
FEED_URL=$WEB_URL
config <<'END'
{ email = "ada@example.org"; categories = ["cs.CL"]; }
END
inject 'fetch by HTTP' empty fetch

# ---- what is told of it ----

PROGRAM=(strace -f -qq -o "$T/trace" -e trace=socket
    -e inject=socket:error=EMFILE "${PROGRAM[@]}")
new_state
WHAT='no sockets' run 1 fetch
said 'of a feed' 'cs.CL: unreachable: .*no socket for it .Too many open files'
FEED_URL="file://$T/feeds/{category}.xml"
use_demo
rm -rf "$T/state"
cp -a "$T/fetched" "$T/state"
WHAT='no sockets' run 1 send-now --no-fetch
said 'of the relay' 'gets no connection .Too many open files.*gives no socket'

done_testing
