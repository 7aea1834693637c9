"""Prints what is in ./inbox: to whom, the subject, the papers by their titles."""

import html
import re

from mail import ID, inbox

LINK = re.compile(rf'<a [^>]*{ID.pattern}[^>]*>(.*?)</a>', re.I | re.S)


def titles(mail):
    """By paper: the words of its first link."""
    found = {}
    for paper, words in LINK.findall(mail.html):
        plain = html.unescape(re.sub(r"<[^>]*>", "", words))
        found.setdefault(paper, re.sub(r"\s+", " ", plain))
    return found


for mail in inbox():
    print(f"\n  to {mail.to}: {mail['subject']}")
    for paper, title in titles(mail).items():
        print(f"    {paper}  {title[:66]}")
