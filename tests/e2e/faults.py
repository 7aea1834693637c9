"""faults.py PROGRAM...: every fault of a relay, at every stage, for the first,
the middle and the last message of a connection, with pipelining and without.

Speaks TAP. Five mails are queued; a relay of our own takes them but for one
fault. Then the store must say of the struck mail what is true, when it is tried
again and why, and of all others that they were sent once, or, where the relay
refuses everybody, that nothing was counted against them.

PROGRAM is the command with its -c; the state that is queued lies in ./queued.
"""

import concurrent.futures
import json
import os
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time

N_READERS = 5
STATES = ["queued", "sending", "sent", "deferred", "unknown", "held", "failed"]
CLOSE, RESET, HANG = "close", "reset", "hang"


class Gone(Exception):
    """The client, or our wish to talk to it."""


class Session:
    """One connection."""

    def __init__(self, relay, conn):
        self.relay = relay
        self.conn = conn
        self.file = conn.makefile("rb")
        self.has_sender = False
        self.to = None

    def say(self, text):
        if text:
            self.conn.sendall(text.encode().replace(b"\n", b"\r\n"))

    def hear(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise Gone
        return line[:-2].decode("latin-1")

    def end(self, how):
        if how == RESET:
            self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        if how == HANG:
            while self.file.read(4096):
                pass
        raise Gone

    def reply(self, stage, good):
        """Says `good`, or what the fault has at this stage."""
        fault = self.relay.strike(stage)
        if not fault:
            self.say(good + "\n")
            return True
        self.say(fault.get("say", ""))
        if fault.get("then"):
            self.end(fault["then"])
        return fault.get("good", False)

    def run(self):
        if not self.reply("greeting", "220 relay.example"):
            raise Gone
        while True:
            line = self.hear()
            word = line.upper()[:4]
            if word in ("EHLO", "HELO"):
                self.reply("ehlo", self.relay.offers())
            elif word == "STAR":
                self.reply("starttls", "454 4.7.0 no TLS now")
            elif word == "AUTH":
                self.reply("auth", "235 2.7.0 welcome")
            elif word == "MAIL":
                self.relay.n_mails += 1
                self.to = None
                self.has_sender = self.reply("mail", "250 2.1.0 ok")
            elif word == "RCPT" and not self.has_sender:
                self.say("503 5.5.1 no sender\n")
            elif word == "RCPT":
                if self.reply("rcpt", "250 2.1.5 ok"):
                    self.to = re.search("<(.*?)>", line)[1]
            elif word == "DATA":
                self.data()
            elif word == "RSET":
                self.say("250 2.0.0 ok\n")
            elif word == "QUIT":
                self.say("221 2.0.0 bye\n")
                raise Gone
            else:
                self.say("500 5.5.1 what?\n")

    def data(self):
        if not self.to and not self.relay.takes_empty:
            self.say("503 5.5.1 no recipient\n")
            return
        if not self.reply("data", "354 go"):
            return
        if self.relay.strikes("body"):
            self.file.read(1000)
            self.reply("body", "")
        lines = []
        while True:
            line = self.hear()
            if line == ".":
                break
            lines.append(line)
        if not self.to:
            self.say("554 5.5.1 no recipient\n")
            return
        taken = self.relay.strikes("dot", "takes") is not False
        if taken:
            self.relay.take(self.to, lines)
        self.reply("dot", "250 2.0.0 taken")
        if self.relay.strike("after"):
            self.say(self.relay.fault.get("say", ""))
            self.end(self.relay.fault["then"])


class Relay:
    """Listens until closed; `record` is what it took."""

    def __init__(self, fault, nth, pipelining):
        self.fault = fault
        self.nth = nth
        self.pipelining = pipelining
        self.fired = False
        self.n_mails = 0
        self.takes_empty = fault.get("takes_empty", False)
        self.record = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        if fault["stage"] == "connect":
            self.listener.close()
        else:
            threading.Thread(target=self.serve, daemon=True).start()

    def offers(self):
        lines = ["relay.example"]
        lines += ["PIPELINING"] * self.pipelining
        lines += self.fault.get("offers", [])
        return "\n".join(f"250{'-' if i + 1 < len(lines) else ' '}{line}"
                         for i, line in enumerate(lines))

    def strikes(self, stage, key=None):
        """Is the fault about to strike here? With a key: what it says of it."""
        here = (self.fault["stage"] == stage and not self.fired
                and self.n_mails in (0, self.nth))
        if key:
            return self.fault.get(key, False) if here else None
        return here

    def strike(self, stage):
        if not self.strikes(stage):
            return None
        self.fired = not self.fault.get("always")
        return self.fault

    def take(self, to, lines):
        text = "\n".join(lines)
        with self.lock:
            self.record.append(
                (to, re.search("(?im)^message-id: *(.*)$", text)[1]))

    def serve(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(conn,),
                             daemon=True).start()

    def talk(self, conn):
        with conn:
            try:
                Session(self, conn).run()
            except (Gone, OSError):
                pass

    def close(self):
        self.listener.close()


def fault(name, stage, say="", then=None, state="deferred", words="", **more):
    """`state`: of the struck mail; "relay": the relay refuses everybody."""
    if say and not say.endswith("\n") and not more.pop("cut", False):
        say += "\n"
    return dict(more, name=name, stage=stage, say=say, then=then, state=state,
                words=words)


ONCE = {"always": True}
FAULTS = [
    fault("nobody listens", "connect", state="relay", words="cannot be reached"),
    fault("FIN for a greeting", "greeting", then=CLOSE, state="relay",
          words="closed the connection", **ONCE),
    fault("RST for a greeting", "greeting", then=RESET, state="relay", **ONCE),
    fault("421 for a greeting", "greeting", "421 4.3.2 later", CLOSE, "relay",
          "takes no sessions now", **ONCE),
    fault("554 for a greeting", "greeting", "554 5.7.1 no", CLOSE, "relay",
          "refuses this machine", **ONCE),
    fault("a greeting without a code", "greeting", "hello", HANG, "relay",
          **ONCE),
    fault("502 to EHLO and HELO", "ehlo", "502 5.5.1 what?", None, "relay",
          **ONCE),
    fault("FIN at EHLO", "ehlo", then=CLOSE, state="relay", **ONCE),
    fault("no STARTTLS", "none", state="relay", words="offers no STARTTLS",
          tls=True),
    fault("454 to STARTTLS", "starttls", "454 4.7.0 not now", None, "relay",
          tls=True, offers=["STARTTLS"], **ONCE),
    fault("replies injected behind STARTTLS", "starttls",
          "220 go\n250 injected", None, "relay", tls=True,
          offers=["STARTTLS"], **ONCE),
    fault("535 to AUTH", "auth", "535 5.7.8 no", None, "relay",
          "refuses the login", login=True, offers=["AUTH PLAIN"], **ONCE),
    fault("454 to AUTH", "auth", "454 4.7.0 not now", None, "relay",
          "cannot check the login now", login=True, offers=["AUTH PLAIN"],
          **ONCE),
    fault("no AUTH", "none", state="relay", words="offers no login",
          login=True),
    fault("450 to MAIL", "mail", "450 4.1.8 later", words="later"),
    fault("550 to MAIL", "mail", "550 5.7.1 not you", None, "relay",
          "refuses the sender"),
    fault("530 to MAIL", "mail", "530 5.7.0 log in", None, "relay",
          "wants a login"),
    fault("552 to MAIL", "mail", "552 5.3.4 too big", None, "failed", "too big"),
    fault("5.3.4 to MAIL", "mail", "554 5.3.4 too big", None, "failed"),
    fault("5.6.1 to MAIL", "mail", "554 5.6.1 no 8 bit", None, "failed"),
    fault("421 to MAIL", "mail", "421 4.3.2 bye", CLOSE, between=True),
    fault("FIN at MAIL", "mail", then=CLOSE, between=True),
    fault("RST at MAIL", "mail", then=RESET, between=True),
    fault("450 to RCPT", "rcpt", "450 4.2.1 greylisted", words="greylisted"),
    fault("451 to RCPT", "rcpt", "451 4.3.0 trouble"),
    fault("421 to RCPT", "rcpt", "421 4.3.2 bye", CLOSE),
    fault("550 to RCPT", "rcpt", "550 5.1.1 no such user", None, "failed",
          "no such user"),
    fault("552 to RCPT", "rcpt", "552 5.2.2 mailbox full", None, "failed",
          "mailbox full"),
    fault("554 to RCPT", "rcpt", "554 5.7.1 policy", None, "failed", "policy"),
    fault("550 to RCPT and 354 to DATA", "rcpt", "550 5.1.1 no such user", None,
          "failed", "no such user", takes_empty=True),
    fault("FIN at RCPT", "rcpt", then=CLOSE),
    fault("451 to DATA", "data", "451 4.3.0 trouble"),
    fault("554 to DATA", "data", "554 5.7.1 no", None, "failed"),
    fault("250 to DATA", "data", "250 2.0.0 ok", CLOSE, words="out of turn"),
    fault("FIN at DATA", "data", then=CLOSE),
    fault("silence at DATA", "data", then=HANG, words="did not answer within"),
    # All of it is in the kernel's hands by then, the dot, too.
    fault("FIN in the body", "body", then=CLOSE, state="unknown"),
    fault("RST in the body", "body", then=RESET, state="unknown"),
    fault("451 in the body", "body", "451 4.3.0 enough", CLOSE),
    fault("451 to the dot", "dot", "451 4.3.0 trouble", words="trouble"),
    fault("554 to the dot", "dot", "554 5.6.0 spam", None, "failed", "spam"),
    fault("552 to the dot", "dot", "552 5.2.2 full", None, "failed", "full"),
    fault("251 to the dot", "dot", "251 2.0.0 hm", CLOSE, "unknown", takes=True),
    fault("354 to the dot", "dot", "354 go on", CLOSE, "unknown", takes=True),
    fault("FIN after the dot", "dot", then=CLOSE, state="unknown", takes=True),
    fault("RST after the dot", "dot", then=RESET, state="unknown", takes=True),
    fault("half a reply to the dot", "dot", "25", CLOSE, "unknown", takes=True,
          cut=True),
    fault("garbage for the dot", "dot", "\x01\x02 ok", CLOSE, "unknown",
          takes=True),
    fault("250 to the dot, then RST", "after", then=RESET, state="sent"),
    fault("421 between two messages", "after", "421 4.4.2 idle", CLOSE, "sent"),
    fault("FIN between two messages", "after", then=CLOSE, state="sent"),
]


def configure(path, folder, relay, fault):
    with open("arxmail.conf") as file:
        text = file.read()
    smtp = f'url = "smtp://127.0.0.1:{relay.port}"; connections = 1; ' \
           'timeout_s = 5; '
    if not fault.get("tls"):
        smtp += 'tls = "none"; '
    if fault.get("login"):
        smtp += f'username = "u"; password_file = "{os.getcwd()}/password"; '
    text = re.sub("smtp: {.*?};", f"smtp: {{ {smtp} }};", text, flags=re.S)
    text = re.sub('state_dir = ".*?"', f'state_dir = "{folder}"', text)
    with open(path, "w") as file:
        file.write(text)


def play(number, fault, nth, pipelining, program):
    folder = os.path.abspath(f"case{number}")
    shutil.copytree("queued", folder)
    stat = os.stat("queued")
    for name in [folder] + [f"{folder}/{n}" for n in os.listdir(folder)]:
        os.chown(name, stat.st_uid, stat.st_gid)
    relay = Relay(fault, nth, pipelining)
    conf = f"{folder}.conf"
    configure(conf, folder, relay, fault)
    begun = int(time.time())
    run = subprocess.run(program + ["-c", conf, "send-now", "--no-fetch"],
                         stdin=subprocess.DEVNULL, capture_output=True,
                         text=True, timeout=200)
    relay.close()
    with sqlite3.connect(f"{folder}/arxmail.db") as db:
        rows = db.execute(
            "SELECT state, n_attempts, next_at, coalesce(words, ''), address,"
            " message_id FROM delivery ORDER BY delivery_no").fetchall()
    db.close()
    shutil.rmtree(folder)
    os.unlink(conf)
    return judge(fault, nth, rows, relay, run, begun)


def judge(fault, nth, rows, relay, run, begun):
    """What is wrong; "" if nothing is."""
    state = fault["state"]
    if fault.get("between") and nth > 1:
        state = "sent"
    wrong = []
    counts = {to: sum(seen[0] == to for seen in relay.record)
              for to in {row[4] for row in rows}}
    for i, (got, attempts, next_at, words, to, message_id) in enumerate(rows, 1):
        struck = i == nth
        wanted = "sent"
        if state == "relay":
            wanted = "queued" if i >= nth or relay.n_mails == 0 else "sent"
        elif struck:
            wanted = state
        if STATES[got] != wanted:
            wrong.append(f"{to} is {STATES[got]}, not {wanted}: {words}")
        taken = wanted == "sent" or (struck and bool(fault.get("takes")))
        if counts[to] != taken:
            wrong.append(f"{to} was taken {counts[to]} times")
        if attempts != (wanted != "queued"):
            wrong.append(f"{to} has {attempts} attempts")
        if wanted in ("deferred", "unknown") and not (
                begun + 300 <= next_at <= time.time() + 331):
            wrong.append(f"{to}: next at {next_at - begun}")
        if struck and wanted != "sent" and state != "relay" and (
                fault["words"] not in words or not words):
            wrong.append(f"{to}: words: {words}")
    if state == "relay" and fault["words"] not in run.stderr:
        wrong.append(f"stderr: {run.stderr}")
    expected = 0 if state == "sent" else \
        1 if state == "relay" and not relay.record else 3
    if run.returncode != expected:
        wrong.append(f"exit {run.returncode}, not {expected}: {run.stderr}")
    return "; ".join(wrong)


def main():
    program = sys.argv[1:]
    cases = []
    for item in FAULTS:
        # Before the first message there is only one place to strike.
        early = item["stage"] in ("connect", "greeting", "ehlo", "starttls",
                                  "auth", "none")
        for pipelining in (False, True):
            for nth in (1,) if early else (1, 3, 5):
                cases.append((item, nth, pipelining))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = [pool.submit(play, i, *case, program)
                   for i, case in enumerate(cases)]
    for i, ((item, nth, pipelining), result) in enumerate(zip(cases, results)):
        wrong = result.result()
        mode = "pipelined" if pipelining else "plain"
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {i + 1} - {item['name']}, "
              f"message {nth}, {mode}")
        for line in wrong.splitlines():
            print(f"#   {line}")
    print(f"1..{len(cases)}")
    sys.exit(failed > 0)


main()
