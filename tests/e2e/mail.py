"""What the checks of the end-to-end tests say in Python.

Mails are read by python's email package with policy.default, which is not the
library that wrote them. All paths are relative to the test's folder.
"""

import contextlib
import email
import email.policy
import glob
import hashlib
import json
import os
import re
import sqlite3
import sys

ID = re.compile(r"arxiv\.org/abs/([a-z.-]+/\d{7}|\d{4}\.\d{4,5})", re.I)


class Mail:
    """A message as it came, its envelope, and what it breaks."""

    def __init__(self, path, envelope=None):
        with open(path, "rb") as file:
            self.raw = file.read()
        self.path = path
        self.envelope = envelope or {}
        self.message = email.message_from_bytes(self.raw,
                                                policy=email.policy.default)
        self.to = (self.envelope.get("to") or [None])[0]

    def __getitem__(self, name):
        """The only header of that name, decoded; None if there is none."""
        values = self.message.get_all(name, [])
        assert len(values) <= 1, f"{self.path}: {len(values)} times {name}"
        return str(values[0]) if values else None

    def part(self, kind):
        """The text of the only part of that type."""
        parts = [part for part in self.message.walk()
                 if part.get_content_type() == kind]
        assert len(parts) == 1, f"{self.path}: {len(parts)} of {kind}"
        return parts[0].get_content()

    @property
    def text(self):
        return self.part("text/plain")

    @property
    def html(self):
        return self.part("text/html")

    def faults(self):
        """What RFC 5321 and 5322 and the parser find wrong."""
        found = []
        for part in self.message.walk():
            found += [f"{part.get_content_type()}: {defect!r}"
                      for defect in part.defects]
            for name, value in part.items():
                found += [f"{name}: {defect!r}" for defect in
                          getattr(value, "defects", ())]
        lines = self.raw.split(b"\r\n")
        if any(b"\r" in line or b"\n" in line for line in lines):
            found.append("a bare CR or LF")
        if any(len(line) > 998 for line in lines):
            found.append("a line over 998 octets")
        if any(byte > 126 or byte == 0 for byte in self.raw):
            found.append("not 7 bit")
        head = self.raw.split(b"\r\n\r\n")[0]
        if any(len(line) > 78 for line in head.split(b"\r\n")):
            found.append("a header line over 78 octets")
        return found


def ids(mail):
    """The papers of a mail's text, without versions."""
    return set(ID.findall(mail.text))


def inbox(to=None, folder="inbox"):
    """The mails in the order of arrival, perhaps only to one address."""
    path = os.path.join(folder, "envelopes.jsonl")
    if not os.path.exists(path):
        return []
    with open(path) as file:
        envelopes = [json.loads(line) for line in file]
    mails = [Mail(os.path.join(folder, envelope["file"]), envelope)
             for envelope in envelopes]
    return [mail for mail in mails if to in (None, mail.to)]


def only(to, folder="inbox"):
    """The one mail to an address."""
    mails = inbox(to, folder)
    assert len(mails) == 1, f"{len(mails)} mails to {to}"
    return mails[0]


def received(folder="inbox"):
    """Address to the papers of all its mails together."""
    got = {}
    for mail in inbox(folder=folder):
        got.setdefault(mail.to, set()).update(ids(mail))
    return got


def requests(path=None):
    """What the feed server was asked."""
    with open("requests.jsonl") as file:
        lines = [json.loads(line) for line in file]
    return [line for line in lines if path in (None, line["path"])]


def asked():
    """What the model was asked."""
    if not os.path.exists("llm.jsonl"):
        return []
    with open("llm.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def make_due():
    """Everybody's last slot was long ago: the next one is due at once."""
    with sqlite3.connect("state/arxmail.db") as db:
        db.execute("UPDATE subscriber SET slot_day = 1")


# Who gets which papers of the demo's feeds: lib.sh's use_demo.
DEMO = {
    "ada@example.org": {"2611.90001", "2611.90002", "2611.90003",
                        "2611.90008", "2611.90025", "2611.90032"},
    "emmy@example.org": {"2611.90012", "2611.90021", "2611.90022",
                         "2611.90025", "2611.90028"},
    "wei@example.org": {"2611.90006", "2611.90008", "2611.90021",
                        "2611.90024"},
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def equal(got, wanted):
    assert got == wanted, f"\ngot    {got}\nwanted {wanted}"


# ---- the store ----

STORE = "state/arxmail.db"


def check_whole():
    """The store is sound."""
    with contextlib.closing(sqlite3.connect(STORE)) as database:
        equal(database.execute("PRAGMA integrity_check").fetchall(),
              [("ok",)])


def check_demo_sent():
    """Everybody of the demo has one digest; one may have come twice."""
    mails = inbox()
    equal({mail.to for mail in mails}, set(DEMO))
    equal(len({mail["Message-ID"] for mail in mails}), len(DEMO))
    assert len(mails) <= len(DEMO) + 1, len(mails)


def store_hash():
    database = sqlite3.connect(STORE)
    text = "\n".join(database.iterdump())
    database.close()
    return hashlib.sha256(text.encode()).hexdigest()


def pass_days(days):
    """All that the store knows happened that many days earlier.

    Instants end in _at, days in day: HOUSE_STYLE. A day may be part of a key,
    so it goes there by way of the far future.
    """
    database = sqlite3.connect(STORE)
    tables = [row[0] for row in database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
        " AND name NOT LIKE 'sqlite_%'")]
    for table in tables:
        for row in database.execute(f"PRAGMA table_info({table})").fetchall():
            column = row[1]
            if column.endswith("_at"):
                database.execute(f"UPDATE {table} SET {column} = {column} -"
                                 f" {days * 86400} WHERE {column} > 0")
            elif column == "day" or column.endswith("_day"):
                for step in (10 ** 6, -10 ** 6 - days):
                    database.execute(f"UPDATE {table} SET {column} = "
                                     f"{column} + {step}")
    database.commit()
    database.close()


__all__ = [name for name in dir() if not name.startswith("_")]
