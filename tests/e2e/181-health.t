#!/usr/bin/env bash
# The admin is told of what changes: a feed that fails and is back, and a relay
# that refused everybody.
. "$(dirname "$0")/lib.sh"

# to_admin N TEXT...: the admin has N mails, and the last holds the texts.
to_admin() {
    local n=$1
    shift
    check "the admin has $n mails: $*" <<END
mails = inbox("ops@example.org")
equal(len(mails), $n)
body = mails[-1].text
for text in ("$1", "${2-}"):
    assert text in body.replace("\n", " "), body
assert mails[-1]["Subject"].startswith("arxmail: "), mails[-1]["Subject"]
assert not mails[-1]["List-Id"], mails[-1]
END
}

# hours_pass: for what was told last, an hour has passed.
hours_pass() {
    sql "UPDATE ill SET since = since - 7200 WHERE subject = 'last mail'"
}
sql() {
    (cd "$T" && "$PYTHON" -c 'import sqlite3, sys
with sqlite3.connect("state/arxmail.db") as db: db.execute(sys.argv[1])' "$1")
    own "$T"/state/*
}

start_smtp
use_demo
sed -i 's/^sender: {/&  admin = "ops@example.org";/' "$CONF"
run 0 check
run 0 fetch

# Yesterday's feed was broken, wherever the clock is now: the last weekday that
# arXiv's calendar has.
DAY=$(date -d 'TZ="America/New_York" -1 day' +%F)
sql "DELETE FROM outcome WHERE name = 'cs.CL'"
for back in {1..12}; do
    sql "INSERT INTO outcome (of, name, day, outcome, reason, at)
        VALUES (0, 'cs.CL', $(date -d "$DAY" +%s) / 86400 - $back, 4, 'no answer', 1)"
done
rm "$T/feeds/cs.CL.xml"
start_daemon
wait_log '^health: told ops@example\.org: arxmail: cs\.CL has not come since'
end_daemon 0 TERM
to_admin 1 'cs.CL has not come since' "arxmail check feeds"

cp "$DEMO/cs.CL.xml" "$T/feeds/"
hours_pass
sed -i 's/2611\.9/2611.7/g' "$T/feeds/cs.CL.xml"
run 0 fetch
start_daemon
wait_log '^health: told ops@example\.org: arxmail: cs\.CL comes again'
end_daemon 0 TERM
to_admin 2 'cs.CL comes again'

hours_pass
smtp_rules <<<'[{"stage": "mail", "reply": "550 5.7.1 go away"}]'
make_due
start_daemon
wait_log '^relay: takes nothing'
end_daemon 0 TERM
start_daemon
wait_log '^health: the relay takes nothing since .*go away'
end_daemon 0 TERM
smtp_rules <<<'[]'
run 0 send-now --no-fetch
start_daemon
wait_log '^health: told ops@example\.org: arxmail: the relay takes mails again'
end_daemon 0 TERM
to_admin 3 'the relay takes mails again' 'go away'

start_daemon
wait_log '^category math.NT: '
end_daemon 0 TERM
to_admin 3 'the relay takes mails again'

done_testing
