"""A policy server for Postfix (SMTPD_POLICY_README): greylisting.

Prints "PORT N"; a recipient is deferred the first time and taken ever after.
"""

import socketserver


class Handler(socketserver.StreamRequestHandler):
    seen = set()

    def handle(self):
        recipient = ""
        for line in self.rfile:
            name, _, value = line.decode().strip().partition("=")
            if name == "recipient":
                recipient = value
            elif not name:
                known = recipient in self.seen
                self.seen.add(recipient)
                action = "dunno" if known else "450 4.2.0 greylisted"
                self.wfile.write(f"action={action}\n\n".encode())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
print("PORT", server.server_address[1], flush=True)
server.serve_forever()
