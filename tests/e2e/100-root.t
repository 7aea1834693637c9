#!/usr/bin/env bash
# Run as root, the program becomes the owner of its state before it touches it.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all 'only root can drop to another user'

# As root itself; secrets and output files are only root's.
PROGRAM=("${WRAPPER[@]}" "$T/arxmail" -c "$CONF")
start_smtp_tls
chown root: "$T/password"
use_demo
chmod 600 "$CONF"

run 0 check
run 0 send-now
check 'it could read its secrets and sent' <<<'equal(received(), DEMO)'
unlike 'nothing warns of root' "$T/err" root
mkdir -m 700 "$T/private"
run 0 preview ada@example.org --last --format eml --output "$T/private/ada.eml"
run 0 backup "$T/private/copy.db"
is "no file of the state is root's" "$(find "$T/state" -user root)" ''
is "the output is root's" "$(stat -c %U "$T/private/ada.eml")" root

# The same beside a daemon that runs as the owner, and goes on.
chown nobody: "$T/password"
chmod 644 "$CONF"
read -r -a AS_OWNER <<<'setpriv --reuid nobody --regid nogroup --clear-groups'
ROOT_PROGRAM=("${PROGRAM[@]}")
PROGRAM=("${AS_OWNER[@]}" "${PROGRAM[@]}")
new_state
start_daemon
wait_log 'category math.NT: '
PROGRAM=("${ROOT_PROGRAM[@]}")
chown root: "$T/password"
run 0 send-now
run 0 preview ada@example.org --last --format html --output "$T/private/ada.html"
run 0 status
is "beside a daemon no file is root's either" "$(find "$T/state" -user root)" ''
is 'no output file is left in the state' "$(find "$T/state" -name '*.html')" ''
chown nobody: "$T/password"
kill -HUP "$DAEMON"
wait_log 'reload: done'
end_daemon 0 TERM
chown root: "$T/password"

chown root: "$T/state"
new_root_state() {
    new_state
    chown root: "$T/state"
}
new_root_state
run 0 fetch
said 'root as the owner is allowed, with a warning' 'root'

rm -rf "$T/state"
run 1 fetch
is 'root never makes the folder' "$(ls -d "$T/state" 2>/dev/null)" ''
said 'but names it' "$T/state"

done_testing
