# shellcheck shell=bash
#
# What the end-to-end tests share. A test is a bash script that sources this
# file, runs the real program and speaks TAP:
#
#     . "$(dirname "$0")/lib.sh"
#     start_smtp; feed cs.CL "$DEMO/cs.CL.xml"
#     config <<'END'
#     { email = "ada@example.org"; categories = ["cs.CL"]; }
#     END
#     run 0 send-now
#     said 'tells how many were sent' '1 sent'
#     check 'ada has her papers' <<'END'
#     assert ids(inbox()[0]) == {"2611.90001"}
#     END
#     done_testing
#
# Each test has a folder of its own, $T, which goes when the test ends (KEEP=1
# keeps it). Servers listen on free ports; readiness and moments are events that
# they print, so nothing here sleeps. As root the program runs as nobody, who
# owns $T/state.
set -u

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck disable=SC2034
DEMO=$ROOT/tests/demo/feeds
PYTHON=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$HERE
export TZ=UTC LC_ALL=C.UTF-8
# More than the slowest case needs: a feed that stalls, under valgrind.
TIMEOUT_SEC=240
read -r -a WRAPPER <<<"${TEST_WRAPPER-}"

# ---- TAP ----

N_TESTS=0
N_FAILED=0

# Shows stdin as a diagnostic.
diag() {
    sed 's/^/#   /'
}

pass() {
    N_TESTS=$((N_TESTS + 1))
    printf 'ok %d - %s\n' "$N_TESTS" "$1"
}

# What went wrong is on stdin (not by a pipe: that would count in a subshell).
fail() {
    N_TESTS=$((N_TESTS + 1))
    N_FAILED=$((N_FAILED + 1))
    printf 'not ok %d - %s\n' "$N_TESTS" "$1"
    diag
}

# is NAME GOT WANTED
is() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" < <(printf 'got:    %s\nwanted: %s\n' "$2" "$3")
    fi
}

# like NAME FILE ERE: a line of the file matches.
like() {
    if grep -qE -- "$3" "$2"; then
        pass "$1"
    else
        fail "$1" < <(echo "no line matches: $3" && cat "$2")
    fi
}

# unlike NAME FILE ERE: no line does.
unlike() {
    if grep -qE -- "$3" "$2"; then
        fail "$1" < <(echo "a line matches: $3" && cat "$2")
    else
        pass "$1"
    fi
}

# The same for what the last run said on stderr, or printed on stdout.
said() {
    like "$1" "$T/err" "$2"
}

printed() {
    like "$1" "$T/out" "$2"
}

# check NAME: Python on stdin, with tests/e2e/mail.py's names, raises nothing.
check() {
    local code
    code=$(cat)
    if printf 'from mail import *\n%s\n' "$code" |
        (cd "$T" && "$PYTHON" -) >"$T/check" 2>&1; then
        pass "$1"
    else
        fail "$1" <"$T/check"
    fi
}

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

done_testing() {
    echo "1..$N_TESTS"
    exit $((N_FAILED > 0))
}

# The test itself cannot go on.
bail() {
    echo "# $1"
    exit 1
}

# ---- the folder and its end ----

PIDS=()

clean_up() {
    local pid
    for pid in "${PIDS[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    if [ -n "${KEEP-}" ]; then
        echo "# kept: $T"
    else
        rm -rf "$T"
    fi
}

T=$(mktemp -d "${TMPDIR:-/tmp}/arxmail-e2e.XXXXXX") || exit 1
trap clean_up EXIT
trap 'exit 1' INT TERM
chmod 755 "$T"

# The user that the program runs as, and what makes a command run so.
AS_USER=()
OWNER=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
    OWNER=nobody
    AS_USER=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
fi

# own PATH...: they belong to that user.
own() {
    [ "${#AS_USER[@]}" -eq 0 ] || chown "$OWNER:$(id -g "$OWNER")" "$@"
}

: "${ARXMAIL:=$ROOT/build/release/arxmail}"
[ -x "$ARXMAIL" ] || bail "there is no program: $ARXMAIL"
# A copy, because that user may not be able to reach the project's folder.
install -m 755 "$ARXMAIL" "$T/arxmail"
mkdir "$T/feeds" "$T/home"
own "$T/home"
export HOME=$T/home

# A new, empty state. Any one before it is forgotten.
new_state() {
    rm -rf "$T/state"
    mkdir -m 750 "$T/state"
    own "$T/state"
}
new_state

# ---- servers ----

# start_server NAME PROGRAM ARGS...: sets PORT, and FD to where its events are.
start_server() {
    local name=$1
    shift
    exec {FD}< <(exec "$PYTHON" "$HERE/servers/$1" "${@:2}" 2>"$T/$name.err")
    PIDS+=($!)
    read -r -t 60 -u "$FD" _ PORT || bail "$name: $(cat "$T/$name.err")"
}

# next_line FD PID: LINE is the next one; fails when PID has ended or the time is
# up. A second may be up in the middle of a line.
next_line() {
    local part until=$((SECONDS + TIMEOUT_SEC))
    LINE=
    until read -r -t 1 -u "$1" part; do
        LINE+=$part
        kill -0 "$2" 2>/dev/null && [ "$SECONDS" -lt "$until" ] || return 1
    done
    LINE+=$part
}

# wait_event FD TEXT [PID]: the server's next event begins so. It comes while the
# program PID runs, or has come already.
wait_event() {
    next_line "$1" "${3-ended}" || bail "no event before the end: $2"
    [[ $LINE == "$2"* ]] || bail "the event is not $2 but $LINE"
}

# start_smtp [ARGS]: messages go to $T/inbox. start_smtp_tls: with STARTTLS, and
# AUTH as digest with the password of $T/password.
start_smtp() {
    start_server smtp smtp_server.py "$T/inbox" --script "$T/smtp.json" "$@"
    # shellcheck disable=SC2034
    SMTP_PORT=$PORT SMTP_EVENTS=$FD
    SMTP="url = \"smtp://127.0.0.1:$PORT\"; tls = \"none\";"
}

start_smtp_tls() {
    make_certificate relay
    printf 'correct horse\n' >"$T/password"
    chmod 600 "$T/password"
    own "$T/password"
    start_smtp --cert "$T/relay.crt" --key "$T/relay.key" \
        --user digest --password 'correct horse'
    SMTP="url = \"smtp://localhost:$PORT\"; ca_file = \"$T/relay.crt\";
          username = \"digest\"; password_file = \"$T/password\";"
}

# make_certificate NAME: $T/NAME.crt and .key, for localhost.
make_certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -keyout "$T/$1.key" -out "$T/$1.crt" 2>/dev/null || bail "openssl"
}

# smtp_rules: the server's script on stdin; none forgets it.
smtp_rules() {
    cat >"$T/smtp.json.new"
    mv "$T/smtp.json.new" "$T/smtp.json"
}

# start_feeds: $T/feeds.json is its script, $T/requests.jsonl its log, FEED_TLS
# its certificate and key, if it is to have one.
FEED_TLS=()
start_feeds() {
    [ -e "$T/feeds.json" ] || echo '{}' >"$T/feeds.json"
    start_server feeds feed_server.py "$T/feeds.json" "$T/requests.jsonl" \
        "${FEED_TLS[@]}"
    # shellcheck disable=SC2034
    FEED_EVENTS=$FD
    FEED_URL="http://127.0.0.1:$PORT/{category}"
}

feed_script() {
    cat >"$T/feeds.json.new"
    mv "$T/feeds.json.new" "$T/feeds.json"
}

# start_llm: $T/llm.json is its script, $T/llm.jsonl its log. LLM is how a config
# finds it.
start_llm() {
    llm_script <<<'{}'
    start_server llm llm_server.py "$T/llm.json" "$T/llm.jsonl"
    # shellcheck disable=SC2034
    LLM_EVENTS=$FD
    # shellcheck disable=SC2034
    LLM="url = \"http://127.0.0.1:$PORT/v1\"; model = \"test-model\";"
}

llm_script() {
    cat >"$T/llm.json.new"
    mv "$T/llm.json.new" "$T/llm.json"
}

# feed CATEGORY FILE: what the category announces, where feeds are file: URLs.
feed() {
    cp "$2" "$T/feeds/$1.xml"
}

# ---- the program ----

FEED_URL="file://$T/feeds/{category}.xml"
OAI_URL=http://127.0.0.1:9/oai
SMTP='url = "smtp://127.0.0.1:9"; tls = "none";'
CONF=$T/arxmail.conf
MORE=

# config: the subscribers are on stdin, each as a group. $MORE is any other
# setting.
config() {
    cat >"$CONF" <<END
state_dir = "$T/state";
sender: { from = "arXiv digest <digest@example.org>"; };
smtp: { $SMTP };
feeds: { contact = "admin@example.org"; url = "$FEED_URL";
         oai_url = "$OAI_URL"; poll_from = "00:00"; poll_until = "23:59"; };
$MORE
subscribers = (
$(cat)
);
END
}

# A simple command, so that in the background $! is the program itself.
PROGRAM=("${AS_USER[@]}" "${WRAPPER[@]}" "$T/arxmail" -c "$CONF")

# run STATUS ARGS...: what it prints is in $T/out, what it says in $T/err, and
# its exit status is a test. The test's name ends in $WHAT.
WHAT=
run() {
    local wanted=$1 status
    shift
    timeout -k 5 "$TIMEOUT_SEC" "${PROGRAM[@]}" "$@" >"$T/out" 2>"$T/err" \
        </dev/null
    status=$?
    if [ "$status" -eq "$wanted" ]; then
        pass "$* exits with $status${WHAT:+: $WHAT}"
    else
        fail "$* exits with $wanted${WHAT:+: $WHAT}" \
            < <(echo "got $status, wanted $wanted" && cat "$T/err" "$T/out")
    fi
    WHAT=
}

# run_until FD EVENT ARGS...: starts it, waits for the server's event, kills it.
run_until() {
    local fd=$1 event=$2
    shift 2
    "${PROGRAM[@]}" "$@" >"$T/out" 2>"$T/err" </dev/null &
    local pid=$!
    PIDS+=("$pid")
    wait_event "$fd" "$event" "$pid"
    { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null
}

# start_daemon: its log is an event a line, see wait_log. DAEMON is its pid.
start_daemon() {
    exec {LOG}< <(exec "${PROGRAM[@]}" daemon 2>&1 </dev/null)
    DAEMON=$!
    PIDS+=("$DAEMON")
    : >"$T/log"
    wait_log '^started'
}

# wait_log ERE: the next line of the daemon's log that matches. All of them are
# in $T/log.
wait_log() {
    while next_line "$LOG" "$DAEMON"; do
        printf '%s\n' "$LINE" >>"$T/log"
        [[ $LINE =~ $1 ]] && return
    done
    bail "not in the log: $1: $(cat "$T/log")"
}

# end_daemon STATUS SIGNAL: its end is a test.
end_daemon() {
    [ "$2" = none ] || kill "-$2" "$DAEMON"
    local status
    wait "$DAEMON" 2>/dev/null
    status=$?
    cat <&"$LOG" >>"$T/log"
    exec {LOG}<&-
    if [ "$status" = "$1" ]; then
        pass "the daemon ends with $1"
    else
        fail "the daemon ends with $1, not $status" <"$T/log"
    fi
}

# make_due: everybody's next digest is due at once.
make_due() {
    (cd "$T" && "$PYTHON" -c 'from mail import *
make_due()') || bail "make_due"
    own "$T"/state/*
}

# Everything that the store holds, as one hash.
store_hash() {
    (cd "$T" && "$PYTHON" -c 'from mail import *; print(store_hash())')
}

# The demo's feeds, and three subscribers whose papers are known.
use_demo() {
    cp "$DEMO"/*.xml "$T/feeds/"
    config <<'END'
{ email = "ada@example.org"; name = "Ada"; categories = ["cs.CL"];
  keywords = ["large language model", "retrieval-augmented", "quantiz*"];
  authors = ["Hajdušek"]; exclude = ["survey"]; },
{ email = "emmy@example.org"; categories = ["hep-lat", "math.NT"];
  topics = (
    { name = "Lattice"; query = "ti:lattice AND (QCD OR \"gauge theory\")"; },
    { name = "People"; query = "au:Drozd OR au:\"K. Günther\""; },
    { name = "Curves"; keywords = ["elliptic curve"]; } ); },
{ email = "wei@example.org"; name = "魏"; language = "zh";
  categories = ["cs.CL", "math.NT"]; authors = ["Szabó"];
  keywords = ["tokeniz*", "dictionar*", "digits"]; }
END
}

# pass_days N: all that the store knows happened N days earlier.
pass_days() {
    (cd "$T" && "$PYTHON" -c 'import sys; from mail import *
pass_days(int(sys.argv[1]))' "$1") || bail "pass_days"
    own "$T"/state/*
}
