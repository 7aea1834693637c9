# shellcheck shell=bash
#
# A Postfix of the test's own, on loopback, strict, with STARTTLS and AUTH; it
# delivers example.org into a Maildir and sends nothing anywhere. Sourced after
# tests/e2e/lib.sh.

# start_postfix: sets SMTP. The password is in $T/password.
start_postfix() {
    make_certificate relay
    printf 'correct horse\n' >"$T/password"
    chmod 600 "$T/password"
    own "$T/password"
    mkdir -p "$T/postfix/etc/sasl" "$T/postfix/queue" "$T/postfix/data" "$T/mail"
    chown postfix: "$T/postfix/data"
    chown nobody: "$T/mail"
    write_sasl
    write_main
    PORT=$(free_port)
    write_master
    # It stops by the pid file of its own queue folder: nobody else's.
    postfix -c "$T/postfix/etc" start >"$T/postfix/out" 2>&1 ||
        bail "postfix: $(cat "$T/postfix/out" "$T/postfix/log" 2>/dev/null)"
    trap 'postfix -c "$T/postfix/etc" stop >/dev/null 2>&1; clean_up' EXIT
    # shellcheck disable=SC2034
    SMTP="url = \"smtp://localhost:$PORT\"; ca_file = \"$T/relay.crt\";
          username = \"digest@localhost\"; password_file = \"$T/password\";"
}

free_port() {
    "$PYTHON" -c 'import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
}

# Debian's Postfix reads SASL's settings from its config folder only.
write_sasl() {
    local db=$T/postfix/sasldb
    printf 'correct horse' |
        saslpasswd2 -p -c -f "$db" -u localhost digest || bail saslpasswd2
    chown root:postfix "$db"
    chmod 640 "$db"
    cat >"$T/postfix/etc/sasl/smtpd.conf" <<END
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: $db
mech_list: PLAIN LOGIN
END
}

write_main() {
    local etc=$T/postfix/etc
    printf '@example.org Maildir/\n' >"$etc/mailboxes"
    cat >"$etc/recipients" <<'END'
refused@example.org 550 5.1.1 no such user here
later@example.org   450 4.2.1 come back later
END
    cat >"$etc/main.cf" <<END
compatibility_level = 3.6
queue_directory = $T/postfix/queue
data_directory = $T/postfix/data
maillog_file = $T/postfix/log
maillog_file_prefixes = $T
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example.net
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
default_transport = error:no mail leaves this machine
relay_transport = error:no mail leaves this machine

virtual_mailbox_domains = example.org
virtual_mailbox_base = $T/mail
virtual_mailbox_maps = texthash:$etc/mailboxes
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)

smtpd_tls_security_level = encrypt
smtpd_tls_loglevel = 1
smtpd_tls_cert_file = $T/relay.crt
smtpd_tls_key_file = $T/relay.key
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = localhost
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access
    texthash:$etc/recipients, permit_sasl_authenticated, reject
smtpd_reject_unlisted_recipient = no

strict_rfc821_envelopes = yes
strict_7bit_headers = yes
strict_8bitmime = yes
strict_mime_encoding_domain = yes
smtpd_forbid_bare_newline = reject
smtpd_helo_required = yes
smtpd_junk_command_limit = 1
END
}

write_master() {
    cat >"$T/postfix/etc/master.cf" <<END
127.0.0.1:$PORT inet n - n - - smtpd
cleanup  unix n - n - 0 cleanup
qmgr     unix n - n 300 1 qmgr
tlsmgr   unix - - n 1000? 1 tlsmgr
rewrite  unix - - n - - trivial-rewrite
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error    unix - - n - - error
retry    unix - - n - - error
virtual  unix - n n - - virtual
anvil    unix - - n - 1 anvil
scache   unix - - n - 1 scache
postlog  unix-dgram n - n - 1 postlogd
END
}

# wait_delivered N: until it has said N times that a message is in the Maildir.
wait_delivered() {
    local log
    exec {log}< <(exec tail -n +1 -f "$T/postfix/log")
    PIDS+=($!)
    timeout 60 grep -m "$1" 'status=sent' <&"$log" >"$T/delivered"
    exec {log}<&-
    [ "$(wc -l <"$T/delivered")" -eq "$1" ] || bail "$(cat "$T/postfix/log")"
}
