#!/usr/bin/env bash
# Three digests in a row that an address refuses suspend the subscriber; status
# says so, and resume or another address lifts it.
. "$(dirname "$0")/lib.sh"

# next_day N: new papers of the category.
next_day() {
    sed "s/2611\.9/2611.$1/g" "$DEMO/cs.CL.xml" >"$T/feeds/cs.CL.xml"
}

# come_back: the last mail in the inbox is refused by its mailbox.
come_back() {
    local id
    id=$(grep -ih '^Message-ID:' "$T/inbox"/*.eml | tail -n 1 | tr -d '\r')
    "${PROGRAM[@]}" bounce >"$T/out" 2>"$T/err" <<END
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.net

Final-Recipient: rfc822; ada@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: text/rfc822-headers

$id

--b--
END
}

subscribers() {
    config <<END
{ id = "ada"; email = "$1"; categories = ["cs.CL"]; },
{ id = "emmy"; email = "emmy@example.org"; categories = ["hep-lat"]; }
END
}

start_smtp
feed hep-lat "$DEMO/hep-lat.xml"
subscribers ada@example.org

# Ada's three digests come back.
three_times() {
    local day
    for day in "$@"; do
        next_day "$day"
        WHAT="day $day" run 0 send-now ada
        come_back
    done
}

three_times 1 2
run 0 status
unlike 'two are not enough' "$T/out" '^suspended'
three_times 3
said 'the third one suspends' 'bounce: ada: suspended, because 3 digests'
run 0 status
printed 'status lists it with the words' \
    'ada  since .*ada@example\.org refused: 550 5\.1\.1 no such user'
next_day 4
run 0 send-now
check 'who is suspended gets nothing, others do' <<'END'
equal(len(inbox("ada@example.org")), 3)
equal(len(inbox("emmy@example.org")), 1)
END
run 0 status
printed 'its day says why' 'ada: suspended: its address was refused too often'

run 2 resume
run 1 resume nobody@example.org
said 'an unknown one is named' 'nobody@example\.org'
run 1 resume emmy
said 'who was not suspended is told' 'emmy: was not suspended'
run 0 resume emmy ada@example.org
said 'who was is told' 'ada: no longer suspended'
run 1 resume ada
run 0 send-now
check 'then all that came meanwhile is sent' <<'END'
mails = inbox("ada@example.org")
equal(len(mails), 4)
assert ids(mails[-1]) and all(i.startswith("2611.4") for i in ids(mails[-1]))
END

come_back
next_day 5
run 0 send-now
run 0 status
unlike 'earlier refusals count no more' "$T/out" 'resume'
come_back
three_times 6
run 0 status
printed 'three others do' 'ada  since '
next_day 7
subscribers lovelace@example.org
run 0 send-now
check 'another address lifts it' <<'END'
equal(len(inbox("lovelace@example.org")), 1)
END
run 0 status
unlike 'for good' "$T/out" 'ada  since '
done_testing
