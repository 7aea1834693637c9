#!/usr/bin/env bash
# Each way in which a relay can fail ends in a sentence that says what happened
# and where, and in the right exit status; once it works, everything arrives.
. "$(dirname "$0")/lib.sh"

# Which papers: any; who: two.
subscribers() {
    config <<'END'
{ email = "ada@example.org"; categories = ["cs.CL"]; },
{ email = "emmy@example.org"; categories = ["hep-lat"]; }
END
}
cp "$DEMO"/*.xml "$T/feeds/"
start_smtp_tls
subscribers

smtp_rules <<'END'
[{"stage": "rcpt", "match": "ada@", "reply": "550 5.1.1 no such user here"}]
END
WHAT='550 to one' run 3 send-now
said 'the refused one is named, with the reason' \
    'ada@example\.org.*(550|5\.1\.1|no such user)'
check 'the other has hers' <<<'equal([m.to for m in inbox()], ["emmy@example.org"])'
WHAT='a failed one is not tried again' run 0 send-now
check 'nobody gets more' <<<'equal(len(inbox()), 1)'
run 0 status
printed 'status shows it' 'ada@example\.org.*failed'

new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
smtp_rules <<<'[{"stage": "dot", "nth": 1, "reply": "451 4.3.2 try later"}]'
WHAT='451 to one' run 3 send-now
said 'the deferred one is named' '@example\.org.*(451|4\.3\.2|try later)'
smtp_rules <<<'[]'
WHAT='deferred ones are tried at once' run 0 send-now
check 'both have theirs, once' <<<'equal(sorted(m.to for m in inbox()),
      ["ada@example.org", "emmy@example.org"])'

# fails WHAT STATUS SENTENCE: nothing arrives; then, with the right settings and
# no rules, everything does, once.
RIGHT=$SMTP
fails() {
    new_state
    rm -rf "$T/inbox"
    mkdir "$T/inbox"
    subscribers
    WHAT=$1 run "$2" send-now
    said "the sentence says so: $1" "$3"
    unlike "no password in it: $1" "$T/err" 'correct horse|wrong horse'
    check "nothing arrived: $1" <<<'equal(inbox(), [])'
    smtp_rules <<<'[]'
    SMTP=$RIGHT
    subscribers
    WHAT="after $1" run 0 send-now
    check "all arrived after $1" <<<'equal(len(inbox()), 2)'
}

printf 'wrong horse\n' >"$T/wrong"
chmod 600 "$T/wrong"
own "$T/wrong"
SMTP=${RIGHT/"$T/password"/"$T/wrong"}
fails 'a refused login' 1 '(login|password|authentication).*|535'

make_certificate other
SMTP=${RIGHT/"$T/relay.crt"/"$T/other.crt"}
fails 'a certificate that nobody vouches for' 1 'certificate'

# A port that was free a moment ago.
CLOSED=$("$PYTHON" -c 'import socket
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
SMTP=${RIGHT/:$PORT\"/:$CLOSED\"}
fails 'a refused connection' 1 '[Rr]efused'

SMTP=${RIGHT/localhost:/no-such-host.invalid:}
fails 'a name that does not resolve' 1 '[Rr]esolve|no-such-host'

SMTP=$RIGHT
smtp_rules <<<'[{"stage": "connect", "reply": "554 5.3.2 closed today"}]'
fails 'a greeting that says no' 1 '554|closed today'

smtp_rules <<<'[{"stage": "starttls", "reply": "454 4.7.0 no TLS now"}]'
fails 'STARTTLS refused' 1 'TLS'

smtp_rules <<<'[{"stage": "mail", "reply": "451 4.3.0 later"}]'
fails 'MAIL deferred' 3 '451|later'

smtp_rules <<<'[{"stage": "data", "do": "close"}]'
fails 'a connection lost before the dot' 3 'closed|lost|ended|connection'

# Lost after the dot: it may have arrived, and is sent again as the same message.
new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
smtp_rules <<<'[{"stage": "dot", "nth": 1, "do": "close", "keep": true}]'
subscribers
WHAT='lost after the dot' run 3 send-now
said 'the sentence says that it may have arrived' 'may have|unknown|perhaps'
smtp_rules <<<'[]'
run 0 send-now
check 'the same message came twice, the other once' <<'END'
equal(len(inbox()), 3)
equal(len({mail["Message-ID"] for mail in inbox()}), 2)
END

done_testing
