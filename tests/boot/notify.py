"""Is what $NOTIFY_SOCKET names, at PATH: says "listening", then "ready PID" once
systemd-nspawn tells that the container PID's systemd has started everything."""

import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
    listener.bind(sys.argv[1])
    print("listening", flush=True)
    fields = {}
    while fields.get("READY") != "1":
        for line in listener.recv(4096).decode().splitlines():
            name, _, value = line.partition("=")
            fields[name] = value
    print("ready", fields["X_NSPAWN_LEADER_PID"], flush=True)
