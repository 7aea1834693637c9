"""A datagram socket in systemd's place: sd_notify(3).

    notify_server.py PATH

Prints "PORT 0" when it listens at PATH, then each assignment that comes as a
line.
"""

import os
import socket
import sys

server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
print("PORT 0", flush=True)
while True:
    for line in server.recv(4096).decode().splitlines():
        print(line, flush=True)
