#!/usr/bin/env bash
# The main job: each subscriber gets the papers that match, once, over STARTTLS
# and AUTH, as a message that is right by another library's judgement.
. "$(dirname "$0")/lib.sh"

start_smtp_tls
use_demo
run 0 send-now --dry-run
is 'a dry run sends nothing' "$(ls "$T/inbox")" ''

run 0 send-now
check 'each gets the papers that match' <<'END'
equal(received(), DEMO)
equal(len(inbox()), 3)
END
check 'they came over TLS, logged in, one recipient each' <<'END'
for mail in inbox():
    equal(mail.envelope["tls"], True)
    equal(mail.envelope["user"], "digest")
    equal(mail.envelope["from"], "digest@example.org")
    equal(len(mail.envelope["to"]), 1)
END
check 'no message has a fault' <<'END'
for mail in inbox():
    equal(mail.faults(), [])
END
check 'the headers are those of a digest' <<'END'
for mail in inbox():
    equal(mail["From"], "arXiv digest <digest@example.org>")
    equal(mail["Auto-Submitted"], "auto-generated")
    equal(mail["Precedence"], "bulk")
    equal(mail["MIME-Version"], "1.0")
    assert "example.org>" in mail["List-Id"], mail["List-Id"]
    assert "<mailto:digest@example.org" in mail["List-Unsubscribe"]
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", mail["Message-ID"])
    assert mail.message["Date"].datetime.tzinfo, mail["Date"]
    assert mail["Subject"].strip(), "no subject"
equal(len({mail["Message-ID"] for mail in inbox()}), 3)
equal(only("ada@example.org")["To"], "Ada <ada@example.org>")
equal(only("wei@example.org")["To"], "魏 <wei@example.org>")
END
check 'both parts hold the same papers, text before HTML' <<'END'
for mail in inbox():
    equal(mail.message.get_content_type(), "multipart/alternative")
    equal([part.get_content_type() for part in mail.message.iter_parts()],
          ["text/plain", "text/html"])
    equal(set(ID.findall(mail.html)), ids(mail))
    assert len(mail.html.encode()) < 90 * 1024
END
check 'names and titles are Unicode' <<'END'
text = only("ada@example.org").text
for name in ("Karoline Günther", "Borivoj Hajdušek", "Sunniva Ødegaard",
             "Tuuli Räsänen", "Łukasz Wiśniewski"):
    assert name in text, name
assert "Institute" not in text.split("Abstract")[0].split("\n\n")[0]
END
check "arXiv's sentence and the way out are in each" <<'END'
for mail in inbox():
    for part in (mail.text, mail.html):
        assert "mailto:digest@example.org" in part, "no way out"
for part in (only("ada@example.org").text, only("ada@example.org").html):
    assert "Thank you to arXiv for use of its open access" in \
        re.sub(r"\s+", " ", part)
END

run 0 send-now
check 'the second run sends nothing' <<<'equal(len(inbox()), 3)'

run 0 send-now --again ada@example.org
check 'unless it is told to send again, under a new Message-ID' <<'END'
first, second = inbox("ada@example.org")
equal(ids(first), ids(second))
assert first["Message-ID"] != second["Message-ID"]
equal(len(inbox()), 4)
END

run 1 send-now nobody-we-know@example.org
said 'an address that is not in the config is named' 'nobody-we-know'

done_testing
