"""latency.py FOLDER: how long the daemon's loop is blocked at most while a
relay answers each final dot after 30 s.

FOLDER holds arxmail and tests/bench/sink. 128 mails go over 64 connections,
two rounds of dots; meanwhile the daemon composes, renders, stores and sends.
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

BUILD = sys.argv[1]
DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "demo",
                    "feeds")
READERS = 128
TARGET_MS = 100

CONFIG = """state_dir = "{folder}/state";
sender: {{ from = "digest@example.org"; }};
smtp: {{ url = "smtp://127.0.0.1:{port}"; tls = "none"; connections = 64; }};
feeds: {{ contact = "admin@example.org";
         url = "file://{folder}/feeds/{{category}}.xml"; }};
subscribers = ( {readers} );
"""


class Daemon:
    def __init__(self, folder, user):
        self.child = subprocess.Popen(
            user + [f"{folder}/arxmail", "-c", f"{folder}/arxmail.conf",
                    "daemon"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def wait_for(self, pattern):
        for line in self.child.stderr:
            if re.search(pattern, line):
                return line
        sys.exit(f"latency.py: the daemon ended before: {pattern}")

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        line = self.wait_for("^loop: longest turn")
        self.child.communicate()
        return int(re.search(r"(\d+) ms", line)[1])


def prepare(folder, port):
    os.chmod(folder, 0o755)
    shutil.copytree(DEMO, f"{folder}/feeds")
    os.mkdir(f"{folder}/state")
    shutil.copy(f"{BUILD}/arxmail", f"{folder}/arxmail")
    readers = ",\n".join(
        f'{{ email = "reader{i}@example.org"; categories = ["cs.CL"]; }}'
        for i in range(READERS))
    with open(f"{folder}/arxmail.conf", "w") as file:
        file.write(CONFIG.format(folder=folder, port=port, readers=readers))
    if os.getuid() != 0:
        return []
    shutil.chown(f"{folder}/state", "nobody")
    return ["setpriv", "--reuid=nobody", "--regid=65534", "--clear-groups"]


def main():
    sink = subprocess.Popen([f"{BUILD}/tests/bench/sink", "30000"],
                            stdout=subprocess.PIPE, text=True)
    port = sink.stdout.readline().split()[1]
    with tempfile.TemporaryDirectory(prefix="arxmail-latency.") as folder:
        user = prepare(folder, port)
        # The first start sees everybody for the first time: nobody is due.
        daemon = Daemon(folder, user)
        daemon.wait_for("^category cs.CL")
        daemon.end()
        with sqlite3.connect(f"{folder}/state/arxmail.db") as db:
            db.execute("UPDATE subscriber SET slot_day = 1")
        db.close()
        daemon = Daemon(folder, user)
        daemon.wait_for(f"^queue: sent {READERS}, ")
        longest = daemon.end()
    sink.terminate()
    sink.communicate()
    print(f"daemon, dots answered after 30 s, {READERS} mails over 64 "
          f"connections: longest loop turn {longest} ms\n"
          f"    target at most {TARGET_MS} ms: "
          f"{'ok' if longest <= TARGET_MS else 'MISSED'}")


main()
