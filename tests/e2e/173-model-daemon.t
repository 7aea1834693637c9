#!/usr/bin/env bash
# The daemon asks the model when a batch arrives, waits for it as long as it may,
# and never for one in trouble.
. "$(dirname "$0")/lib.sh"

start_smtp
start_llm

# begin MAX_WAIT: a daemon that has its papers; nobody is due, and everybody's time
# was a moment ago.
begin() {
    MORE="llm: { $LLM max_wait_min = $1; timeout_s = 600; };
          defaults: { send_at = \"$(date +%H:%M)\"; };"
    use_demo
    new_state
    rm -rf "$T/inbox"
    mkdir "$T/inbox"
    : >"$T/llm.jsonl"
    start_daemon
    wait_log 'category math.NT: '
}

# A batch is asked about at once, although no digest is due.
begin 30
wait_log '^model: [0-9]+ papers answered, 0 given up'
end_daemon 0 TERM
check 'nothing was sent yet' <<'END'
equal(inbox(), [])
END
make_due
start_daemon
wait_log '^queue: sent 3, '
end_daemon 0 TERM
check 'the digests have the summaries' <<'END'
equal(received(), DEMO)
equal(only("ada@example.org").text.count("what no paper did before"), 6)
equal(only("wei@example.org").text.count("一句话说明"), 4)
END

# Due before the model has answered: the digests wait, and go when it has.
begin 30
end_daemon 0 TERM
(cd "$T" && "$PYTHON" -c 'import sqlite3
with sqlite3.connect("state/arxmail.db") as db:
    db.execute("DELETE FROM answer")')
make_due
start_daemon
wait_log '^queue: sent 3, '
end_daemon 0 TERM
check 'digests that are due wait for their answers' <<'END'
equal(received(), DEMO)
equal(only("emmy@example.org").text.count("what no paper did before"), 5)
END

# An endpoint that says nothing holds nobody up for longer than it may.
llm_script <<<'{"do": "stall"}'
begin 0
end_daemon 0 TERM
make_due
start_daemon
wait_log '^queue: sent 3, '
end_daemon 0 TERM
check 'without time to wait they go with what there is' <<'END'
equal(received(), DEMO)
assert asked()
equal(only("ada@example.org").text.count("no summary by the model"), 6)
END

# An endpoint in trouble ends the waiting at once.
llm_script <<<'{"status": 401}'
begin 1440
wait_log '^model: .*refuses the key.* it is asked again in 900 s'
end_daemon 0 TERM
make_due
start_daemon
wait_log '^queue: sent 3, '
end_daemon 0 TERM
check 'nobody waits a day for a refused key' <<'END'
equal(received(), DEMO)
equal(only("wei@example.org").text.count("模型未能总结和翻译本文"), 4)
END

run 0 status
printed 'status says what is wrong' 'in trouble since .*refuses the key'
printed 'and when it is asked again' 'it is asked again at .*digests go without'

# Trouble while digests wait for it.
llm_script <<<'{"do": "stall"}'
begin 1440
end_daemon 0 TERM
make_due
llm_script <<<'{"status": 500}'
start_daemon
wait_log '^queue: sent 3, '
end_daemon 0 TERM
like 'it is said' "$T/log" '^model: .*in trouble .status 500'
check 'trouble lets those go who wait' <<'END'
equal(received(), DEMO)
END

# A reload while a question is on its way asks it anew.
llm_script <<<'{"do": "stall"}'
begin 30
make_due
llm_script <<<'{}'
kill -HUP "$DAEMON"
wait_log 'reload: done: 3 subscribers'
wait_log '^queue: sent 3, '
end_daemon 0 TERM
check 'after a reload all is asked anew' <<'END'
equal(received(), DEMO)
equal(only("ada@example.org").text.count("what no paper did before"), 6)
END

done_testing
