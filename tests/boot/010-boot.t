#!/usr/bin/env bash
# The package's life on a real Debian with a real systemd and a real Postfix:
# install, start, send, reload, hang, upgrade, remove, purge.
# The program that is tested is the package's; lib.sh wants one.
ARXMAIL=/bin/true
. "$(dirname "$0")/../e2e/lib.sh"
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/boot.sh"

need_tools
make_debian
if lintian --fail-on error,warning "${DEB%.deb}.changes" >"$T/lintian" 2>&1; then
    pass 'lintian finds nothing'
else
    fail 'lintian finds nothing' <"$T/lintian"
fi

# ---- a Debian with a Postfix that delivers to two people ----

chroot "$DEBIAN" useradd --create-home ada
chroot "$DEBIAN" useradd --create-home emmy
chroot "$DEBIAN" postconf -e inet_interfaces=loopback-only \
    inet_protocols=ipv4 mydestination=example.org home_mailbox=Maildir/ \
    alias_maps= smtpd_peername_lookup=no
cp -r "$DEMO" "$DEBIAN/srv/feeds"
cp "$HERE/probe.pl" "$DEBIAN/srv/probe.pl"
cp "$DEB" "$DEBIAN/srv/package.deb"
mkdir -m 1777 "$DEBIAN/srv/open"

# make_upgrade N: the same package with a higher version, /srv/upgrade.deb.
make_upgrade() {
    rm -rf "$T/upgrade"
    dpkg-deb -R "$DEB" "$T/upgrade"
    sed -i "s/^Version: .*/&+upgrade$1/" "$T/upgrade/DEBIAN/control"
    dpkg-deb -b "$T/upgrade" "$DEBIAN/srv/upgrade.deb" >/dev/null
}

# mails USER: how many are in the mailbox.
mails() {
    find "$DEBIAN/home/$1/Maildir/new" -type f 2>/dev/null | wc -l
}

boot

# ---- install ----

inside_is 0 'the package installs' dpkg -i /srv/package.deb
printed 'it says that there is no config yet' 'copy arxmail.conf.example'
is 'the unit is enabled' "$(inside systemctl is-enabled arxmail)" enabled
is 'but it does not start without a config' \
    "$(property ActiveState) $(property ConditionResult)" 'inactive no'
is 'only root and arxmail may look into /etc/arxmail' \
    "$(inside stat -c '%U:%G %a' /etc/arxmail)" 'root:arxmail 750'

# ---- configure and start ----

# In this zone it is noon, so that a slot in the evening is still to come, and
# one of the morning has passed, whenever this runs.
NOON=$((10#$(date -u +%H) - 12))
[ "$NOON" -lt 0 ] || NOON=+$NOON
NOON=Etc/GMT$NOON

# configure: the example, filled in as its comments say.
configure() {
    sed -e 's|from = ""|from = "arXiv <digest@example.org>"|' \
        -e 's|url = "";.*<==.*|url = "smtp://localhost:25"; tls = "none";|' \
        -e 's|contact = ""|contact = "admin@example.org"|' \
        -e 's|# url = "https://rss.*|url = "file:///srv/feeds/{category}.xml";|' \
        -e 's|email = ""|email = "ada@example.org"|' \
        -e 's|categories = .*|categories = ["cs.CL"];|' \
        -e "s|# timezone = .*|timezone = \"$NOON\"; send_at = \"18:00\";|" \
        -e 's|# digest_wait_min.*|digest_wait_min = 0;|' \
        -e 's|# poll_from = .*|poll_from = "00:00"; poll_until = "23:59";|' \
        "$DEBIAN/etc/arxmail/arxmail.conf.example" >"$T/arxmail.conf"
    inside install -o root -g arxmail -m 0640 /dev/stdin \
        /etc/arxmail/arxmail.conf <"$T/arxmail.conf"
}

# subscribe_emmy HH:MM
subscribe_emmy() {
    inside install -D -o root -g arxmail -m 0640 /dev/stdin \
        /etc/arxmail/subscribers.d/emmy.conf <<END2
subscribers = ( { email = "emmy@example.org"; send_at = "$1";
                  categories = ["hep-lat"]; } );
END2
}

configure
inside_is 0 'the filled in example is valid' arxmail check
inside_is 0 'the unit starts' systemctl start arxmail
PID=$(property MainPID)
is 'it is active, as the daemon has notified' \
    "$(property Type) $(property ActiveState) $(property SubState)" \
    'notify active running'
is 'it runs as arxmail' \
    "$(inside stat -c %U "/proc/$PID")" arxmail
is 'so does what it has opened' \
    "$(inside stat -c '%U:%G %a' /var/lib/arxmail)" 'arxmail:arxmail 750'

# ---- a digest ----

journal_here
inside_is 0 'root sends beside the daemon' arxmail send-now
wait_journal 'to=<ada@example.org>.*status=sent'
is 'the digest is in the mailbox' "$(mails ada)" 1
is 'no file of the state belongs to another user' \
    "$(inside find /var/lib/arxmail ! -user arxmail)" ''
is 'the daemon goes on' "$(property MainPID) $(property ActiveState)" \
    "$PID active"

# ---- reload ----

subscribe_emmy 18:00
journal_here
inside_is 0 'a good config is reloaded' systemctl reload arxmail
wait_journal 'reload: done: 2 subscribers'
is 'by the same process' "$(property MainPID) $(property ActiveState)" \
    "$PID active"
subscribe_emmy 06:00
inside_is 0 'and one more' systemctl reload arxmail
wait_journal 'to=<emmy@example.org>.*status=sent'
is 'the daemon sends by itself once a slot has passed' "$(mails emmy)" 1
journal_here
inside sed -i 's/^smtp:/smpt:/' /etc/arxmail/arxmail.conf
inside_is 1 'a bad config is not' systemctl reload arxmail
wait_journal 'Reload failed for arxmail'
is 'nor did the daemon hear of it' "$(property MainPID) $(property ActiveState) \
$(inside journalctl -o cat "_PID=$PID" --after-cursor="$CURSOR")" "$PID active "

# ---- a restart with a bad config, and a hanging loop ----

journal_here
inside_is 1 'nor does the daemon start with it' systemctl restart arxmail
is 'it ends with 78 and is not tried again' \
    "$(property ExecMainStatus) $(property ActiveState) $(property NRestarts)" \
    '78 failed 0'
configure
inside mkdir /etc/systemd/system/arxmail.service.d
inside tee /etc/systemd/system/arxmail.service.d/fast.conf >/dev/null <<'END2'
[Service]
WatchdogSec=2s
RestartSec=0
END2
inside systemctl daemon-reload
inside_is 0 'it starts with the old one' systemctl start arxmail
PID=$(property MainPID)
journal_here
inside kill -STOP "$PID"
wait_journal 'arxmail.service: Watchdog timeout'
wait_journal 'Started arxmail.service'
is 'a loop that hangs is killed and started anew' \
    "$(property ActiveState) $(property NRestarts) \
$([ "$(property MainPID)" -ne "$PID" ] && echo another)" 'active 1 another'
inside rm -r /etc/systemd/system/arxmail.service.d
inside systemctl daemon-reload

# ---- the sandbox: the unit, with a probe in the daemon's place ----

sed -e 's/^Type=.*/Type=oneshot/' -e '/^Restart/d' \
    -e 's|^ExecStart=.*|ExecStart=/usr/bin/perl /srv/probe.pl|' \
    -e '/^ExecReload/d' -e 's|^ExecPaths=|ExecPaths=/usr/bin/perl |' \
    "$DEBIAN/lib/systemd/system/arxmail.service" \
    >"$DEBIAN/run-probe.service"
inside mv /run-probe.service /run/systemd/system/probe.service
inside systemctl daemon-reload
inside_is 0 'a probe runs in the sandbox' systemctl start probe
inside journalctl --sync
inside journalctl -o cat -u probe >"$T/out"
printed 'it writes into the state' '^write /var/lib/arxmail/probe: done'
printed 'it reads the config' '^read /etc/arxmail/arxmail.conf: done'
printed 'it may use the network' '^inet: done'
unlike 'it writes nowhere else' "$T/out" \
    '^write (/srv|/etc|/root|/var/lib/probe).*done'
printed 'not where everybody may' '^write /srv/open/probe: refused: Read-only'
unlike 'it runs no program' "$T/out" '^exec .*done'
printed 'not a shell either' '^exec /bin/sh: refused'
printed 'it may not use other sockets' '^netlink: refused'
for what in 'read /etc/shadow' 'read /proc/1/environ' 'list /home/ada' \
    'list /root' 'list /var/log' 'raw socket' 'packet socket' 'signal process 1' \
    'become root' 'make a setuid file' 'ptrace process 1' mount \
    'new namespace' 'write and execute memory' 'set the host name' \
    'set the clock' 'another personality' 'load a module' reboot \
    'kernel keyring' bpf io_uring 'kernel log' swap 'raise a limit'; do
    printed "refused: $what" "^$what: refused"
done
cp "$T/out" "${PROBE_OUT:-/dev/null}"

# ---- upgrade ----

make_upgrade 1
PID=$(property MainPID)
CONFIG=$(inside stat -c '%U:%G %a %y' /etc/arxmail/arxmail.conf)
inside_is 0 'an upgrade installs' dpkg -i /srv/upgrade.deb
is 'the daemon was restarted' "$(property ActiveState) \
$([ "$(property MainPID)" -ne "$PID" ] && echo another)" 'active another'
is 'the config stayed' \
    "$(inside stat -c '%U:%G %a %y' /etc/arxmail/arxmail.conf)" "$CONFIG"
inside_is 0 'the state stayed' arxmail send-now
is 'nothing is sent again' "$(mails ada)" 1
inside systemctl --quiet disable --now arxmail
make_upgrade 2
inside_is 0 'another upgrade installs' dpkg -i /srv/upgrade.deb
is 'what was disabled stays so' \
    "$(inside systemctl is-enabled arxmail) $(property ActiveState)" \
    'disabled inactive'

# ---- remove and purge ----

inside install -m 0640 /dev/stdin /etc/arxmail/smtp-password <<<'secret'
inside_is 0 'the package is removed' dpkg -r arxmail
is 'config and state stay' "$(inside find /etc/arxmail/arxmail.conf \
    /var/lib/arxmail/arxmail.db 2>&1)" "/etc/arxmail/arxmail.conf
/var/lib/arxmail/arxmail.db"
inside_is 0 'and purged' dpkg -P arxmail
is 'nothing is left' "$(inside find / -xdev \( -path /proc -o -path /sys -o \
    -path /run -o -path /var/log \) -prune -o -name '*arxmail*' -print)" ''

power_off
is 'the machine went down in order' "$?" 0
done_testing
