#!/usr/bin/env bash
# A digest to any address, marked, without any trace.
. "$(dirname "$0")/lib.sh"

start_smtp
use_demo
run 1 test-mail ops@example.org
run 0 fetch
before=$(store_hash)
run 0 test-mail ops@example.org
printed 'it says whose digest and where to' 'ada@example\.org, 6 papers, to ops@example\.org'
check 'the mail is the digest, marked' <<'END'
mail = only("ops@example.org")
assert mail["Subject"].startswith("[test] "), mail["Subject"]
assert "ops@example.org" in mail["To"], mail["To"]
equal(len(ids(mail)), 6)
END
run 0 test-mail ops@example.org --as wei@example.org
check 'of whom it was asked for; encoded subjects are marked, too' <<'END'
mail = inbox("ops@example.org")[-1]
assert mail["Subject"].startswith("[test] arXiv"), mail["Subject"]
assert mail["Message-ID"] != inbox("ops@example.org")[0]["Message-ID"]
equal(len(ids(mail)), 4)
END
is 'nothing has changed' "$(store_hash)" "$before"
run 0 send-now
check 'everybody gets the same all the same' <<'END'
equal(len(ids(only("ada@example.org"))), 6)
END
run 1 test-mail ops@example.org
said 'with nothing new it says what to do' 'fetch.*--last'
run 0 test-mail ops@example.org --last
smtp_rules <<<'[{"stage": "rcpt", "reply": "550 5.1.1 who is that"}]'
run 1 test-mail ops@example.org --last
said 'a refusal has the words of the server' '550 5\.1\.1 who is that'
run 2 test-mail
run 2 test-mail nobody
run 1 test-mail ops@example.org --as nobody@example.org

done_testing
