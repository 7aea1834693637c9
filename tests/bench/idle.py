"""idle.py FOLDER: what a daemon with nothing to do costs.

FOLDER holds arxmail. A daemon that systemd would start, with its watchdog, has
polled and sent and waits for tomorrow. Its memory is what is resident less the
unwritten pages of shared libraries, which all programs share. Its wake-ups are
counted by the kernel: each wait that a thread of it has begun, for ten minutes
(SECONDS=N: for so long).
"""

import datetime
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zoneinfo

BUILD = sys.argv[1]
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SECONDS = int(os.environ.get("SECONDS", "600"))
MOST_KIB = 12 * 1024

CONFIG = """state_dir = "{folder}/state";
sender: {{ from = "digest@example.org"; }};
smtp: {{ url = "smtp://127.0.0.1:9"; tls = "none"; }};
feeds: {{ contact = "admin@example.org"; poll_from = "{begin}";
         poll_until = "{end}"; url = "file://{folder}/feeds/{{category}}.xml";
         }};
subscribers = ( {{ email = "ada@example.org"; categories = ["cs.CL"];
                  send_at = "{send_at}"; }} );
"""


def watchdog_usec():
    with open(f"{ROOT}/systemd/arxmail.service") as file:
        minutes = re.search(r"^WatchdogSec=(\d+)min$", file.read(), re.M)[1]
    return int(minutes) * 60 * 1000000


def prepare(folder):
    """Polls are ten hours away, and so is the next digest."""
    os.chmod(folder, 0o755)
    shutil.copytree(f"{ROOT}/tests/demo/feeds", f"{folder}/feeds")
    os.mkdir(f"{folder}/state")
    shutil.copy(f"{BUILD}/arxmail", f"{folder}/arxmail")
    now = datetime.datetime.now(zoneinfo.ZoneInfo("America/New_York"))
    begin = 2 if now.hour >= 12 else 22
    send_at = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(hours=10)
    with open(f"{folder}/arxmail.conf", "w") as file:
        file.write(CONFIG.format(folder=folder, begin=f"{begin:02}:00",
                                 end=f"{begin + 1:02}:00",
                                 send_at=send_at.strftime("%H:%M")))
    if os.getuid() != 0:
        return []
    shutil.chown(f"{folder}/state", "nobody")
    return ["setpriv", "--reuid=nobody", "--regid=65534", "--clear-groups"]


def listen(folder):
    """What it tells systemd, and an event when it has told what comes next."""
    told = threading.Event()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(f"{folder}/notify")
    os.chmod(f"{folder}/notify", 0o777)

    def read():
        while True:
            if re.search(rb"STATUS=next poll", listener.recv(4096)):
                told.set()

    threading.Thread(target=read, daemon=True).start()
    return told


def count_waits(pid):
    n = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path) as file:
            n += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)",
                               file.read(), re.M)[1])
    return n


def memory_kib(pid):
    """Resident, less what is clean of files that others map, too."""
    kib = 0
    library = False
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                library = ".so" in line
            elif line.startswith("Rss:") or (
                    library and re.match(r"(Shared|Private)_Clean:", line)):
                value = int(line.split()[1])
                kib += value if line.startswith("Rss:") else -value
    return kib


def main():
    with tempfile.TemporaryDirectory(prefix="arxmail-idle.") as folder:
        user = prepare(folder)
        told = listen(folder)
        env = dict(os.environ, NOTIFY_SOCKET=f"{folder}/notify",
                   WATCHDOG_USEC=str(watchdog_usec()))
        daemon = subprocess.Popen(
            user + [f"{folder}/arxmail", "-c", f"{folder}/arxmail.conf",
                    "daemon"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        if not told.wait(60):
            sys.exit("idle.py: the daemon does not come to rest")
        time.sleep(5)
        before = count_waits(daemon.pid)
        time.sleep(SECONDS)
        n_waits = count_waits(daemon.pid) - before
        kib = memory_kib(daemon.pid)
        daemon.send_signal(signal.SIGTERM)
        if daemon.wait() != 0:
            sys.exit("idle.py: the daemon ended badly")
    most = max(1, SECONDS // 60)
    ok = kib <= MOST_KIB and n_waits <= most
    print(f"idle daemon, {SECONDS} s: {n_waits} wake-ups, {kib} KiB\n"
          f"    target at most one a minute, {MOST_KIB} KiB: "
          f"{'ok' if ok else 'MISSED'}")
    return not ok


if __name__ == "__main__":
    sys.exit(main())
