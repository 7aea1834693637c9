#!/bin/bash
# Inside: steps the clock under the installed daemon, and counts ada's mails.
# Prints TAP; the batches are this script's: fetched before each step.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8

n=0
test_is() {
    n=$((n + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1 (got $2, wanted $3)"
        journalctl -u arxmail -o short-iso -n 40 --no-pager | sed 's/^/# /'
    fi
}

mails() {
    find /home/ada/Maildir/new -type f 2>/dev/null | wc -l
}

# wait_journal ERE: until a line after $cursor matches.
here() {
    cursor=$(journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
}
wait_journal() {
    local lines
    exec {lines}< <(exec journalctl -f -o cat --no-tail \
        --after-cursor="$cursor")
    timeout 600 grep -q -m 1 -E -- "$1" <&"$lines" || {
        echo "Bail out! the journal never said: $1"
        journalctl -u arxmail -n 60 --no-pager | sed 's/^/# /'
        systemctl poweroff
        exit 1
    }
    kill $!
    exec {lines}<&-
}

# new_batch: papers that nobody has seen, in the store.
serial=1
new_batch() {
    sed "s/2611\.9/26$((10 + serial)).7/g" /srv/feeds/cs.CL.xml \
        >/srv/now/cs.CL.xml
    serial=$((serial + 1))
    arxmail fetch
}

# set_clock TIME; sent TO: waits for the mail that comes of it.
set_clock() {
    here
    date -u -s "$1" >/dev/null
}
sent() {
    wait_journal "to=<$1@example.org>.*status=sent"
}

# seen_at: when the daemon sent ada's last mail, Unix seconds.
seen_at() {
    journalctl -u arxmail -o short-unix --no-pager |
        sed -n 's/^\([0-9]*\)\..*subscriber ada: sent.*/\1/p' | tail -n 1
}
after() {
    [ "$(seen_at)" -ge "$(date -u -d "$1" +%s)" ] && echo yes
}

dpkg -i /srv/package.deb >/dev/null 2>&1
install -o root -g arxmail -m 0640 /srv/arxmail.conf /etc/arxmail/
cp /srv/feeds/cs.CL.xml /srv/now/

# The evening before the night that has 02:30 twice in Berlin: ada's slot. That
# of emmy is 01:10 in Greenwich; her mail shows that ada was looked at, too.
set_clock '2026-10-24 20:00'
systemctl start arxmail
wait_journal 'category cs.CL: '
test_is 'who is new gets nothing at the start' "$(mails)" 0

new_batch
set_clock '2026-10-25 00:28:30'
sent ada
test_is 'one mail in summer time' "$(mails)" 1
test_is 'at 02:30' "$(after '2026-10-25 00:30')" yes
new_batch
set_clock '2026-10-25 01:45'
sent emmy
test_is 'not again at 02:30 in winter time' "$(mails)" 1

set_clock '2026-11-01 12:00'
sent ada
test_is 'after a jump of a week one' "$(mails)" 2

set_clock '2026-10-26 12:00'
wait_journal 'schedule: the clock was set'
new_batch
set_clock '2026-11-02 01:20'
sent emmy
test_is 'back and forth: nothing before its time' "$(mails)" 2

# What was announced more than 14 days ago is not sent any more.
set_clock '2027-03-26 12:00'
wait_journal 'digests: 0 queued'
new_batch
set_clock '2027-03-27 12:00'
sent ada
test_is 'after months only what is new' "$(mails)" 3

# The night without 02:30: the slot is where the gap ends.
new_batch
set_clock '2027-03-28 00:58:30'
sent ada
test_is 'in the night without 02:30 one' "$(mails)" 4
test_is 'where the gap ends' "$(after '2027-03-28 01:00')" yes
test_is 'it is the same daemon' "$(systemctl show -P NRestarts arxmail)" 0
echo "1..$n"
