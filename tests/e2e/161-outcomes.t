#!/usr/bin/env bash
# What an admin decides about mails: held ones are released with the Message-ID
# they had; who is refused at RCPT three times in a row is suspended; deferred
# papers travel with the next digest.
. "$(dirname "$0")/lib.sh"

# next_day N: new papers of the category.
next_day() {
    sed "s/2611\.9/2611.$1/g" "$DEMO/cs.CL.xml" >"$T/feeds/cs.CL.xml"
}

ADA='{ id = "ada"; email = "ada@example.org"; categories = ["cs.CL"]; }'
feed cs.CL "$DEMO/cs.CL.xml"
start_smtp
RELAY=$SMTP

# ---- unknown and held ----

SMTP="$RELAY on_unknown = \"hold\";"
config <<<"$ADA"
smtp_rules <<<'[{"stage": "dot", "times": 1, "do": "close", "keep": true}]'
WHAT='lost after the dot' run 3 send-now
said 'it says that it may have arrived' 'ada@example\.org: held: .*may have arrived'
run 0 status
printed 'status lists it' 'held +1'
WHAT='again' run 0 send-now
check 'it is not sent by itself' <<'END'
equal(len(inbox()), 1)
END
WHAT='released' run 0 send-now --again ada
check 'the released one has the same Message-ID' <<'END'
first, second = inbox()
equal(first["Message-ID"], second["Message-ID"])
END

# ---- deferred and superseded ----

SMTP=$RELAY
new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
config <<<"$ADA"
smtp_rules <<<'[{"stage": "rcpt", "reply": "450 4.2.1 later"}]'
run 3 send-now
smtp_rules <<<'[]'
pass_days 1
next_day 7
run 0 send-now
check 'one mail has the papers of both days' <<'END'
got = ids(only("ada@example.org"))
assert {i[:6] for i in got} == {"2611.7", "2611.9"}, got
END
run 0 send-now
check 'and there is no other one' <<'END'
only("ada@example.org")
END

# ---- refused at RCPT ----

new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
smtp_rules <<<'[{"stage": "rcpt", "match": "ada@", "reply": "550 5.1.1 no such user"}]'
for day in 1 2 3; do
    next_day "$day"
    WHAT="refused, day $day" run 3 send-now
    pass_days 1
done
said 'the third one suspends' 'ada: suspended, because 3 digests in a row'
run 0 status
printed 'status says why' 'ada .*ada@example\.org refused: .*no such user'
next_day 4
WHAT='while suspended' run 0 send-now
printed 'nothing is tried' 'suspended'
smtp_rules <<<'[]'
run 0 resume ada
run 0 send-now
check 'after resume the mails come' <<'END'
assert ids(only("ada@example.org"))
END

# ---- a relay that wants it slower ----

new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
SMTP="$RELAY connections = 8;"
feed cs.CL "$DEMO/cs.CL.xml"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    printf '%s{ email = "reader%d@example.org"; categories = ["cs.CL"]; max_papers = 1; }\n' \
        "$([ "$i" -eq 1 ] || echo ,)" "$i"
done | config
smtp_rules <<<'[{"stage": "connect", "from": 4, "reply": "421 4.7.0 too many connections"}]'
WHAT='too many connections' run 0 send-now
check 'all arrive over those that the relay allows' <<'END'
equal(len({mail.to for mail in inbox()}), 12)
equal(len(inbox()), 12)
END

done_testing
