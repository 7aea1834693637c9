"""An OAI-PMH server in the place of arXiv's.

    oai_server.py SCRIPT LOG

Prints "PORT N" when it listens on loopback. SCRIPT is a JSON object, read anew
for each request:

    records     objects with id, changed (a date), versions (a list of dates as
                arXivRaw has them), categories (the first is the primary one)
    page        how many a page has
    faults      for each request in turn null, or an answer that takes its place:
                status, headers, body; counted from 1 again when SCRIPT changes

A token says where the next page begins; one that this server did not give is
badResumptionToken. LOG gets a JSON line for each request: when (monotonic
seconds), path, headers.
"""

import http.server
import json
import sys
import time
import urllib.parse
from html import escape

from feed_server import Server

HEAD = ('<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">\n')
RECORD = """<record><header><identifier>oai:arXiv.org:{id}</identifier>
<datestamp>{changed}</datestamp></header><metadata>
<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{id}</id>{versions}
<title>Title of {id}</title><authors>Ann Author and Bo Writer</authors>
<categories>{categories}</categories><abstract>About {id}.</abstract>
</arXivRaw></metadata></record>
"""


def set_of(category):
    """cs:cs:CL of cs.CL."""
    archive, _, part = category.partition(".")
    return ":".join(name for name in (archive, archive, part) if name)


def show_record(record):
    versions = "".join(
        f'<version version="v{n}"><date>{date}</date></version>'
        for n, date in enumerate(record["versions"], 1))
    return RECORD.format(id=record["id"], changed=record["changed"],
                         versions=versions,
                         categories=" ".join(record["categories"]))


def show_error(code, words):
    return f'<error code="{code}">{escape(words)}</error>\n'


class Archive:
    """The script and what was asked of it."""

    def __init__(self, path):
        self.path = path
        self.text = None
        self.n_requests = 0
        self.queries = {}  # token: what was asked, and from which record on

    def fault(self):
        with open(self.path) as file:
            text = file.read()
        if text != self.text:
            self.text = text
            self.n_requests = 0
        self.script = json.loads(text)
        faults = self.script.get("faults", [])
        self.n_requests += 1
        if self.n_requests > len(faults):
            return None
        return faults[self.n_requests - 1]

    def list_records(self, query):
        token = query.get("resumptionToken")
        if query.get("verb") != "ListRecords":
            return show_error("badVerb", "no such verb")
        if token and (len(query) != 2 or token not in self.queries):
            return show_error("badResumptionToken", "unknown or expired")
        if not token and query.get("metadataPrefix") != "arXivRaw":
            return show_error("cannotDisseminateFormat", "no such format")
        first, begin = self.queries.get(token, (query, 0))
        return self.show_page(first, begin)

    def show_page(self, query, begin):
        found = [record for record in self.script["records"]
                 if record["changed"] >= query["from"]
                 and query["set"] in map(set_of, record["categories"])]
        end = begin + self.script["page"]
        page = found[begin:end]
        if not page:
            return show_error("noRecordsMatch", "nothing in that time")
        token = ""
        if end < len(found):
            token = f"{query['set']}|{query['from']}|skip={end}&+ %"
            self.queries[token] = (query, end)
        return ("<ListRecords>" + "".join(map(show_record, page)) +
                f"<resumptionToken>{escape(token)}</resumptionToken>"
                "</ListRecords>\n")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    archive = None
    log = None

    def do_GET(self):
        line = {"at": time.monotonic(), "path": self.path,
                "headers": dict(self.headers)}
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()
        query = dict(urllib.parse.parse_qsl(
            urllib.parse.urlsplit(self.path).query))
        answer = self.archive.fault() or {
            "body": HEAD + self.archive.list_records(query) + "</OAI-PMH>\n"}
        body = answer.get("body", "").encode()
        self.send_response(answer.get("status", 200))
        for name, value in answer.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def main():
    Handler.archive = Archive(sys.argv[1])
    Handler.log = open(sys.argv[2], "a")
    server = Server(("127.0.0.1", 0), Handler)
    print("PORT", server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
