#!/usr/bin/env bash
# The main job through a real Postfix: STARTTLS, AUTH, pipelining, strict about
# what it takes, into a Maildir.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/postfix.sh"

[ "$(id -u)" -eq 0 ] || skip_all 'only root can start a Postfix'
if ! command -v postfix >/dev/null || ! command -v saslpasswd2 >/dev/null; then
    skip_all 'there is no Postfix: tests/setup.sh interop installs it'
fi

start_postfix
use_demo
run 0 check
run 0 send-now
wait_delivered 3
cat >"$T/maildir.py" <<'END'
from mail import *

MAILS = {}
for path in glob.glob("mail/Maildir/new/*"):
    mail = Mail(path)
    MAILS.setdefault(mail["Delivered-To"], []).append(mail)
END
export PYTHONPATH=$HERE:$T
check 'each got the papers that match' <<'END'
from maildir import *
equal({to: ids(mail) for to, (mail,) in MAILS.items()}, DEMO)
END
check 'Postfix saw TLS, a login, and pipelining did not disturb it' <<'END'
log = read("postfix/log")
equal(log.count("sasl_method="), 3)
equal(log.count("status=sent"), 3)
for bad in ("improper command pipelining", "lost connection", "reject:"):
    assert bad not in log, log
from maildir import *
for (mail,) in MAILS.values():
    received = " ".join(str(line) for line in mail.message.get_all("Received"))
    assert "ESMTPSA" in received, received
END
run 0 send-now
check 'the second run sends nothing' <<'END'
equal(read("postfix/log").count("status=sent"), 3)
END

new_state
config <<'END'
{ email = "refused@example.org"; categories = ["hep-lat"]; },
{ email = "later@example.org"; categories = ["hep-lat"]; },
{ email = "good@example.org"; categories = ["hep-lat"]; }
END
run 3 send-now
said 'the refused one is named' 'refused@example\.org.*no such user'
said 'the deferred one is named' 'later@example\.org.*come back later'
wait_delivered 4
check 'the good one has hers' <<'END'
from maildir import *
equal(len(MAILS["good@example.org"]), 1)
END

printf 'wrong\n' >"$T/password"
new_state
run 1 send-now
said 'a wrong password is said so' '(login|password|authentication).*'

done_testing
