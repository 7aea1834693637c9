#!/usr/bin/env bash
# bench/run.sh BUILD-FOLDER: the whole run of many subscribers, the SMTP sessions
# beside others', a daemon that is busy, one that is idle (ten minutes), and the
# bench_* programs beside this file.
set -euo pipefail

build=$1
status=0
/usr/bin/python3 "$(dirname "$0")/whole.py" "$build" || status=$?
/usr/bin/python3 "$(dirname "$0")/smtp.py" "$build/tests/bench" || status=$?
"$(dirname "$0")/postfix.sh" "$build/tests/bench" || status=$?
/usr/bin/python3 "$(dirname "$0")/latency.py" "$build" || status=$?
/usr/bin/python3 "$(dirname "$0")/idle.py" "$build" || status=$?

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
