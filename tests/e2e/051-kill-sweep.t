#!/usr/bin/env bash
# kill -9 at the k-th write to disk, sync, send and receive of a run, one k after
# the other, then again: every digest arrives, none twice but for the one in
# flight. The same where from the k-th on the disk is full or broken.
. "$(dirname "$0")/lib.sh"
. "$HERE/torture.sh"

if ldd "$ARXMAIL" | grep -q libasan; then
    skip_all 'strace and the leak sanitizer do not mix'
fi
strace -qq -o /dev/null /bin/true 2>/dev/null ||
    skip_all 'strace is not there or not allowed here'

SMTP+=' connections = 1;'
readers "$(amount 5 12)"
torture 'every write, sync, send and receive' <<'END'
relay = start_relay()


def strace(syscall, action, k):
    """The program before its kth call of that name. Was it reached?"""
    status = send(["strace", "-qq", "-f", "-o", "home/strace",
                   "-e", "trace=" + syscall,
                   "-e", f"inject={syscall}:{action}:when={k}"])
    relay.drain()
    return status


def kill(story, syscall, k):
    status = strace(syscall, "signal=KILL", k)
    if status == -signal.SIGKILL:
        story.note_end(1)
        return True
    story.finish(status)
    return False


def spoil(story, syscall, error, k):
    """It must say what is wrong, unless all was done by then."""
    status = strace(syscall, "error=" + error, f"{k}+")
    if "(INJECTED)" not in read("home/strace"):
        story.finish(status)
        return False
    assert status in (0, 1, 3), status
    if status != 0:
        assert read("err"), "no word of it"
        story.note_end(1)
    return True


def sweep(what, step, at_least, ends):
    """ends(story, k) until there is no kth."""
    total = Sum(what)
    k = DRAW.randint(1, step)
    while True:
        story = Story(N)
        if not ends(story, k):
            break
        total.finish(story, send())
        k += step
    assert k > at_least, f"{what}: only {k}"
    total.tell()


def killed_at(syscall, step, at_least):
    sweep(f"killed at {syscall}", step, at_least,
          lambda story, k: kill(story, syscall, k))


def failed_at(syscall, error, step, at_least):
    sweep(f"{error} from {syscall} on", step, at_least,
          lambda story, k: spoil(story, syscall, error, k))


killed_at("pwrite64", amount(4, 1), 50)
killed_at("fdatasync", 1, 5)
killed_at("write", 1, 1)
killed_at("ftruncate", 1, 1)
killed_at("unlink", 1, 1)
killed_at("sendto", 1, 5)
killed_at("recvfrom", 1, 5)
failed_at("pwrite64", "ENOSPC", amount(17, 1), 50)
failed_at("pwrite64", "EIO", amount(17, 1), 50)
failed_at("fdatasync", "EIO", amount(3, 1), 5)
failed_at("sendto", "ECONNRESET", amount(3, 1), 5)
failed_at("recvfrom", "ECONNRESET", amount(4, 1), 5)
END

done_testing
