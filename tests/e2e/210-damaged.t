#!/usr/bin/env bash
# A database that is damaged, of a newer version, read-only, locked or none at
# all: each command says what is wrong and what to do, and changes nothing.
. "$(dirname "$0")/lib.sh"

start_smtp
use_demo
run 0 send-now
cp -a "$T/state" "$T/good"

# damaged WHAT PATTERN: after the database was made so. Exit 1 of each command,
# a sentence with the pattern, what to do, and the same bytes as before.
damaged() {
    local what=$1 pattern=$2 before after
    before=$(sha256sum <"$T/state/arxmail.db")
    for command in check fetch 'send-now --no-fetch' status \
        'preview ada@example.org'; do
        # shellcheck disable=SC2086
        WHAT="$what: $command" run 1 $command
        said "$what: $command says what to do" "$pattern"
    done
    after=$(sha256sum <"$T/state/arxmail.db")
    is "$what: nothing was changed" "$after" "$before"
    fresh_state
}

fresh_state() {
    chmod -R u+w "$T/state" 2>/dev/null
    rm -rf "$T/state"
    cp -a "$T/good" "$T/state"
    rm -f "$T"/state/arxmail.db-*
}

fresh_state
head -c 5000 "$T/good/arxmail.db" >"$T/state/arxmail.db"
damaged 'cut short' 'the database is damaged.*put a backup'

head -c 100000 /dev/urandom >"$T/state/arxmail.db"
damaged 'no database' '(damaged|no database|not a database).*put a backup'

printf 'hello\n' >"$T/state/arxmail.db"
damaged 'a text' '(damaged|no database|not a database).*put a backup'

sqlite() {
    "$PYTHON" -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute(sys.argv[2])
db.commit()' "$T/state/arxmail.db" "$1"
    own "$T"/state/*
}
sqlite 'PRAGMA user_version = 999'
damaged 'of a newer version' 'newer'

# A page in the middle: what does not need it may still work, but says nothing
# wrong; `check` finds it.
size=$(stat -c %s "$T/state/arxmail.db")
dd if=/dev/urandom of="$T/state/arxmail.db" bs=4096 count=4 \
    seek=$((size / 8192)) conv=notrunc 2>/dev/null
run 1 check
said 'check finds a page that is damaged' 'the database is damaged.*put a backup'
fresh_state

if [ "${#AS_USER[@]}" -gt 0 ]; then
    chmod 444 "$T/state/arxmail.db"
    chown root "$T/state/arxmail.db"
    WHAT='read-only: fetch' run 1 fetch
    said 'a file that cannot be written' 'permission denied: give it and its folder back'
    fresh_state
fi

# Another program holds it.
exec {LOCKED}< <(exec "$PYTHON" -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()' "$T/state/arxmail.db" < <(tail -f /dev/null --pid $$))
LOCKER=$!
PIDS+=("$LOCKER")
wait_event "$LOCKED" locked "$LOCKER"
WHAT='locked: fetch' run 1 fetch
said 'a database that another program holds' 'locked; try again, or find it with'
kill "$LOCKER"
wait "$LOCKER" 2>/dev/null
WHAT='free again: status' run 0 status

done_testing
