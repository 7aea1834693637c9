#!/usr/bin/env bash
# The servers that the other tests trust do what they say.
. "$(dirname "$0")/lib.sh"

printf 'first body' >"$T/body"
feed_script <<'END'
{"/a": [{"file": "body", "etag": "abc"}, {"status": 500}],
 "/cut": [{"file": "body", "fault": "cut"}],
 "/short": [{"file": "body", "fault": "short"}],
 "/gzip": [{"body": "small", "gzip": true}]}
END
start_feeds
export FEED_PORT=$PORT
check 'the feed server follows its script' <<'END'
import gzip, http.client
from http.client import HTTPConnection, IncompleteRead

def ask(path, **headers):
    http_ = HTTPConnection("127.0.0.1", int(os.environ["FEED_PORT"]))
    http_.request("GET", path, headers=headers)
    answer = http_.getresponse()
    return answer.status, answer.read()

equal(ask("/a", **{"If-None-Match": "abc"}), (304, b""))
equal(ask("/a")[0], 500)
equal(ask("/a")[0], 500)
equal(ask("/none")[0], 404)
equal(ask("/cut"), (200, b"first"))
equal(gzip.decompress(ask("/gzip")[1]), b"small")
try:
    ask("/short")
    assert False, "a short body looked whole"
except IncompleteRead as error:
    equal(error.partial, b"first")
equal([line["path"] for line in requests("/a")], ["/a"] * 3)
END
feed_script <<<'{"/a": [{"body": "again"}]}'
check 'a changed script begins anew' <<'END'
import urllib.request
url = f"http://127.0.0.1:{os.environ['FEED_PORT']}/a"
equal(urllib.request.urlopen(url).read(), b"again")
END

start_smtp_tls
export PORT
smtp_rules <<'END'
[{"stage": "rcpt", "match": "no@", "reply": "550 5.1.1 no such user"},
 {"stage": "dot", "match": "refuse me", "reply": "554 5.6.0 not this"},
 {"stage": "dot", "match": "hang up", "do": "close", "keep": true}]
END
cat >"$T/client.py" <<'END'
import os, smtplib, ssl

def connect(password="correct horse"):
    smtp = smtplib.SMTP("localhost", int(os.environ["PORT"]))
    context = ssl.create_default_context(cafile="relay.crt")
    smtp.starttls(context=context)
    smtp.login("digest", password)
    return smtp

def send(smtp, to, text):
    smtp.sendmail("f@example.org", [to], f"Subject: x\r\n\r\n{text}\r\n")
END
PYTHONPATH=$HERE:$T check 'the SMTP server keeps what it accepts' <<'END'
from client import *
smtp = connect()
send(smtp, "ada@example.org", ".dot\r\n..two")
for to, text, wanted in (("no@example.org", "x", smtplib.SMTPRecipientsRefused),
                         ("ada@example.org", "refuse me",
                          smtplib.SMTPDataError),
                         ("ada@example.org", "hang up",
                          smtplib.SMTPServerDisconnected)):
    try:
        send(smtp, to, text)
        assert False, f"{text} was accepted"
    except wanted:
        pass
equal(len(inbox()), 2)
equal(inbox()[0].raw, b"Subject: x\r\n\r\n.dot\r\n..two\r\n")
equal(inbox()[0].envelope["user"], "digest")
equal(inbox()[0].envelope["tls"], True)
equal(inbox()[0].faults(), [])
END
PYTHONPATH=$HERE:$T check 'it refuses a wrong password' <<'END'
from client import *
try:
    connect("wrong")
    assert False, "the login was accepted"
except smtplib.SMTPAuthenticationError as error:
    equal(error.smtp_code, 535)
END

smtp_rules <<<'[{"stage": "mail", "nth": 2, "do": "pause"}]'
(cd "$T" && exec "$PYTHON" -c 'from client import *
smtp = connect()
send(smtp, "ada@example.org", "one")
send(smtp, "ada@example.org", "two")' 2>/dev/null) &
CLIENT=$!
wait_event "$SMTP_EVENTS" 'PAUSED mail' "$CLIENT"
pass 'it pauses at the moment that it is told'
{ kill -KILL "$CLIENT" && wait "$CLIENT"; } 2>/dev/null
check 'what came before is kept' <<'END'
equal(len(inbox()), 3)
END

done_testing
