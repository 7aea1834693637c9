#!/usr/bin/env bash
# The relay dies at random moments and listens on its port again, at once or
# after the program has given up: nothing is lost, and only the last message of
# a connection that it broke can come again.
. "$(dirname "$0")/lib.sh"
. "$HERE/torture.sh"

SMTP+=' connections = 4;'
readers "$(amount 100 500)"
torture 'a relay that dies' <<'END'
import select

from servers.recording_server import listen

CONNECTIONS = 4


class Daemon:
    """The server as a process, on a port that it keeps over its deaths."""

    def __init__(self):
        self.reserved = listen()
        self.port = self.reserved.getsockname()[1]

    def start(self, *moment):
        server = os.environ["PYTHONPATH"] + "/servers/recording_server.py"
        self.process = subprocess.Popen(
            [sys.executable, server, "record", str(self.port),
             *(str(word) for word in moment)], stdout=subprocess.PIPE)
        assert self.process.stdout.readline().startswith(b"PORT")

    def is_dead(self):
        return self.process.poll() is not None

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def wait_any(*processes):
    pidfds = [os.pidfd_open(process.pid) for process in processes
              if process.poll() is None]
    poll = select.poll()
    for pidfd in pidfds:
        poll.register(pidfd, select.POLLIN)
    ended = len(pidfds) < len(processes) or poll.poll(LIMIT_SEC * 1000)
    for pidfd in pidfds:
        os.close(pidfd)
    assert ended, "nothing ends"


def run_once(relay, story):
    """One run over a relay that dies, perhaps. The exit status."""
    relay.start(*draw_moment(N // 2))
    run = start()
    wait_any(run, relay.process)
    died = relay.is_dead()
    if died and DRAW.random() < 0.5:
        relay.stop()
        relay.start()
    status = end(run)
    relay.stop()
    if died:
        story.note_end(CONNECTIONS)
        assert status in (0, 1, 3), f"exit status {status}"
        assert status == 0 or read("err"), "no word of it"
    else:
        assert status == 0, f"exit status {status}: {read('err')}"
    return status


relay = Daemon()
configure(relay)
open("record", "w").close()
total = Sum("deaths of the relay")
while total.n_ends < amount(12, 150):
    story = Story(N)
    status = run_once(relay, story)
    while status != 0:
        status = run_once(relay, story)
    total.finish(story, status)
total.tell()
END

done_testing
