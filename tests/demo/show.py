"""Prints what is in ./inbox: to whom, the subject, the papers by their titles."""

import re
import xml.etree.ElementTree
from glob import glob

from mail import ID, inbox


def titles():
    found = {}
    for path in glob("feeds/*.xml"):
        for item in xml.etree.ElementTree.parse(path).iter("item"):
            paper = item.findtext("link").rsplit("/", 1)[1]
            found[paper] = re.sub(r"\s+", " ", item.findtext("title"))
    return found


known = titles()
for mail in inbox():
    print(f"\n  to {mail.to}: {mail['subject']}")
    for paper in dict.fromkeys(ID.findall(mail.text)):
        print(f"    {paper}  {known[paper][:66]}")
