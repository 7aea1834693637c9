#!/usr/bin/env bash
# bench/run.sh BUILD-FOLDER: the main job at the size of a large institute, the
# SMTP sessions beside others' and the bench_* programs beside this file.
#
# 1,000 subscribers with filters of their own and a feed of 1,500 papers made of
# a small vocabulary, sent to a sink on loopback. READERS and PAPERS change it.
set -euo pipefail

build=$1
: "${READERS:=1000}" "${PAPERS:=1500}"
folder=$(mktemp -d "${TMPDIR:-/tmp}/arxmail-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/feeds" "$folder/state"
as_user=()
if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$folder"
    chown -R nobody: "$folder/state"
    as_user=(setpriv --reuid=nobody "--regid=$(id -g nobody)" --clear-groups)
fi
install -m 755 "$build/arxmail" "$folder/arxmail"

exec {sink}< <(exec "$build/tests/bench/sink")
sink_pid=$!
read -r -u "$sink" _ port

# Both are drawn from the same words, from a generator that always says the same.
awk -v readers="$READERS" -v papers="$PAPERS" -v folder="$folder" \
    -v port="$port" -f "$(dirname "$0")/make.awk"

status=0
"${as_user[@]}" /usr/bin/python3 "$(dirname "$0")/measure.py" \
    "$folder/arxmail" -c "$folder/arxmail.conf" send-now || status=$?
kill "$sink_pid"
read -r -u "$sink" _ messages _ bytes _ connections
printf '%d papers, %d subscribers: %d messages of %d bytes on average, %d %s\n' \
    "$PAPERS" "$READERS" "$messages" $((bytes / (messages ? messages : 1))) \
    "$connections" "connection(s)"

/usr/bin/python3 "$(dirname "$0")/smtp.py" "$build/tests/bench" || status=$?
"$(dirname "$0")/postfix.sh" "$build/tests/bench" || status=$?

for program in "$build"/tests/bench/bench_*; do
    case $program in
    *.o | *.d) ;;
    */bench_digest)
        /usr/bin/python3 "$(dirname "$0")/peer_digest.py" "$program"
        ;;
    *) "$program" ;;
    esac || status=$?
done
exit "$status"
