#!/usr/bin/env bash
# A daemon takes templates that were edited on reload, for the mails that it has
# not sent yet, too; broken ones change nothing, and it says why.
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/templates"
chmod 755 "$T/templates"
start_smtp
SMTP+=" connections = 1;"
use_demo

write_template() {
    cat >"$T/templates/paper.txt"
    chmod 644 "$T/templates/paper.txt"
}

# A daemon whose first mail waits for its reply; the others wait for that.
start_held() {
    new_state
    rm -rf "$T/inbox"
    mkdir "$T/inbox"
    smtp_rules <<<'[]'
    start_daemon
    wait_log 'category math.NT: '
    end_daemon 0 TERM
    make_due
    smtp_rules <<<'[{"stage": "dot", "nth": 1, "do": "hold", "keep": true, "reply": "250 kept"}]'
    start_daemon
    wait_event "$SMTP_EVENTS" 'HELD dot' "$DAEMON"
}

write_template <<'END'
{{title}}, first
{{{abs_url}}}
END
start_held
write_template <<'END'
{{title}}, broken
{{#abstract}}
END
kill -HUP "$DAEMON"
wait_log 'reload: nothing was changed'
like 'a broken template is named with its file and line' "$T/log" \
    'templates/paper\.txt:2: '
smtp_rules <<<'[]'
wait_log '^queue: sent 3, '
check 'the mails have the template as it was' <<'END'
texts = [mail.text for mail in inbox()]
equal(len(texts), 3)
assert all(", first" in text for text in texts)
END
end_daemon 0 TERM

write_template <<'END'
{{title}}, first
{{{abs_url}}}
END
start_held
write_template <<'END'
{{title}}, edited
{{{abs_url}}}
END
kill -HUP "$DAEMON"
smtp_rules <<<'[]'
wait_log 'reload: done: 3 subscribers'
wait_log '^queue: sent '
check 'the next mails have the edited one' <<'END'
texts = [mail.text for mail in inbox()]
equal(len(texts), 3)
assert any(", edited" in text for text in texts)
END
end_daemon 0 TERM

done_testing
