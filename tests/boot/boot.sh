# shellcheck shell=bash
#
# A Debian of its own in $DEBIAN, booted by the real systemd with
# systemd-nspawn, which needs none on this machine. Sourced after
# tests/e2e/lib.sh.

DEB=$(ls "$ROOT"/build/deb/arxmail_*.deb 2>/dev/null)
CACHE=$ROOT/build/boot
DEBIAN=$T/debian
BASE=systemd-sysv,postfix

# Where there is no systemd, there is no unit to register a container as.
NSPAWN=(systemd-nspawn --quiet --register=no --private-network
    --link-journal=no --console=pipe "--machine=arxmail$$"
    "--directory=$DEBIAN")
[ -d /run/systemd/system ] || NSPAWN+=(--keep-unit)

need_tools() {
    local tool
    [ "$(id -u)" -eq 0 ] || skip_all 'only root can boot a container'
    for tool in dh systemd-nspawn mmdebstrap nsenter lintian; do
        command -v "$tool" >/dev/null ||
            skip_all "there is no $tool: tests/setup.sh boot-test installs it"
    done
    # shellcheck disable=SC1091
    SUITE=$(. /etc/os-release && [ "$ID" = debian ] &&
        echo "$VERSION_CODENAME") ||
        skip_all 'the package was not built on a Debian'
    [ -n "$DEB" ] || bail 'there is no package: make deb'
}

# A tar of a Debian with what the package needs but not the package itself.
make_debian() {
    local depends tar
    depends=$(dpkg-deb -f "$DEB" Depends |
        sed -e 's/([^)]*)//g' -e 's/|[^,]*//g' -e 's/ //g')
    tar=$CACHE/$(echo "$SUITE,$BASE,$depends" | md5sum | cut -c 1-16).tar
    if [ ! -e "$tar" ]; then
        rm -rf "$CACHE"
        mkdir -p "$CACHE"
        mmdebstrap --quiet --variant=minbase --include="$BASE,$depends" \
            "$SUITE" "$CACHE/new.tar" >"$T/mmdebstrap" 2>&1 || no_debian
        mv "$CACHE/new.tar" "$tar"
    fi
    mkdir "$DEBIAN"
    tar -x -f "$tar" -C "$DEBIAN"
    "${NSPAWN[@]}" /bin/true >"$T/nspawn" 2>&1 < <(:) ||
        skip_all "this machine runs no container: $(tail -n 1 "$T/nspawn")"
}

no_debian() {
    diag <"$T/mmdebstrap"
    ! grep -qE 'Could not (resolve|connect)|Unable to connect' \
        "$T/mmdebstrap" || skip_all 'no Debian mirror can be reached'
    bail 'mmdebstrap'
}

# Standard input is a pipe: of the host's /dev/null as its console, the
# container would change the rights.
boot() {
    local events
    rm -f "$DEBIAN/etc/resolv.conf"
    exec {events}< <(exec "$PYTHON" "$HERE/notify.py" "$T/notify")
    PIDS+=($!)
    wait_event "$events" listening $!
    NOTIFY_SOCKET=$T/notify "${NSPAWN[@]}" --boot --notify-ready=yes \
        >"$T/console" 2>&1 < <(:) &
    NSPAWN_PID=$!
    PIDS+=("$NSPAWN_PID")
    read -r -t "$TIMEOUT_SEC" -u "$events" _ LEADER ||
        bail "no boot: $(cat "$T/console")"
}

# inside COMMAND...: as root in the container.
inside() {
    nsenter --target "$LEADER" --mount --uts --ipc --net --pid --cgroup --root \
        --wd -- /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root LC_ALL=C.UTF-8 "$@"
}

# inside_is STATUS NAME COMMAND...: what it prints is in $T/out and $T/err.
inside_is() {
    local wanted=$1 name=$2 status
    shift 2
    inside timeout "$TIMEOUT_SEC" "$@" >"$T/out" 2>"$T/err" < <(:)
    status=$?
    if [ "$status" -eq "$wanted" ]; then
        pass "$name"
    else
        fail "$name" < <(echo "got $status, wanted $wanted: $*" &&
            cat "$T/err" "$T/out" && inside journalctl -n 30 --no-pager)
    fi
}

# The unit's property.
property() {
    inside systemctl show -P "$1" arxmail
}

# journal_here: remembers where the journal ends. wait_journal ERE: until a line
# after that matches.
journal_here() {
    CURSOR=$(inside journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
}

wait_journal() {
    local lines pid
    exec {lines}< <(inside timeout 60 journalctl -f -o cat \
        --no-tail --after-cursor="$CURSOR")
    pid=$!
    grep -q -m 1 -E -- "$1" <&"$lines" || {
        inside journalctl -n 50 --no-pager | diag
        bail "the journal never said: $1"
    }
    kill "$pid"
    exec {lines}<&-
}

# Systems without cgroup v2 are left with nspawn's empty groups.
power_off() {
    kill -s RTMIN+4 "$LEADER"
    wait "$NSPAWN_PID"
    find /sys/fs/cgroup/*/supervisor /sys/fs/cgroup/*/payload -depth -type d \
        -exec rmdir {} + 2>/dev/null
}
