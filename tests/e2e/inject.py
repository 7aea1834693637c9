"""Fails system calls of the program one at a time: inject.py NAME BEGIN CONF
ARGS.

Each run begins with a copy of the state folder BEGIN; strace lets the n-th call
of its kind fail, from when the database is open, with each errno that such a
call may have. After it, a run that nothing fails must find the state whole and
send what is left: nothing is lost, nothing comes twice but what was in flight.
"""

import collections
import os
import re
import shutil
import sqlite3
import subprocess
import sys

from mail import check_demo_sent, check_whole, equal, read
from torture import LONG, tell

# What the program makes again, so that nothing is to be seen of it; and what
# ends a command with a sentence.
HARMLESS = {
    "EINTR": "pread64 pwrite64 poll recvfrom sendto flock getrandom",
    "EAGAIN": "recvfrom sendto",
}
TOLD = {
    "EINTR": "openat read write connect fsync fdatasync ftruncate fcntl",
    "EAGAIN": "connect fcntl flock write",
    "ENOSPC": "openat write pwrite64 ftruncate fsync fdatasync",
    "EIO": "openat read pread64 write pwrite64 newfstatat fcntl flock"
           " ftruncate fsync fdatasync unlink recvfrom sendto connect",
    "EMFILE": "openat socket socketpair",
}
CASES = [(name, call, table is HARMLESS)
         for table in (HARMLESS, TOLD)
         for name, calls in table.items() for call in calls.split()]

NAME, BEGIN, CONF, *ARGS = sys.argv[1:]


def run(args, conf, strace=()):
    program = read("program").splitlines()
    program[program.index("-c") + 1] = conf
    with open("out", "wb") as out, open("err", "wb") as err:
        return subprocess.run(["timeout", "120", *strace, *program, *args],
                              stdin=subprocess.DEVNULL, stdout=out,
                              stderr=err, check=False).returncode


def begin():
    for folder in ("state", "inbox"):
        shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-a", BEGIN, "state"], check=True)
    os.mkdir("inbox")


def count_calls():
    """Of each kind: how many before the database is open, and in all."""
    before, total, is_open = collections.Counter(), collections.Counter(), 0
    begin()
    equal(run(ARGS, CONF, ["strace", "-f", "-qq", "-o", "trace"]), 0)
    for line in read("trace").splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        if not call:
            continue
        is_open |= call[1] == "openat" and '/arxmail.db"' in line
        total[call[1]] += 1
        before[call[1]] += not is_open
    assert is_open
    return before, total


def check_state():
    check_whole()
    owner = os.stat("empty")
    for name in os.listdir("state"):
        os.chown(f"state/{name}", owner.st_uid, owner.st_gid)
    equal(run(["send-now"], "files.conf"), 0)
    check_demo_sent()


def try_one(error, call, n, is_harmless):
    """What went wrong; None where the run made fewer such calls."""
    begin()
    status = run(ARGS, CONF,
                 ["strace", "-f", "-qq", "-o", "trace", "-e", f"trace={call}",
                  "-e", f"inject={call}:error={error}:when={n}"])
    said = read("err")
    if "(INJECTED)" not in read("trace"):
        return None
    try:
        assert status in (0, 1, 3), status
        assert status != 1 or said.startswith("arxmail: "), said
        assert not is_harmless or status == 0, said
        check_state()
    except (AssertionError, sqlite3.Error) as failure:
        return [f"{call} {n} {error}: {failure!r}\n{said}{read('err')}"]
    return []


def sweep():
    before, total = count_calls()
    failures, runs = [], 0
    for error, call, is_harmless in CASES:
        n, step = before[call] + 1, 1
        while n <= total[call]:
            failure = try_one(error, call, n, is_harmless)
            failures += failure or []
            runs += failure is not None
            n += step
            step = 1 if LONG else 6 * step
    tell(f"{NAME}: {runs} calls failed, {len(failures)} ended badly")
    assert runs > 20, runs
    return failures


FAILURES = sweep()
print("\n".join(FAILURES))
sys.exit(bool(FAILURES))
