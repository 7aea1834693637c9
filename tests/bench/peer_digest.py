"""peer_digest.py PROGRAM: bench_digest, then Python's markdown and email on the
same digests' Markdown, from the Markdown to the bytes of the message.
"""

import email.message
import pathlib
import subprocess
import sys
import tempfile
import time

import markdown

TARGET = 40


def build(text):
    message = email.message.EmailMessage()
    message["From"] = "arXiv digest <digest@example.org>"
    message["To"] = "Reader <reader@example.org>"
    message["Subject"] = "arXiv, Tue 22 Sep: 20 papers"
    message["List-Id"] = "<example.org>"
    message.set_content(text)
    message.add_alternative(markdown.markdown(text, extensions=["extra"]),
                            subtype="html")
    return message.as_bytes()


def main():
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([sys.argv[1], folder], stdout=subprocess.PIPE,
                             encoding="utf-8")
        lines = run.stdout.splitlines()
        texts = [path.read_text(encoding="utf-8")
                 for path in pathlib.Path(folder).iterdir()]
    print("\n".join(line for line in lines if not line.startswith("RATE ")))
    if run.returncode != 0:
        sys.exit(run.returncode)
    rate = float(lines[-1].removeprefix("RATE "))

    begin = time.process_time()
    for text in texts:
        build(text)
    peer = len(texts) / (time.process_time() - begin)
    print(f"digest: Python, markdown + email {peer:4.0f} a second: "
          f"{rate / peer:.0f} times as many here (target {TARGET}: "
          f"{'met' if rate >= TARGET * peer else 'NOT met'})")


main()
