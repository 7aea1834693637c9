#!/usr/bin/env bash
# SpamAssassin's local rules on the demo's mails, as a receiver would see them.
. "$(dirname "$0")/../e2e/lib.sh"

command -v spamassassin >/dev/null ||
    skip_all 'there is no SpamAssassin: tests/setup.sh interop installs it'

start_smtp
use_demo
run 0 send-now
for id in ada emmy wei; do
    run 0 preview "$id@example.org" --last --format eml
    # What a relay adds; without it a mail seems to come from nowhere.
    { printf 'Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n'
      printf '\tby mx.example.net (Postfix) with ESMTPS id 4T1\r\n'
      printf '\tfor <%s@example.org>; %s\r\n' "$id" "$(date -R)"
      cat "$T/out"; } >"$T/$id.eml"
    HOME=$T/home spamassassin -L -t <"$T/$id.eml" >"$T/$id.judged" 2>"$T/err" ||
        bail "spamassassin: $(cat "$T/err")"
    NAME="$id@example.org" check "$id: scores 0.5 at most, and no rule of form" <<'END'
name = os.environ["NAME"].split("@")[0]
report = read(f"{name}.judged").split("Content analysis details:")[1]
score = float(re.search(r"\((-?[\d.]+) points", report)[1])
rules = re.findall(r"^ *(-?\d+\.\d+) (\w+)", report, re.M)
assert rules and score <= 0.5, report
fired = [(points, rule) for points, rule in rules if float(points) > 0
         and re.match(r"MIME_|HTML_|MISSING_|INVALID_|SUBJ_|HEADER_|"
                      r"FROM_|TO_|DATE_|BASE64|MPART_|T_HTML", rule)]
equal(fired, [])
END
done

done_testing
