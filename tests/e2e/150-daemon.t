#!/usr/bin/env bash
# The daemon: polls and sends by itself, reloads, waits for its last replies, and
# lets commands work beside it.
. "$(dirname "$0")/lib.sh"

start_smtp
SMTP+=" connections = 1;"
use_demo

# The first start: it polls, and nothing is due, for everybody is new.
start_daemon
wait_log 'category math.NT: '
end_daemon 0 TERM
like 'it says how long its loop was busy' "$T/log" '^loop: longest turn [0-9]+ ms'
check 'nothing was sent to who is new' <<'END'
equal(inbox(), [])
END

make_due
start_daemon
wait_log '^queue: sent 3, '
check 'what is due is sent without a command' <<'END'
equal(received(), DEMO)
END
run 0 status
printed 'status knows it' 'ada@example.org .* sent'
run 0 send-now
check 'and a command beside it sends nothing twice' <<'END'
equal(len(inbox()), 3)
END

# A bad config changes nothing, a good one does.
cp "$CONF" "$T/good"
echo 'nonsense = 1;' >>"$CONF"
kill -HUP "$DAEMON"
wait_log 'nonsense'
wait_log 'reload: nothing was changed'
sed 's/keywords = .*tokeniz.*/keywords = ["tokeniz*"]; }/' "$T/good" >"$CONF"
kill -HUP "$DAEMON"
wait_log 'reload: done: 3 subscribers'
end_daemon 0 TERM
cp "$T/good" "$CONF"

# SIGTERM while a dot is unanswered: its reply is waited for, nothing follows.
run 0 fetch
new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
start_daemon
wait_log 'category math.NT: '
end_daemon 0 TERM
make_due
smtp_rules <<<'[{"stage": "dot", "nth": 1, "do": "hold", "keep": true, "reply": "250 kept"}]'
start_daemon
wait_event "$SMTP_EVENTS" 'HELD dot' "$DAEMON"
exec {BESIDE_FD}< <(exec "${PROGRAM[@]}" send-now --no-fetch 2>&1 </dev/null)
BESIDE=$!
PIDS+=("$BESIDE")
wait_event "$BESIDE_FD" 'arxmail: another arxmail is sending' "$BESIDE"
kill -TERM "$DAEMON"
wait_log '^stopping: waiting for the replies to 1 mails'
kill -0 "$DAEMON"
is 'it waits' $? 0
smtp_rules <<<'[]'
end_daemon 0 none
wait "$BESIDE"
is 'the command beside it ends well' $? 0
cat <&"$BESIDE_FD" >"$T/out1"
exec {BESIDE_FD}<&-
check 'the reply was heard, and the command sent the rest' <<'END'
equal(received(), DEMO)
equal(len(inbox()), 3)
END
like 'it tells of what it sent, or saw sent' "$T/out1" '^sent 3$'

# Beside a daemon that goes on, a command watches it to the end.
new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
start_daemon
wait_log 'category math.NT: '
end_daemon 0 TERM
make_due
smtp_rules <<<'[{"stage": "dot", "nth": 2, "do": "hold", "keep": true, "reply": "250 kept"}]'
start_daemon
wait_event "$SMTP_EVENTS" 'HELD dot' "$DAEMON"
exec {BESIDE_FD}< <(exec "${PROGRAM[@]}" send-now --no-fetch 2>&1 </dev/null)
BESIDE=$!
PIDS+=("$BESIDE")
wait_event "$BESIDE_FD" 'arxmail: another arxmail is sending' "$BESIDE"
smtp_rules <<<'[]'
wait "$BESIDE"
is 'the watching command ends well' $? 0
wait_log '^queue: sent 3, '
check 'each digest came once' <<'END'
equal(received(), DEMO)
equal(len(inbox()), 3)
END
end_daemon 0 TERM

# A relay that refuses everybody opens the breaker; status tells of it.
new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
smtp_rules <<<'[{"stage": "mail", "reply": "550 5.7.1 go away"}]'
start_daemon
wait_log 'category math.NT: '
end_daemon 0 TERM
make_due
start_daemon
wait_log '^relay: takes nothing, asked again in 60 s: .*go away'
end_daemon 0 TERM
smtp_rules <<<'[]'
run 0 send-now --no-fetch
check 'nothing was lost' <<'END'
equal(received(), DEMO)
END

# A bad config at the start is 78, which systemd does not try again.
cp "$CONF" "$T/good"
echo 'nonsense = 1;' >>"$CONF"
run 78 daemon
cp "$T/good" "$CONF"
run 2 daemon now

done_testing
