#!/usr/bin/env bash
# The disk (a small tmpfs) has room for so many pages more, from none to enough:
# the program says in a clear sentence that it is full, and when there is room
# again, nothing is lost and nothing sent twice but for what was in flight.
if [ "${1-}" != mounted ]; then
    if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
        echo '1..0 # SKIP to mount a tmpfs takes root and the right to mount'
        exit 0
    fi
    # What is mounted in here goes with the last process of the test.
    exec unshare -m "$0" mounted
fi
. "$(dirname "$0")/lib.sh"
. "$HERE/torture.sh"

SMTP+=' connections = 2;'
readers "$(amount 10 40)"
mount -t tmpfs -o size=16m,mode=750 arxmail "$T/state" ||
    skip_all 'mounting is not allowed here'
trap 'umount "$T/state"; clean_up' EXIT
own "$T/state"
torture 'a disk that gets full' <<'END'
import re

PAGE_BYTES = 4096


def leave(n_pages):
    """So much is left on the disk."""
    free = os.statvfs("state")
    assert free.f_bsize == PAGE_BYTES and free.f_bavail > n_pages
    with open("state/ballast", "wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0,
                           (free.f_bavail - n_pages) * PAGE_BYTES)


# The second where SQLite's shared memory has no room.
CLEAR = re.compile(r"^arxmail: \S*/arxmail\.db: (the disk is full: make room and"
                   r" try again)$", re.M)


def end_full(story):
    """A run on the full disk; was it full?"""
    status = send()
    relay.drain()
    os.unlink("state/ballast")
    if status == 0:
        return False
    assert status in (1, 3), status
    assert CLEAR.search(read("err")), read("err")
    story.note_end(2)
    return True


relay = start_relay()
total = Sum("fillings of the disk")
step = amount(7, 1)
pages = DRAW.randint(0, step - 1)
full = True
while full:
    story = Story(N)
    leave(pages)
    full = end_full(story)
    total.finish(story, send())
    pages += step
assert total.n_ends > 5, total.n_ends
total.tell()
END

done_testing
