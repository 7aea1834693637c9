"""whole.py BUILD-FOLDER: the whole run of many subscribers.

A feed of 1,000 papers is fetched; then `send-now --no-fetch` is measured:
every subscriber's own digest of about 20 papers is matched, rendered, queued,
sent to a sink on loopback and recorded. Rates are of the processor time of
that one process, since the sink and others have their share of the machine.
READERS ("10000 100000") and PAPERS change the sizes.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
BUILD = pathlib.Path(sys.argv[1])
PAPERS = os.environ.get("PAPERS", "1000")
READERS = [int(n) for n in os.environ.get("READERS", "10000 100000").split()]
PEER_READERS = 200
# Of a kind of machine; without an entry there is no target.
RATE = {10000: 1500}
PEAK_MB = {10000: 100, 100000: 500}
TIMES_PEER = 40
TIMES_TIME = 12


class Sink:
    def __enter__(self):
        self.child = subprocess.Popen([BUILD / "tests/bench/sink"], text=True,
                                      stdout=subprocess.PIPE)
        self.port = self.child.stdout.readline().split()[1]
        return self

    def close(self):
        """How many messages it got, and of how many bytes."""
        self.child.terminate()
        words = self.child.communicate()[0].split()
        return int(words[1]), int(words[3])

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()


class Usage:
    def __init__(self, argv, **options):
        begin = time.monotonic()
        child = subprocess.Popen(argv, **options)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit(f"whole.py: {argv} failed")
        self.wall = time.monotonic() - begin
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak_mb = usage.ru_maxrss / 1024


class Job:
    """A folder with a config, a feed and a state of its own."""

    def __init__(self, folder, readers, port):
        self.folder = pathlib.Path(folder)
        self.user = {}
        os.chmod(folder, 0o755)
        for name in ("feeds", "state"):
            (self.folder / name).mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.folder / "state", "nobody", "nogroup")
            self.user = {"user": "nobody", "group": "nogroup",
                         "extra_groups": []}
        subprocess.run(["awk", "-v", f"readers={readers}", "-v",
                        f"papers={PAPERS}", "-v", f"folder={folder}", "-v",
                        f"port={port}", "-f", HERE / "make.awk"], check=True)
        self.program = self.copy("arxmail")

    def copy(self, name):
        """To where the user may run it."""
        return shutil.copy(BUILD / name, self.folder)

    def run(self, *argv):
        return Usage([self.program, "-c", self.folder / "arxmail.conf", *argv],
                     **self.user, stdout=subprocess.DEVNULL)

    def run_slices(self):
        Usage([self.copy("tests/bench/slices"), self.folder / "arxmail.conf"],
              **self.user)


def verdict(words, holds):
    print(f"    target {words}: {'ok' if holds else 'MISSED'}")


def measure(readers):
    with tempfile.TemporaryDirectory(prefix="arxmail-bench.") as folder, \
            Sink() as sink:
        job = Job(folder, readers, sink.port)
        job.run("fetch")
        usage = job.run("send-now", "--no-fetch")
        n, n_bytes = sink.close()
    if n != readers:
        sys.exit(f"whole.py: {n} messages to {readers} subscribers")
    print(f"whole run, {readers} subscribers, {PAPERS} papers, messages of "
          f"{n_bytes // n} bytes: {n / usage.cpu:.0f} in a second of CPU, "
          f"{n / usage.wall:.0f} of wall time, {usage.peak_mb:.0f} MB peak")
    if readers in RATE:
        verdict(f"at least {RATE[readers]} in a second of CPU",
                n / usage.cpu >= RATE[readers])
    if readers in PEAK_MB:
        verdict(f"under {PEAK_MB[readers]} MB",
                usage.peak_mb < PEAK_MB[readers])
    sys.stdout.flush()
    return usage.cpu


def measure_slices(readers):
    with tempfile.TemporaryDirectory(prefix="arxmail-bench.") as folder:
        job = Job(folder, readers, "25")
        job.run("fetch")
        job.run_slices()


def measure_peer():
    """Seconds of CPU for a digest."""
    with tempfile.TemporaryDirectory(prefix="arxmail-bench.") as folder, \
            Sink() as sink:
        job = Job(folder, PEER_READERS, sink.port)
        usage = Usage([sys.executable, HERE / "peer_whole.py",
                       job.folder / "feeds/cs.CL.xml",
                       job.folder / "readers.tsv", sink.port])
        n, n_bytes = sink.close()
    print(f"whole run, Python with feedparser, markdown and smtplib, {n} "
          f"subscribers, messages of {n_bytes // n} bytes: "
          f"{n / usage.cpu:.1f} in a second of CPU")
    return usage.cpu / n


def main():
    cpu = {readers: measure(readers) for readers in READERS}
    first, last = READERS[0], READERS[-1]
    if last == 10 * first:
        verdict(f"{last} in at most {TIMES_TIME} times the time of {first} "
                f"({cpu[last] / cpu[first]:.1f})",
                cpu[last] <= TIMES_TIME * cpu[first])
    measure_slices(first)
    times = measure_peer() / (cpu[first] / first)
    verdict(f"at least {TIMES_PEER} times as fast ({times:.0f})",
            times >= TIMES_PEER)


main()
