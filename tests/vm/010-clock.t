#!/usr/bin/env bash
# Steps of a real clock: Debian's kernel, systemd, the package and a Postfix in
# qemu, without KVM. What is tested is in guest.sh.
ARXMAIL=/bin/true
. "$(dirname "$0")/../e2e/lib.sh"
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../boot/boot.sh"
CACHE=$ROOT/build/vm
BASE=systemd-sysv,dbus,udev,postfix,initramfs-tools,linux-image-cloud-amd64

for tool in qemu-system-x86_64 mke2fs; do
    command -v "$tool" >/dev/null ||
        skip_all "there is no $tool: tests/setup.sh vm-test installs it"
done
[ "$(uname -m)" = x86_64 ] || skip_all 'the virtual machine is an x86_64'
need_tools
make_debian

for user in ada emmy; do
    chroot "$DEBIAN" useradd --create-home "$user"
done
chroot "$DEBIAN" postconf -e inet_interfaces=loopback-only \
    inet_protocols=ipv4 mydestination=example.org home_mailbox=Maildir/ \
    alias_maps= smtpd_peername_lookup=no
cp -r "$DEMO" "$DEBIAN/srv/feeds"
mkdir "$DEBIAN/srv/now"
cp "$DEB" "$DEBIAN/srv/package.deb"
install -m 755 "$HERE/guest.sh" "$DEBIAN/root/guest.sh"
cat >"$DEBIAN/srv/arxmail.conf" <<'END'
state_dir = "/var/lib/arxmail";
sender: { from = "arXiv <digest@example.org>"; };
smtp: { url = "smtp://localhost:25"; tls = "none"; };
feeds: { contact = "admin@example.org"; url = "file:///srv/now/{category}.xml";
  oai_url = "http://127.0.0.1:9/oai"; poll_from = "00:00"; poll_until = "23:59"; };
defaults: { digest_wait_min = 0; categories = ["cs.CL"]; keywords = ["language*"]; };
subscribers = (
{ id = "ada"; email = "ada@example.org"; timezone = "Europe/Berlin"; send_at = "02:30"; },
{ id = "emmy"; email = "emmy@example.org"; timezone = "Etc/UTC"; send_at = "01:10"; }
);
END
cat >"$DEBIAN/etc/systemd/system/guest.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/root/guest.sh
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=graphical.target
END
mkdir -p "$DEBIAN/etc/systemd/system/graphical.target.wants"
ln -s ../guest.service "$DEBIAN/etc/systemd/system/graphical.target.wants/"
ln -s /dev/null "$DEBIAN/etc/systemd/system/serial-getty@ttyS0.service"

mke2fs -q -t ext4 -d "$DEBIAN" "$T/disk" 3G >"$T/mke2fs" 2>&1 ||
    bail "mke2fs: $(cat "$T/mke2fs")"
timeout 1800 qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max \
    -smp 2 -m 1024 -display none -no-reboot -nodefaults -serial stdio \
    -kernel "$DEBIAN"/boot/vmlinuz-*-cloud-amd64 \
    -initrd "$DEBIAN"/boot/initrd.img-*-cloud-amd64 \
    -drive "file=$T/disk,if=virtio,format=raw,cache=unsafe" \
    -device virtio-rng-pci -append \
    'root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0 panic=-1 mitigations=off' \
    </dev/null >"$T/serial" 2>"$T/qemu"
tr -d '\r' <"$T/serial" >"$T/console"
grep -q '^1\.\.[0-9]' "$T/console" ||
    bail "the machine did not come to the end: $(tail -n 80 "$T/console" "$T/qemu")"
grep -E '^(not )?ok |^# |^1\.\.' "$T/console"
! grep -q '^not ok' "$T/console"
