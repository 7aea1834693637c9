"""smtp.py FOLDER [PORT]: our SMTP sessions beside those of others.

Sends the same ready-made messages of 30 KB with send_ours (our sessions and
nothing else), Postfix's smtp-source and send_libcurl (libcurl's upload path),
in turn and in the same set-ups: a sink on loopback, the sink behind a proxy
that adds 10 ms each way, a sink that takes 50 ms to accept a message; or to
the server that is there at PORT. Of several runs each sender's best counts.
FOLDER holds the programs.
"""

import os
import subprocess
import sys
import time

FOLDER = sys.argv[1]
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
MESSAGE_BYTES = "30000"


class Setting:
    def __init__(self, name, connections, runs, messages, **targets):
        self.name = name
        self.connections = connections
        self.runs = runs
        self.messages = messages  # of each sender
        self.targets = targets

    def best(self, sender, port):
        runs = [measure(sender, port, self.connections, self.messages[sender])
                for _ in range(self.runs)]
        return (max(rate for rate, _ in runs), min(cpu for _, cpu in runs))


LOOPBACK = Setting("loopback", 4, 3,
                   {"ours": 20000, "smtp-source": 20000, "libcurl": 4000},
                   times=1 / 0.6, cpu=40)
DISTANT = Setting("20 ms round trip", 16, 2,
                  {"ours": 3000, "smtp-source": 800, "libcurl": 120},
                  rate=600, times=3.4)
SLOW = Setting("50 ms to accept", 16, 2,
               {"ours": 1500, "smtp-source": 1500, "libcurl": 60}, rate=290)
POSTFIX = Setting("real Postfix", 4, 3,
                  {"ours": 2000, "smtp-source": 2000, "libcurl": 500},
                  times=0.9)


def command(sender, port, connections, messages):
    if sender == "smtp-source":
        return ["smtp-source", "-d", "-s", str(connections),
                "-m", str(messages), "-l", MESSAGE_BYTES,
                "-f", "digest@example.org", "-t", "reader@example.org",
                f"127.0.0.1:{port}"]
    return [f"{FOLDER}/send_{sender}", str(port), str(connections),
            str(messages)]


def measure(sender, port, connections, messages):
    """Messages a second, and microseconds of CPU a message."""
    begin = time.monotonic()
    child = subprocess.Popen(command(sender, port, connections, messages),
                             env=dict(os.environ, PATH=PATH))
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    if status:
        sys.exit(f"smtp.py: {sender} failed")
    cpu = usage.ru_utime + usage.ru_stime
    return messages / wall, cpu / messages * 1e6


class Server:
    """A program that says where it listens, until the block ends."""

    def __init__(self, *argv):
        self.argv = argv

    def __enter__(self):
        self.child = subprocess.Popen(self.argv, stdout=subprocess.PIPE,
                                      text=True)
        return self.child.stdout.readline().split()[1]

    def __exit__(self, *_):
        self.child.terminate()
        self.child.communicate()


def verdict(holds):
    return "ok" if holds else "MISSED"


def report(setting, port):
    found = {sender: setting.best(sender, port) for sender in setting.messages}
    rate, cpu = found["ours"]
    times = rate / found["smtp-source"][0]
    line = f"smtp, {setting.name}, {setting.connections} connections: " \
           f"{rate:.0f} messages/s, {cpu:.0f} us of CPU each"
    for sender in ("smtp-source", "libcurl"):
        peer_rate, peer_cpu = found[sender]
        line += f"; {sender} {peer_rate:.0f}/s, {peer_cpu:.0f} us"
    print(line + f"; {times:.2f} times smtp-source")
    checks = {"rate": (rate, "at least {:.0f}/s"),
              "times": (times, "at least {:.2f} times smtp-source"),
              "cpu": (-cpu, "at most {:.0f} us")}
    for what, target in setting.targets.items():
        value, words = checks[what]
        holds = value >= (-target if what == "cpu" else target)
        print(f"    target {words.format(target)}: {verdict(holds)}")
    sys.stdout.flush()


if len(sys.argv) > 2:
    report(POSTFIX, sys.argv[2])
    sys.exit()
with Server(f"{FOLDER}/sink") as sink_port:
    report(LOOPBACK, sink_port)
    with Server(f"{FOLDER}/delay", sink_port, "10") as delay_port:
        report(DISTANT, delay_port)
with Server(f"{FOLDER}/sink", "50") as slow_port:
    report(SLOW, slow_port)
