"""peer_whole.py FEED READERS PORT: the main job as a script would do it.

Reads a feed, and mails to each reader of a list ("address TAB keyword,
keyword, ...") the papers with one of the keywords, as text and as HTML.
"""

import email.message
import email.utils
import re
import smtplib
import sys

import feedparser
import markdown


def read_papers(path):
    return [{"title": entry.title, "link": entry.link,
             "authors": entry.get("author", ""),
             "abstract": entry.summary.partition("Abstract: ")[2]}
            for entry in feedparser.parse(path).entries]


def matching(papers, keywords):
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, keywords)) + r")\b",
                         re.IGNORECASE)
    return [(paper, pattern) for paper in papers
            if pattern.search(paper["title"] + "\n" + paper["abstract"])]


def write_markdown(found):
    parts = [f"# arXiv: {len(found)} papers"]
    for paper, pattern in found:
        abstract = pattern.sub(r"**\1**", paper["abstract"])
        title = pattern.sub(r"*\1*", paper["title"])
        parts.append(f"## [{title}]({paper['link']})\n\n*{paper['authors']}*\n\n"
                     f"{abstract}\n\n[abstract]({paper['link']}) | "
                     f"[PDF]({paper['link'].replace('/abs/', '/pdf/')})")
    return "\n\n".join(parts)


def write_message(address, text, n_papers):
    message = email.message.EmailMessage()
    message["From"] = "digest@example.org"
    message["To"] = address
    message["Subject"] = f"arXiv: {n_papers} papers"
    message["Message-ID"] = email.utils.make_msgid(domain="example.org")
    message["Date"] = email.utils.localtime()
    message.set_content(text)
    message.add_alternative(markdown.markdown(text, extensions=["extra"]),
                            subtype="html")
    return message


feed, readers, port = sys.argv[1:]
all_papers = read_papers(feed)
with smtplib.SMTP("127.0.0.1", int(port)) as smtp, \
        open(readers, encoding="utf-8") as lines:
    for line in lines:
        to, wanted = line.rstrip("\n").split("\t")
        chosen = matching(all_papers, wanted.split(", "))
        if chosen:
            smtp.send_message(write_message(to, write_markdown(chosen),
                                            len(chosen)))
