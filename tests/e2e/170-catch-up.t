#!/usr/bin/env bash
# Days that were missed come from OAI-PMH: by hand and by the daemon, however
# its server behaves, once, and in bounds.
. "$(dirname "$0")/lib.sh"

# What the archive has. Six days ago the feed was asked last; a paper of each
# working day since then is missing. Days are New York's.
cat >"$T/archive.py" <<'END'
import json
import sys
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
TODAY = datetime.now(NEW_YORK).date()


def work_day(day, step):
    while day.weekday() > 4:
        day += timedelta(step)
    return day


def submitted_for(day):
    """When a paper of that day's feed may have been submitted."""
    before = work_day(day - timedelta(1), -1)
    at = datetime(before.year, before.month, before.day, 10, tzinfo=NEW_YORK)
    return format_datetime(at.astimezone(timezone.utc), usegmt=True)


def record(number, submitted, *more, categories=("cs.CL",)):
    return {"id": f"2612.{number}", "changed": str(TODAY),
            "versions": [submitted, *more], "categories": categories}


MISSED = [day for day in (TODAY - timedelta(n) for n in range(5, 0, -1))
          if day.weekday() < 5]
NEXT = work_day(TODAY, 1)


def records():
    """Of each missed day a paper, and what is none of them."""
    recent = submitted_for(MISSED[-1])
    return [record(f"0000{n}", submitted_for(day))
            for n, day in enumerate(MISSED)] + [
        record("00010", recent, recent, categories=("cs.LG", "cs.CL")),
        record("00011", "Mon, 06 Jan 2025 15:00:00 GMT", recent),
        record("00012", submitted_for(NEXT)),
        record("00013", recent, categories=("cs.LG",)),
    ]


RECOVERED = {f"2612.0000{n}" for n in range(len(MISSED))} | {"2612.00010"}

if __name__ == "__main__":
    json.dump({"page": 2, "records": records() if sys.argv[1] == "all" else [],
               "faults": json.loads(sys.argv[2])}, sys.stdout)
END
export PYTHONPATH=$PYTHONPATH:$T

# archive all|none [FAULTS]
archive() {
    "$PYTHON" "$T/archive.py" "$1" "${2-[]}" >"$T/oai.json.new" ||
        bail 'archive.py'
    mv "$T/oai.json.new" "$T/oai.json"
    : >"$T/requests.jsonl"
}

# next_day N: the category's new papers.
next_day() {
    sed "s/2611\.9/2611.$1/g" "$DEMO/cs.CL.xml" >"$T/feeds/cs.CL.xml"
}

# A state in which cs.CL was asked N days ago for the last time.
asked_days_ago() {
    new_state
    rm -rf "$T/inbox"
    mkdir "$T/inbox"
    feed cs.CL "$DEMO/cs.CL.xml"
    run 0 send-now
    pass_days "$1"
    rm -rf "$T/inbox"
    mkdir "$T/inbox"
    next_day 8
}

archive all
start_server oai oai_server.py "$T/oai.json" "$T/requests.jsonl"
OAI_URL="http://127.0.0.1:$PORT/oai"
start_smtp
config <<<'{ id = "ada"; email = "ada@example.org"; categories = ["cs.CL"];
             send_at = "00:00"; max_papers = 500; }'
SINCE=$(TZ=America/New_York date -d '-6 days' +%F)

WHAT='no date' run 2 fetch --since yesterday
said 'it shows a date' "needs a date like .*, not 'yesterday'"

# ---- the first run ----

feed cs.CL "$DEMO/cs.CL.xml"
WHAT='the first run' run 0 fetch --since "$SINCE"
said 'nothing is missing' 'cs\.CL: catching up: its feed was never fetched'
start_daemon
wait_log 'category cs.CL: '
end_daemon 0 TERM
check 'nobody asked the archive' <<'END'
equal(requests(), [])
END

# ---- by hand ----

# The first page: busy, then there. The second: broken once, then goes on.
asked_days_ago 6
archive all '[{"status": 503, "headers": {"Retry-After": "1"}},
              null, {"status": 500}]'
WHAT='by hand' run 0 fetch --since "$SINCE"
printed 'it counts' '^[456] papers recovered of 1 category; replacements are not'
check 'each page was asked for until it came, in its time' <<'END'
from urllib.parse import parse_qs, urlsplit
asked = requests()
queries = [parse_qs(urlsplit(line["path"]).query) for line in asked]
tokens = [query.get("resumptionToken", [""])[0] for query in queries]
equal(tokens[0], tokens[1])
equal(tokens[2], tokens[3])
equal(tokens[0], "")
assert len(set(tokens)) == len(tokens) - 2 >= 3, tokens
equal(queries[0]["set"], ["cs:cs:CL"])
for last, line in zip(asked, asked[1:]):
    assert line["at"] - last["at"] > 2.9, asked
END
check 'the papers of the missed days are stored as of these days' <<'END'
import archive
from datetime import date
days = [(day - date(1970, 1, 1)).days for day in archive.MISSED]
database = sqlite3.connect(STORE)
rows = database.execute(
    "SELECT id, version, type, day FROM announcement JOIN paper USING (paper_no)"
    " WHERE id LIKE '2612.00%' ORDER BY id").fetchall()
equal(rows, [(f"2612.0000{n}", 1, 0, day) for n, day in enumerate(days)] +
      [("2612.00010", 1, 1, days[-1])])
rows = dict(database.execute(
    "SELECT day, reason FROM outcome WHERE of = 0 AND recovered_day > 0"))
for day in days[:-1]:
    equal(rows[day], "arxmail did not run; recovered 1 paper, no replacements")
equal(rows[days[-1]],
      "arxmail did not run; recovered 2 papers, no replacements")
END
WHAT='the same once more' run 0 fetch --since "$SINCE"
printed 'nothing is new' '^0 papers recovered of 1 category'
run 0 send-now
run 0 send-now
check 'the next digest has them, with what is new today, and no other one' <<'END'
import archive
got = ids(only("ada@example.org"))
assert archive.RECOVERED <= got, got
assert any(paper.startswith("2611.8") for paper in got), got
assert not {"2612.00011", "2612.00012", "2612.00013"} & got, got
END

asked_days_ago 6
archive all '[null, {"body": "<html><body>Log in</body></html>"}]'
WHAT='a page that is none' run 3 fetch --since "$SINCE"
said 'it says so' 'cs\.CL: catching up: .*HTML page'
archive all '[{"status": 503, "headers": {"Retry-After": "2000"}}]'
WHAT='sent away' run 3 fetch --since "$SINCE"
said 'it says for how long' 'cs\.CL: catching up: .*503; try again in 2000 s'
check 'it does not wait so long, nor ask before' <<'END'
equal(len(requests()), 1)
END

# ---- the daemon ----

# Page by page, and then no more today.
asked_days_ago 6
archive all '[null, null, {"status": 503, "headers": {"Retry-After": "2000"}}]'
start_daemon
wait_log 'category cs.CL: catching up: .*503; try again in 2000 s'
like 'the feed was asked before' "$T/log" '^category cs.CL: fresh: '
end_daemon 0 TERM
check 'it asked for three pages' <<'END'
equal(len(requests()), 3)
END

# It begins anew after a restart, and loses and doubles nothing.
archive all
make_due
start_daemon
wait_log 'category cs.CL: catching up: recovered [0-9]+ papers? of .*; replacements are not recovered'
end_daemon 0 TERM
run 0 send-now --no-fetch
check 'all of it was sent once' <<'END'
import archive
got = [paper for mail in inbox(to="ada@example.org") for paper in ids(mail)]
equal(len(got), len(set(got)))
assert archive.RECOVERED <= set(got), got
assert any(paper.startswith("2611.8") for paper in got), got
assert not {"2612.00011", "2612.00012", "2612.00013"} & set(got), got
END
archive all
start_daemon
wait_log 'category cs.CL: '
end_daemon 0 TERM
check 'days that were recovered are not asked for again' <<'END'
equal(requests(), [])
END

# A token that is no longer known: what came is kept, the next start begins anew.
asked_days_ago 6
archive all '[null, {"body": "<OAI-PMH xmlns=\"http://www.openarchives.org/OAI/2.0/\"><error code=\"badResumptionToken\">expired</error></OAI-PMH>"}]'
start_daemon
wait_log 'category cs.CL: catching up: .*token'
end_daemon 0 TERM
archive all
start_daemon
wait_log 'category cs.CL: catching up: recovered '
end_daemon 0 TERM
check 'nothing is missing' <<'END'
import archive
rows = sqlite3.connect(STORE).execute(
    "SELECT id FROM announcement JOIN paper USING (paper_no)"
    " WHERE id LIKE '2612.00%'").fetchall()
equal(sorted(id for (id,) in rows), sorted(archive.RECOVERED))
END

# A long time ago, and there is nothing.
asked_days_ago 60
archive none
start_daemon
wait_log 'category cs.CL: catching up: recovered 0 papers of .* to '
end_daemon 0 TERM
check 'two weeks are asked for, and each day ends in an outcome' <<'END'
import archive
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit
line, = requests()
since = parse_qs(urlsplit(line["path"]).query)["from"][0]
assert 0 <= (date.fromisoformat(since) -
             (archive.TODAY - timedelta(15))).days <= 2, since
rows = sqlite3.connect(STORE).execute(
    "SELECT count(*), count(recovered_day) FROM outcome WHERE of = 0"
    " AND reason LIKE 'arxmail did not run%'").fetchall()
equal(rows, [(14, 10)])
END

done_testing
