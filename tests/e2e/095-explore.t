#!/usr/bin/env bash
# try and explain: what a query would have caught, and why a paper came or did
# not. What they print is in tests/golden/explore (days as DAY, the server as HOST).
. "$(dirname "$0")/lib.sh"

GOLDEN=$ROOT/tests/golden/explore

# golden NAME: stdout, then stderr, are as in the file of this name.
golden() {
    { cat "$T/out" && sed 's/^/! /' "$T/err"; } |
        sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}/DAY/g; s/127\.0\.0\.1:[0-9]+/HOST/' \
            >"$T/got"
    if [ -n "${GOLDEN_ACCEPT-}" ]; then
        cp "$T/got" "$GOLDEN/$1.out"
    fi
    is "$1 is as in its file" "$(diff "$GOLDEN/$1.out" "$T/got" 2>&1)" ''
}

start_smtp
use_demo

WHAT='there is no database yet' run 1 try lattice
run 2 try
run 2 try lattice gauge
run 2 try lattice --days 0
run 2 try lattice --category cs.IA
said 'a wrong category has a suggestion' "cs\.AI"
run 2 try 'ti :lattice'
said 'a wrong query names the column' '^arxmail: column 4: remove the blank'
run 2 try '(?i)lattice'
said 'there are no regular expressions' 'column 1: there are no regular'
run 2 explain ada@example.org
run 2 explain ada@example.org lattice

run 0 fetch
BEFORE=$(store_hash)

run 0 try '"language model" OR retrieval OR NEAR(quantiz* model, 5)'
golden try-words
run 0 try 'au:Drozd OR ti:lattice OR zyzzyva' --days 3
golden try-warnings
run 0 try 'lattice OR curve' --category math.NT --days 2
golden try-category
run 1 try lattice --category econ.EM
said 'nothing is stored of it' 'nothing is stored .* for econ\.EM'

run 0 explain ada@example.org 2611.90001
golden explain-passes
run 0 explain emmy@example.org 2611.90001
golden explain-fails
run 1 explain ada@example.org 9901.00001
said 'it was never announced' 'no feed .* has announced it'
run 1 explain nobody@example.org 2611.90001
is 'none of them changed the store' "$(store_hash)" "$BEFORE"

smtp_rules <<<'[{"stage": "rcpt", "match": "ada", "reply": "450 4.2.1 later"}]'
run 3 send-now
run 0 explain ada@example.org 2611.90001
golden explain-deferred
smtp_rules <<<'[]'
run 0 send-now
run 0 explain ada@example.org 2611.90001
golden explain-sent
run 0 explain ada@example.org 2611.90001v1
golden explain-sent

# Another process holds the write lock all the while.
check 'both work while another process writes' <<'END'
import os, sqlite3, subprocess
db = sqlite3.connect("state/arxmail.db", isolation_level=None)
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE feed SET polled_at = polled_at + 1")
for arguments in (["try", "lattice"], ["explain", "ada@example.org", "2611.90001"]):
    subprocess.run(["./arxmail", "-c", "arxmail.conf", *arguments], check=True,
                   timeout=60, stdout=subprocess.DEVNULL)
db.execute("ROLLBACK")
END
done_testing
