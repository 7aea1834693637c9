"""A scripted endpoint of the OpenAI-style chat API.

    llm_server.py SCRIPT LOG

Prints "PORT N" when it listens on loopback. SCRIPT is a JSON object, read anew
for each request; with an empty one every paper is answered as it should be:

    do          answer   the default
                stall    nothing, until the peer goes
                slow     a byte a second, without an end
                endless  a body without an end
                close    hangs up
    times       only the first so many requests do so, the later ones answer
    status      200
    headers     others, by name
    content     the answer's content in place of the right one
    replies     the content for papers whose title begins with the key
    body        the whole body in place of a completion
    refuse      response_format types that get a 400
    title       only papers with this in their title do so

LOG gets a JSON line for each request: the headers, the request, the paper and
how many requests were open. "ASKED N" is an event each time, "OPEN N" a new
maximum.
"""

import http.server
import json
import re
import sys
import threading
import time

CHINESE = {"title": "关于检索的中文题目", "summary": "一句话说明本文最重要的贡献。",
           "abstract": "这是译成中文的完整摘要，内容与原文相同。" * 12}
ENGLISH = {"summary": "It does what no paper did before, in one sentence."}


class State:
    lock = threading.Lock()
    count = 0
    open = 0
    most_open = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script_path = None
    log = None

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        request = json.loads(self.rfile.read(length))
        user = request["messages"][-1]["content"]
        paper = json.loads(re.search(r"<paper>\n(.*)\n</paper>", user)[1])
        with open(self.script_path) as file:
            script = json.load(file)
        with State.lock:
            State.count += 1
            count = State.count
            State.open += 1
            if State.open > State.most_open:
                State.most_open = State.open
                print("OPEN", State.open, flush=True)
        line = {"path": self.path, "headers": dict(self.headers),
                "request": request, "paper": paper, "open": State.open}
        with State.lock:
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()
        print("ASKED", count, flush=True)
        try:
            self.answer(script, count, request, paper)
        finally:
            with State.lock:
                State.open -= 1

    def answer(self, script, count, request, paper):
        if count > script.get("times", count):
            script = {}
        if script.get("title", "") not in paper["title"]:
            script = {}
        do = script.get("do", "answer")
        kind = request.get("response_format", {}).get("type", "none")
        if kind in script.get("refuse", []):
            self.send(400, {}, json.dumps(
                {"error": {"message": "no such response_format"}}))
        elif do in ("stall", "close"):
            self.close_connection = True
            if do == "stall":
                self.rfile.read(1)
        elif do in ("slow", "endless"):
            self.go_on(b" " if do == "slow" else b" " * 65536,
                       1 if do == "slow" else 0)
        else:
            self.send(script.get("status", 200), script.get("headers", {}),
                      self.body(script, request, paper))

    def body(self, script, request, paper):
        if "body" in script:
            return script["body"]
        chinese = "Chinese" in request["messages"][0]["content"]
        words = dict(CHINESE if chinese else ENGLISH)
        content = script.get("content", json.dumps(words))
        for begin, reply in script.get("replies", {}).items():
            if paper["title"].startswith(begin):
                content = reply
        return json.dumps({
            "id": "1", "object": "chat.completion", "model": request["model"],
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant",
                                     "content": content}}],
            "usage": {"total_tokens": 1000}})

    def send(self, status, headers, body):
        body = body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def go_on(self, piece, seconds):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(seconds)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, address)


def main():
    Handler.script_path = sys.argv[1]
    Handler.log = open(sys.argv[2], "a")
    server = Server(("127.0.0.1", 0), Handler)
    print("PORT", server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
