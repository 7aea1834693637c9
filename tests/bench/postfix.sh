#!/usr/bin/env bash
# bench/postfix.sh PROGRAMS: smtp.py against a Postfix of its own on loopback,
# which queues every message and discards it. Needs root, as Postfix does.
set -euo pipefail

programs=$1
here=$(dirname "$0")
if [ "$(id -u)" -ne 0 ]; then
    echo "smtp, real Postfix: not measured: only root can start one"
    exit 0
fi
PATH=$PATH:/usr/sbin
folder=$(mktemp -d "${TMPDIR:-/tmp}/arxmail-bench-postfix.XXXXXX")
stop() {
    postfix -c "$folder/etc" stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT
chmod 755 "$folder"
mkdir "$folder/etc" "$folder/queue" "$folder/data"
chown postfix: "$folder/data"
port=$(/usr/bin/python3 -c 'import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')

cat >"$folder/etc/main.cf" <<END
compatibility_level = 3.6
queue_directory = $folder/queue
data_directory = $folder/data
maillog_file = $folder/log
maillog_file_prefixes = $folder
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example.net
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
default_transport = discard
relay_transport = discard
END
cat >"$folder/etc/master.cf" <<END
127.0.0.1:$port inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
discard unix - - n - - discard
anvil   unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
END
if ! said=$(postfix -c "$folder/etc" start 2>&1); then
    printf '%s\n' "$said" >&2
    exit 1
fi
if ! /usr/bin/python3 "$here/smtp.py" "$programs" "$port"; then
    cat "$folder/log" >&2
    exit 1
fi
