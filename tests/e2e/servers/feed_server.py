"""A scripted HTTP server in arXiv's place.

    feed_server.py SCRIPT LOG [CERTIFICATE KEY]

Prints "PORT N" when it listens on loopback, by TLS where it has a certificate.
SCRIPT is a JSON object: a path to its answers in turn, of which the last repeats. It is read anew for each request;
when it has changed, counting begins again. An answer may have

    file or body    what is sent; the file's name is relative to SCRIPT
    status          200
    headers         others, by name
    etag, modified  sent, and 304 to a request that has the same
    gzip            the body is compressed
    fault           cut      half of the body, no Content-Length, then the end
                    short    half of the body under its full Content-Length
                    stall    half of the body, then nothing until the peer goes
                    endless  the body again and again until the peer goes

LOG gets a JSON line for each request: when (monotonic seconds), path, headers.
"""

import gzip
import http.server
import json
import os
import ssl
import sys
import time


class Script:
    """The script's answers, in turn."""

    def __init__(self, path):
        self.path = path
        self.text = None
        self.counts = {}

    def next(self, path):
        with open(self.path) as file:
            text = file.read()
        if text != self.text:
            self.text = text
            self.counts = {}
        answers = json.loads(text).get(path)
        if not answers:
            return {"status": 404, "body": "not in the script"}
        n = self.counts.get(path, 0)
        self.counts[path] = n + 1
        return answers[min(n, len(answers) - 1)]

    def body(self, answer):
        if "file" not in answer:
            return answer.get("body", "").encode()
        folder = os.path.dirname(self.path)
        with open(os.path.join(folder, answer["file"]), "rb") as file:
            return file.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script = None
    log = None

    def do_GET(self):
        self.note()
        answer = self.script.next(self.path)
        headers = dict(answer.get("headers", {}))
        if "etag" in answer:
            headers["ETag"] = answer["etag"]
        if "modified" in answer:
            headers["Last-Modified"] = answer["modified"]
        if self.known(answer):
            self.begin(304, headers)
            return
        body = self.script.body(answer)
        if answer.get("gzip"):
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        fault = answer.get("fault")
        if fault in ("cut", "endless"):
            headers["Connection"] = "close"
            self.close_connection = True
        else:
            headers["Content-Length"] = str(len(body))
        headers.setdefault("Content-Type", "text/xml")
        self.begin(answer.get("status", 200), headers)
        self.send_body(body, fault)

    def note(self):
        line = {"at": time.monotonic(), "path": self.path,
                "headers": dict(self.headers)}
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()

    def known(self, answer):
        etag = self.headers.get("If-None-Match")
        modified = self.headers.get("If-Modified-Since")
        return (etag and etag == answer.get("etag")
                or modified and modified == answer.get("modified"))

    def begin(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_body(self, body, fault):
        if fault == "endless":
            while True:
                self.wfile.write(body)
        if not fault:
            self.wfile.write(body)
            return
        self.wfile.write(body[:len(body) // 2])
        self.wfile.flush()
        self.close_connection = True
        if fault == "stall":
            print("STALLED", flush=True)
            self.rfile.read(1)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    tls = None

    def get_request(self):
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True,
                                              do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, address)


def main():
    Handler.script = Script(sys.argv[1])
    Handler.log = open(sys.argv[2], "a")
    server = Server(("127.0.0.1", 0), Handler)
    if len(sys.argv) > 3:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(*sys.argv[3:5])
    print("PORT", server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
