#!/usr/bin/env bash
# What the daemon tells systemd.
. "$(dirname "$0")/lib.sh"

start_smtp
use_demo
start_server notify notify_server.py "$T/notify"
EVENTS=$FD

# told TEXT...: the next assignments; STATUS and WATCHDOG come in between.
told() {
    local line wanted
    for wanted; do
        line=
        while [[ $line != "$wanted"* ]]; do
            read -r -t "$TIMEOUT_SEC" -u "$EVENTS" line || bail "not told: $wanted"
            case $line in
            "$wanted"* | STATUS=* | WATCHDOG=1 | MONOTONIC_USEC=*) ;;
            *) bail "told $line in place of $wanted" ;;
            esac
        done
        pass "systemd is told $wanted"
    done
}

export NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=200000
start_daemon
told READY=1 STATUS= WATCHDOG=1 WATCHDOG=1 WATCHDOG=1
kill -HUP "$DAEMON"
told RELOADING=1 MONOTONIC_USEC= READY=1
echo 'nonsense = 1;' >>"$CONF"
kill -HUP "$DAEMON"
told RELOADING=1 READY=1 WATCHDOG=1
kill -TERM "$DAEMON"
told STOPPING=1
end_daemon 0 none

# While a mail may be being accepted it asks for more time.
sed -i '/^nonsense/d' "$CONF"
make_due
smtp_rules <<<'[{"stage": "dot", "nth": 1, "do": "hold", "keep": true, "reply": "250 kept"}]'
start_daemon
told READY=1
wait_event "$SMTP_EVENTS" 'HELD dot' "$DAEMON"
kill -TERM "$DAEMON"
told STOPPING=1 EXTEND_TIMEOUT_USEC=60000000
smtp_rules <<<'[]'
end_daemon 0 none

done_testing
