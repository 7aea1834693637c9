#!/usr/bin/env bash
# A mail that comes back is counted once against its address; all else is
# ignored with a line that says why; what cannot be done now is tried again.
. "$(dirname "$0")/lib.sh"

# bounce STATUS: the mail on stdin, as an alias's pipe gives it.
bounce() {
    local status
    timeout -k 5 "$TIMEOUT_SEC" "${PROGRAM[@]}" bounce >"$T/out" 2>"$T/err"
    status=$?
    is "bounce exits with $1${WHAT:+: $WHAT}" "$status" "$1"
    WHAT=
}

# report ACTION STATUS DIAGNOSTIC: on the last mail in the inbox.
report() {
    local id
    id=$(grep -ih '^Message-ID:' "$T/inbox"/*.eml | tail -n 1 | tr -d '\r')
    cat <<END
From: MAILER-DAEMON@relay.example.net
To: digest@example.org
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It came back.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.net

Final-Recipient: rfc822; ada@example.org
Action: $1
Status: $2
Diagnostic-Code: smtp; $3

--b
Content-Type: text/rfc822-headers

From: digest@example.org
$id

--b--
END
}

start_smtp
feed cs.CL "$DEMO/cs.CL.xml"
config <<<'{ id = "ada"; email = "ada@example.org"; categories = ["cs.CL"]; }'
run 0 send-now
run 0 status
unlike 'all is well at first' "$T/out" 'ada .*failed'

before=$(store_hash)
WHAT='delayed' bounce 0 < <(report delayed 4.4.1 'timed out')
said 'a delayed one is ignored' 'bounce: ignored: .*being tried'
WHAT='spam' bounce 0 < <(report failed 5.7.1 '554 5.7.1 looks like spam')
said 'one about the content is ignored' 'bounce: ada: .*looks like spam'
WHAT='a letter' bounce 0 <<<$'Subject: thanks\n\nI like it.'
said 'a letter is ignored' '^bounce: ignored: '
WHAT='nothing' bounce 0 </dev/null
said 'nothing is ignored' '^bounce: ignored: '
WHAT='noise' bounce 0 < <(head -c 500000 /dev/urandom)
said 'noise is ignored' '^bounce: ignored: '
WHAT='too large' bounce 0 < <(head -c 5000000 /dev/zero)
said 'a large one is ignored' 'ignored: .* more than 1048576 bytes'
WHAT='not ours' bounce 0 < <(report failed 5.1.1 '550 no' |
    sed 's/^Message-ID: <......../Message-ID: <00000000/I')
said 'one of another mail is ignored' 'ignored: it names no mail'
is 'nothing of this changes the store' "$(store_hash)" "$before"

WHAT='failed' bounce 0 < <(report failed 5.1.1 \
    $'550 5.1.1 <ada@example.org>: who is \x1b[31mthat?')
said 'it is counted' '^bounce: ada: counted: 550 5\.1\.1 <ada>: who is'
unlike 'no control characters in the log' "$T/err" $'\x1b'
run 0 status
printed 'status shows it with its words' 'ada .* failed: 550 5\.1\.1 .*who is'
before=$(store_hash)
WHAT='twice' bounce 0 < <(report failed 5.1.1 '550 5.1.1 no such user')
said 'it is counted once' 'ada: ignored: .*counted before'
is 'the second one changes nothing' "$(store_hash)" "$before"
run 0 send-now
check 'a mail that bounced is not sent again' <<<'equal(len(inbox()), 1)'

WHAT='an argument' run 2 bounce file
mv "$T/state/arxmail.db" "$T/state/kept.db"
mkdir "$T/state/arxmail.db"
WHAT='no database' bounce 75 < <(report failed 5.1.1 '550 no')
said 'it says which' 'arxmail\.db'
rmdir "$T/state/arxmail.db"
echo 'nonsense' >"$CONF"
WHAT='a broken config' bounce 75 < <(report failed 5.1.1 '550 no')
# smtp.verp: the address that it came to is enough.
SMTP="url = \"smtp://127.0.0.1:$SMTP_PORT\"; tls = \"none\"; verp = true;"
new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
config <<<'{ id = "ada"; email = "ada@example.org"; categories = ["cs.CL"]; }'
run 0 check
unlike 'verp is there' "$T/err" 'not there yet'
run 0 send-now
check 'each mail has an envelope sender of its own' <<'END'
sender = inbox()[0].envelope["from"]
token = inbox()[0]["Message-ID"].strip("<>").split("@")[0]
equal(sender, f"digest+bounce-{token}@example.org")
END
TO=$("$PYTHON" -c 'import json, sys
print(json.loads(open(sys.argv[1]).readline())["from"])' \
    "$T/inbox/envelopes.jsonl")
WHAT='by its address' bounce 0 < <(report failed 5.1.1 '550 no such user' |
    sed -e "s/^To: .*/To: $TO/" -e '/^Message-ID:/Id')
said 'it is counted' 'bounce: ada: counted: .*no such user'
run 0 status
printed 'and the mail has failed' 'ada .*failed'

# A local part that has no room for it is said at once.
sed -i 's/<digest@example.org>/<a-digest-of-new-papers-each-day@example.org>/' "$CONF"
run 1 check
said 'where verp has no room' 'smtp.verp: verp makes the local part .*use one of 24'

done_testing
