"""A fast SMTP server that records what it accepts before it says so.

    recording_server.py RECORD PORT [STAGE N]

Prints "PORT N" when it listens on loopback. Each message that it accepts is a
line of RECORD: when, connection, to, Message-ID. Nobody reads its mails.

STAGE and N: it dies, as by kill -9, when it comes to that stage for the nth
time. Tests that kill the program at such a moment use Relay in a thread.
"""

import asyncio
import itertools
import os
import re
import signal
import socket
import sys
import threading
import time

# In the order in which a message meets them. At `dot` it is not recorded yet,
# at `kept` it is, and the client has not heard so until `answered`.
STAGES = ("mail", "rcpt", "data", "body", "dot", "kept", "answered")
MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]*)>", re.I | re.M)
END = b"\r\n.\r\n"
CAPABILITIES = b"250-sink\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"


def listen(port=0):
    """A port stays ours while a socket is bound to it, listening or not."""
    # asyncio turns Nagle's delays off only where it reads that it is TCP.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


class Connection(asyncio.Protocol):
    def __init__(self, relay):
        self.relay = relay
        self.name = f"{os.getpid()}.{next(relay.numbers)}"
        self.buffer = bytearray()
        self.in_data = False
        self.to = ""

    def connection_made(self, transport):
        self.transport = transport
        self.relay.note_open(+1)
        transport.write(b"220 sink ESMTP\r\n")

    def connection_lost(self, error):
        self.relay.note_open(-1)

    def data_received(self, data):
        searched = max(0, len(self.buffer) - len(END))
        self.buffer += data
        while self.take(searched):
            searched = 0

    def take(self, searched):
        """The next command or body; False if it is not all there yet."""
        end = END if self.in_data else b"\r\n"
        at = self.buffer.find(end, searched)
        if at < 0:
            return False
        taken = bytes(self.buffer[:at])
        del self.buffer[:at + len(end)]
        if self.in_data:
            self.keep(taken)
        else:
            self.obey(taken)
        return True

    def obey(self, line):
        command = line[:4].upper()
        stage = command.decode("latin-1").lower()
        if stage in STAGES:
            self.relay.reach(stage)
        if command == b"RCPT":
            self.to = line[line.index(b"<") + 1:line.index(b">")].decode()
        if command == b"EHLO":
            self.transport.write(CAPABILITIES)
        elif command == b"DATA":
            self.in_data = True
            self.transport.write(b"354 go ahead\r\n")
            self.relay.reach("body")
        elif command == b"QUIT":
            self.transport.write(b"221 2.0.0 bye\r\n")
            self.transport.close()
        else:
            self.transport.write(b"250 2.0.0 ok\r\n")

    def keep(self, message):
        self.relay.reach("dot")
        message_id = MESSAGE_ID.search(message)[1].decode()
        self.relay.record(f"{time.monotonic():.4f} {self.name} {self.to} "
                          f"{message_id}\n")
        self.relay.reach("kept")
        self.in_data = False
        self.transport.write(b"250 2.0.0 kept\r\n")
        self.relay.reach("answered")


class Relay:
    """The server; after start() in a thread of its own."""

    def __init__(self, path, port=0):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.listener = listen(port)
        self.port = self.listener.getsockname()[1]
        self.numbers = itertools.count(1)
        self.n_open = 0
        self.changed = threading.Condition()
        self.disarm()

    # ---- what it does at a moment ----

    def arm(self, stage, n, act):
        """Calls act() when that stage is reached for the nth time."""
        self.act, self.n_left, self.stage = act, n, stage

    def disarm(self):
        self.arm(None, 0, None)

    def reach(self, stage):
        if stage != self.stage:
            return
        self.n_left -= 1
        if self.n_left == 0:
            self.act()

    def record(self, line):
        os.write(self.file, line.encode())

    # ---- who is there ----

    def note_open(self, change):
        with self.changed:
            self.n_open += change
            self.changed.notify_all()

    def drain(self):
        """Waits until all that dead clients have sent is read."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.n_open == 0, 60):
                raise AssertionError("a connection stays open")

    # ---- running ----

    async def serve(self):
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self),
                                          sock=self.listener, backlog=100)
        print("PORT", self.port, flush=True)
        await server.serve_forever()

    def start(self):
        threading.Thread(target=lambda: asyncio.run(self.serve()),
                         daemon=True).start()


def main(path, port, stage=None, n="0"):
    relay = Relay(path, int(port))
    relay.arm(stage, int(n), lambda: os.kill(os.getpid(), signal.SIGKILL))
    asyncio.run(relay.serve())


if __name__ == "__main__":
    main(*sys.argv[1:])
