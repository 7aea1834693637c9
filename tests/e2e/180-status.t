#!/usr/bin/env bash
# What `status` shows: for a person, for a program, and for Prometheus.
. "$(dirname "$0")/lib.sh"

# The days of subscribers begin with those of categories.
MORE='defaults: { timezone = "America/New_York"; };'

# shows NAME ERE...: lines of stdout, in this order.
shows() {
    local name=$1 line rest
    shift
    rest=$(<"$T/out")
    for line; do
        if ! grep -qE -- "$line" <<<"$rest"; then
            fail "$name" < <(echo "not there, or not in order: $line" && cat "$T/out")
            return
        fi
        rest=$(sed -E "0,/${line//\//\\/}/d" <<<"$rest")
    done
    pass "$name"
}

start_smtp
use_demo
WHAT='before anything' run 1 status
said 'it says what to do' 'there is no database yet: run .arxmail fetch.'
(cd "$T" && "${PROGRAM[@]}" resume ada@example.org) >/dev/null 2>&1
WHAT='before the first feed' run 0 status
shows 'nothing is known yet' '^categories +[MTWFS]{14}  to 20' \
    '^  cs\.CL +\.{14}  nothing yet$' '^  ada@example\.org +\.{14}  nothing yet$' \
    '^deliveries' '^  next digests .*, 3 subscribers$'

echo nonsense >"$T/feeds/hep-lat.xml"
smtp_rules <<<'[{"stage": "rcpt", "match": "wei", "reply": "450 4.2.1 later"}]'
run 3 send-now
run 0 status
shows 'each has its character and its reason' \
    '^  cs\.CL +\.{13}\+  fresh: 16 papers, 16 of them new$' \
    '^  hep-lat +\.{13}\?  invalid$' '^  newest: 2 fresh, 1 invalid$' \
    '^  \+ fresh ' \
    '^  ada@example\.org +\.{13}\+  sent: 6 papers, by hand at [0-9:]{5}$' \
    '^  wei@example\.org +\.{13}d  deferred$' \
    '^what went wrong$' '^  20[0-9-]{8}  hep-lat: invalid: ' \
    '^  20[0-9-]{8}  wei@example\.org: deferred: .*450 4\.2\.1 later' \
    '^  deferred +1, the oldest of ' '^mails that did not arrive'
check 'lines fit a terminal' <<'END'
for line in open("out"):
    if line.startswith("what went wrong"):
        break
    assert len(line) <= 81, line
END
like 'its lines are as wide as the table says' "$T/out" '^subscribers {14}'

pass_days 1
cp "$DEMO/hep-lat.xml" "$T/feeds/"
smtp_rules <<<'[]'
run 0 send-now
run 0 status --days 3
shows 'days move to the left' '^categories +[MTWFS]{3}  to' \
    '^  cs\.CL +\.\+=  stale' '^  hep-lat +\.\?\+  fresh' \
    '^  ada@example\.org +\.\+w  waiting' \
    '^  20[0-9-]{8}  ada@example\.org: waiting: no new batch of cs\.CL$'
run 0 status wei@example.org
shows 'one name, day by day' '^  wei@example\.org' '^day by day$' \
    '^  20[0-9-]{8}  wei@example\.org: sent: '
unlike 'and nothing else' "$T/out" '^categories|deliveries'
run 0 status cs.CL
shows 'a category' '^  cs\.CL ' '^day by day' 'cs\.CL: fresh: 16 papers'
run 1 status nobody@example.org
said 'an unknown name' 'nobody@example\.org'
run 2 status --days 91
run 2 status --days x

run 0 status --json
check 'a program reads it' <<'END'
import json
status = json.load(open("out"))
equal(set(status), {"at", "categories", "subscribers", "next_digests",
                    "deliveries", "relay_trouble", "model", "suspended",
                    "undelivered"})
equal([c["name"] for c in status["categories"]],
      ["cs.CL", "hep-lat", "math.NT"])
lat = status["categories"][1]["days"]
equal([day["outcome"] for day in lat], ["invalid", "fresh"])
assert lat[0]["day"] < lat[1]["day"] and not lat[0]["recovered"], lat
ada = status["subscribers"][0]
equal(ada["email"], "ada@example.org")
equal(ada["days"][0]["outcome"], "sent")
equal(status["relay_trouble"], None)
equal(status["next_digests"]["subscribers"], 3)
equal(status["deliveries"]["deferred"], 0)
END

run 0 status --prometheus
cp "$T/out" "$T/metrics"
printed 'metrics of categories' '^arxmail_categories\{outcome="fresh"\} 1$'
printed 'and of what was sent' '^arxmail_sent_last_day [1-9]'
unlike 'no subscriber is named' "$T/metrics" 'example\.org'
if command -v promtool >/dev/null; then
    promtool check metrics <"$T/metrics" >"$T/lint" 2>&1
    is 'promtool finds no fault' "$?$(cat "$T/lint")" 0
else
    pass 'promtool finds no fault # SKIP there is no promtool'
fi

done_testing
