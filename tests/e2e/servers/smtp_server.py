"""A scripted SMTP server on python3-aiosmtpd.

    smtp_server.py FOLDER [--script FILE] [--cert FILE --key FILE]
                   [--user NAME --password TEXT] [--no-pipelining]

Prints "PORT N" when it listens on loopback. With a certificate it offers
STARTTLS and demands it; with a user it demands AUTH. Each message it accepts is
FOLDER/NNNN.eml, with a line in FOLDER/envelopes.jsonl: file, from, to, tls, user.

The script is a JSON list of rules, read anew for each command. Of the rules for
a stage (and, for mail and rcpt, whose `match` is part of the command) the first
one that is not used up counts:

    stage   connect ehlo starttls auth mail rcpt data dot
    match   a part of the command, or of the message at dot
    nth     only the nth time that this stage is reached (from 1)
    from    the nth time and ever after
    times   how often it is used; without it, always
    reply   said in place of what the server would say
    do      close  hang up at once
            pause  print "PAUSED stage" (once), then wait until the client is
                   gone
            hold   print "HELD stage", then answer when the script has changed
    keep    at dot: the message is kept although the client does not hear so
"""

import argparse
import asyncio
import json
import os
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Rules:
    """The script, and how often each stage was reached and each rule used."""

    def __init__(self, path):
        self.path = path
        self.text = None
        self.rules = []
        self.reached = {}

    def load(self):
        text = "[]"
        if self.path and os.path.exists(self.path):
            with open(self.path) as file:
                text = file.read()
        if text == self.text:
            return
        self.text = text
        self.rules = json.loads(text)
        self.reached = {}

    def has_changed_since(self, text):
        with open(self.path) as file:
            return file.read() != text

    def find(self, stage, text):
        self.load()
        n = self.reached[stage] = self.reached.get(stage, 0) + 1
        for rule in self.rules:
            if (rule["stage"] == stage and rule.get("match", "") in text
                    and rule.get("nth", n) == n and rule.get("from", n) <= n
                    and rule.get("times", 1) > 0):
                if "times" in rule:
                    rule["times"] -= 1
                return rule
        return None


class Inbox:
    """The messages that were accepted."""

    def __init__(self, folder):
        self.folder = folder
        self.n = 0

    def keep(self, session, envelope):
        self.n += 1
        name = f"{self.n:04}.eml"
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(envelope.original_content)
        line = {"file": name, "from": envelope.mail_from,
                "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                "user": getattr(session, "user", None)}
        with open(os.path.join(self.folder, "envelopes.jsonl"), "a") as file:
            file.write(json.dumps(line) + "\n")


class Handler:
    def __init__(self, inbox, pipelining):
        self.inbox = inbox
        self.pipelining = pipelining

    async def handle_EHLO(self, server, session, envelope, name, lines):
        session.host_name = name
        return lines[:-1] + ["250-PIPELINING"] * self.pipelining + lines[-1:]

    async def handle_DATA(self, server, session, envelope):
        rule = server.rules.find("dot", envelope.original_content.decode(
            "latin-1"))
        if not rule:
            self.inbox.keep(session, envelope)
            return "250 2.0.0 kept"
        if rule.get("keep"):
            self.inbox.keep(session, envelope)
        await server.act(rule)
        return rule["reply"]


class Server(SMTP):
    def __init__(self, *args, rules, **options):
        self.rules = rules
        super().__init__(*args, **options)

    async def act(self, rule):
        """Returns only if there is a reply to be said."""
        if rule.get("do") == "pause":
            if not rule.get("said"):
                print("PAUSED", rule["stage"], flush=True)
                rule["said"] = True
            await self.loop.create_future()
        if rule.get("do") == "hold":
            text = self.rules.text
            print("HELD", rule["stage"], flush=True)
            while not self.rules.has_changed_since(text):
                await asyncio.sleep(0.02)
        if rule.get("do") == "close":
            self.transport.abort()
            raise asyncio.CancelledError

    async def obeys(self, stage, arg):
        """Has a rule answered this command?"""
        rule = self.rules.find(stage, arg or "")
        if not rule:
            return False
        await self.act(rule)
        await self.push(rule["reply"])
        return True

    async def _handle_client(self):
        if await self.obeys("connect", ""):
            self.transport.close()
            return
        await super()._handle_client()

    async def smtp_EHLO(self, arg):
        if not await self.obeys("ehlo", arg):
            await super().smtp_EHLO(arg)

    async def smtp_STARTTLS(self, arg):
        if not await self.obeys("starttls", arg):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg):
        if not await self.obeys("auth", arg):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg):
        if not await self.obeys("mail", arg):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg):
        if not await self.obeys("rcpt", arg):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg):
        if not await self.obeys("data", arg):
            await super().smtp_DATA(arg)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--script")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--no-pipelining", action="store_true")
    return parser.parse_args()


def make_options(arguments):
    options = {"hostname": "relay.example.org", "ident": "ESMTP",
               "timeout": 600}
    if arguments.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.cert, arguments.key)
        options.update(tls_context=context, require_starttls=True)

    def authenticate(server, session, envelope, mechanism, login):
        session.user = login.login.decode()
        wanted = arguments.user, arguments.password
        given = session.user, login.password.decode()
        return AuthResult(success=given == wanted, handled=False)

    if arguments.user:
        options.update(authenticator=authenticate, auth_required=True,
                       auth_require_tls=bool(arguments.cert))
    return options


async def serve():
    arguments = parse_arguments()
    os.makedirs(arguments.folder, exist_ok=True)
    handler = Handler(Inbox(arguments.folder), not arguments.no_pipelining)
    options = make_options(arguments)
    rules = Rules(arguments.script)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(handler, rules=rules, loop=loop, **options),
        "127.0.0.1", 0)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        pass
