"""A second opinion on who gets what, as simple as it can be.

Feeds are read by ElementTree, and filters are lists of keywords; nothing is
shared with the program but the words of the manual.
"""

import html
import re
import unicodedata
import xml.etree.ElementTree as ElementTree

ARXIV = "{http://arxiv.org/schemas/atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
RSS1 = "{http://purl.org/rss/1.0/}"

SUFFIX = re.compile(r"\s*\(arXiv:\S+v\d+ \[\S+\]( UPDATED| CROSS LISTED)?\)$")


def read_feed(path):
    """A list of dicts: id, type, text (title and abstract apart), authors."""
    root = ElementTree.parse(path).getroot()
    if root.tag == RDF + "RDF":
        return [read_rdf(item) for item in root.iter(RSS1 + "item")]
    return [read_rss(item) for item in root.iter("item")]


def read_rss(item):
    abstract = item.findtext("description").split("Abstract:", 1)[1]
    return {"id": item.findtext("link").rsplit("/abs/", 1)[1],
            "type": item.findtext(ARXIV + "announce_type"),
            "texts": [item.findtext("title"), abstract],
            "authors": item.findtext(DC + "creator")}


def read_rdf(item):
    title = item.findtext(RSS1 + "title")
    suffix = SUFFIX.search(title)
    kind = {None: "new", " UPDATED": "replace", " CROSS LISTED": "cross"}
    plain = re.sub(r"<[^>]*>", "", item.findtext(RSS1 + "description"))
    authors = re.sub(r"<[^>]*>", "", item.findtext(DC + "creator"))
    return {"id": item.get(RDF + "about").rsplit("/abs/", 1)[1],
            "type": kind[suffix.group(1)],
            "texts": [title[:suffix.start()], html.unescape(plain)],
            "authors": html.unescape(authors)}


def fold(text):
    marks = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in marks if not unicodedata.combining(c))


def has_keyword(text, keyword):
    """Words in a row, or a prefix*; a plural s does not matter."""
    if keyword.endswith("*"):
        pattern = re.escape(fold(keyword[:-1])) + r"\w*"
    else:
        pattern = r"[\s-]+".join(re.escape(word) + "s?"
                                 for word in fold(keyword).split())
    return re.search(rf"(?<![^\W_]){pattern}(?![^\W_])", fold(text)) is not None


def wanted(paper, keywords=(), authors=(), exclude=(),
           announce=("new", "cross")):
    def any_of(words):
        return any(has_keyword(text, word)
                   for text in paper["texts"] for word in words)

    if paper["type"] not in announce or any_of(exclude):
        return False
    if not keywords and not authors:
        return True
    return any_of(keywords) or any(has_keyword(paper["authors"], author)
                                   for author in authors)


def select(paths, **filters):
    return {paper["id"] for path in paths for paper in read_feed(path)
            if wanted(paper, **filters)}
