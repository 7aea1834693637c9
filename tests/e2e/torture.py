"""Ends runs of the program at bad moments; compares what a relay got with what
the store says.

A story is the life of one state folder: from the fetched papers through runs
that are ended to one that ends by itself. Always holds, also in between:

  - what was accepted, the store calls sent, or says that its dot was out
  - what the store calls sent was accepted
  - of a connection only the last message can come again, and then it has the
    Message-ID that it had

Draws come from SEED, so that a story can be told again, as far as two
processes ever do the same. TORTURE=1 is for the long version of each test:
`make torture`.
"""

import collections
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys

from mail import STORE, read
from servers.recording_server import STAGES, Relay

SEED = os.environ.get("SEED") or "1"
LONG = bool(os.environ.get("TORTURE"))
DRAW = random.Random(f"{SEED} {os.path.basename(sys.argv[-1])}")
LIMIT_SEC = 240

QUEUED, SENDING, SENT, _, UNKNOWN = range(5)

Accepted = collections.namedtuple("Accepted", "at connection to message_id")
Delivery = collections.namedtuple("Delivery", "to message_id state dot_at")


def amount(short, long):
    return long if LONG else short


def tell(text):
    """For the reader of the test's output."""
    print("#", text, flush=True)
    if "COUNTS" in os.environ:
        with open(os.environ["COUNTS"], "a") as file:
            file.write(text + "\n")


# ---- the program ----

def start(before=(), name=""):
    """send-now; `before` is a command that runs it."""
    program = read("program").splitlines()
    at = next(i for i, word in enumerate(program)
              if word.endswith("/arxmail"))
    with open("out" + name, "wb") as out, open("err" + name, "wb") as err:
        return subprocess.Popen([*program[:at], *before, *program[at:],
                                 "send-now", "--no-fetch"],
                                stdin=subprocess.DEVNULL, stdout=out,
                                stderr=err)


def end(process):
    """Its exit status; -9 where it was killed."""
    return process.wait(LIMIT_SEC)


def send(before=()):
    return end(start(before))


def find_sender(runs):
    """The one that holds the lock, if it is one of them."""
    inode = f":{os.stat('state/send.lock').st_ino}"
    for line in read("/proc/locks").splitlines():
        words = line.split()
        if words[1] == "FLOCK" and words[5].endswith(inode):
            for run in runs:
                if run.pid == int(words[4]):
                    return run
    return runs[0]


def configure(relay):
    """From now on the program's relay is this one."""
    if not os.path.exists("plain.conf"):
        shutil.copy("arxmail.conf", "plain.conf")
    text = read("plain.conf")
    with open("arxmail.conf", "w") as file:
        file.write(text.replace("127.0.0.1:9\"", f"127.0.0.1:{relay.port}\""))


def start_relay():
    relay = Relay("record")
    configure(relay)
    relay.start()
    return relay


# ---- what the store and the relay say ----

def look():
    """The deliveries. A copy is read: the next run shall find what was left."""
    os.makedirs("look", exist_ok=True)
    for end_of_name in ("", "-wal"):
        copy = "look/arxmail.db" + end_of_name
        if os.path.exists(STORE + end_of_name):
            shutil.copyfile(STORE + end_of_name, copy)
        elif os.path.exists(copy):
            os.unlink(copy)
    if os.path.exists("look/arxmail.db-shm"):
        os.unlink("look/arxmail.db-shm")
    database = sqlite3.connect("look/arxmail.db")
    rows = database.execute(
        "SELECT id, message_id, state, dot_at FROM delivery"
        " JOIN subscriber USING (subscriber_no)").fetchall()
    database.close()
    return [Delivery(*row) for row in rows]


def accepted():
    """In the order of acceptance."""
    with open("record") as file:
        words = [line.split() for line in file]
    return [Accepted(float(at), *rest) for at, *rest in words]


def find_repeated(messages):
    """Those that were accepted again later."""
    last = {message.message_id: message for message in messages}
    return [message for message in messages
            if message is not last[message.message_id]]


class Story:
    def __init__(self, readers):
        self.readers = readers
        self.n_ends = 0
        self.n_allowed = 0  # repeats
        self.excused = set()  # the dot was out once
        for name in os.listdir("state"):
            os.unlink(os.path.join("state", name))
        for name in os.listdir("fetched"):
            source = os.path.join("fetched", name)
            copy = shutil.copy2(source, "state")
            os.chown(copy, os.stat(source).st_uid, os.stat(source).st_gid)
        os.truncate("record", 0)

    def note_end(self, n_open):
        """A run has ended too early, with so many connections."""
        self.n_ends += 1
        self.n_allowed += n_open
        self.check()

    def check(self):
        deliveries = {item.message_id: item for item in look()}
        self.excused |= {item.message_id for item in deliveries.values()
                         if item.state in (SENDING, UNKNOWN) and item.dot_at}
        got = {message.message_id for message in accepted()}
        for name in got:
            assert name in deliveries, f"{name} is not in the store"
            assert deliveries[name].state == SENT or name in self.excused, \
                f"accepted, but the store does not know: {deliveries[name]}"
        for item in deliveries.values():
            assert item.state != SENT or item.message_id in got, \
                f"never accepted: {item}"

    def check_repeats(self, messages):
        last = {message.connection: message for message in messages}
        repeated = find_repeated(messages)
        for message in repeated:
            assert message is last[message.connection], \
                f"it was answered, and yet sent again: {message}"
        assert len(repeated) <= self.n_allowed, \
            f"{len(repeated)} repeats, {self.n_allowed} allowed"
        return len(repeated)

    def finish(self, status):
        """The run that ended by itself. Returns how many came again."""
        assert status == 0, f"exit status {status}: {read('err')}"
        self.check()
        deliveries = look()
        messages = accepted()
        wanted = {f"reader{i + 1}@example.org" for i in range(self.readers)}
        for found in deliveries, messages:
            names = {item.message_id: item.to for item in found}
            to = collections.Counter(names.values())
            assert set(to) == wanted, f"lost: {wanted ^ set(to)}"
            assert max(to.values()) == 1, f"two digests: {to.most_common(3)}"
        assert len(deliveries) == self.readers, len(deliveries)
        assert all(item.state == SENT for item in deliveries), deliveries
        return self.check_repeats(messages)


class Sum:
    """Over the stories of a test."""

    def __init__(self, what):
        self.what = what
        self.n_stories = self.n_messages = 0
        self.n_ends = self.n_repeats = self.n_allowed = 0

    def finish(self, story, status):
        self.n_repeats += story.finish(status)
        self.n_stories += 1
        self.n_messages += story.readers
        self.n_ends += story.n_ends
        self.n_allowed += story.n_allowed

    def tell(self):
        tell(f"{self.what}: {self.n_ends} early ends in "
             f"{self.n_messages} messages of {self.n_stories} runs: 0 lost, "
             f"{self.n_repeats} came twice of {self.n_allowed} that may")


def draw_moment(most):
    """A stage, and how often it is reached."""
    return DRAW.choice(STAGES), DRAW.randint(1, most)


__all__ = [name for name in dir() if not name.startswith("_")]
