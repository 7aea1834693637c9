#!/usr/bin/env bash
# A title that tries to break out arrives as the text that it is: in the Subject,
# in both parts and in the document.
. "$(dirname "$0")/lib.sh"

# The bytes \xff\xfe in it are not UTF-8, so the feed itself is not XML; what XML
# does allow is a reference to any character but NUL, and text that is escaped
# twice. Both kinds are tried.
cat >"$T/make.py" <<'END'
import sys
from xml.sax.saxutils import escape

TITLE = ("=?utf-8?q?Hostile=0d?=&#13;&#10;Bcc: victim@example.org&#13;&#10;&#13;&#10;body | "
         "cell ](http://evil.example/x) ![x](http://evil.example/pixel) "
         + escape("<script>alert(1)</script> <img src=x onerror=alert(2)> "
                  "**bold** `code` {{title}} {{{title}}} [^1]: note &#0; \\0 "
                  "%s $x_1$ # head ~~~ end"))
feed = open(sys.argv[1]).read()
start = feed.index("<title>", feed.index("<item>")) + 7
end = feed.index("</title>", start)
sys.stdout.write(feed[:start] + TITLE + feed[end:])
END
"$PYTHON" "$T/make.py" "$DEMO/cs.CL.xml" >"$T/feeds/cs.CL.xml"
start_smtp
config <<'END'
{ email = "ada@example.org"; categories = ["cs.CL"];
  authors = ["Karoline Günther"]; subject = "Top: {{top}}"; }
END
run 0 send-now
cat >"$T/wanted.py" <<'END'
TITLE = ("=?utf-8?q?Hostile=0d?= Bcc: victim@example.org body | cell "
         "](http://evil.example/x) ![x](http://evil.example/pixel) "
         "<script>alert(1)</script> <img src=x onerror=alert(2)> **bold** "
         "`code` {{title}} {{{title}}} [^1]: note &#0; \\0 %s x₁ # head ~~~ "
         "end")
END
export PYTHONPATH=$HERE:$T
check 'the Subject is the title as text, and no header is new' <<'END'
from wanted import TITLE
mail = only("ada@example.org")
subject = mail["Subject"]
assert subject.endswith("…") and len(subject) > 150, subject
assert ("Top: " + TITLE).startswith(subject[:-1]), subject
equal(mail["Bcc"], None)
equal(mail.faults(), [])
END
check 'the text part has the title as text' <<'END'
from wanted import TITLE
text = re.sub(r"\s+", " ", only("ada@example.org").text)
assert TITLE in text, text
END
check 'the HTML shows the title as text and does nothing' <<'END'
import html.parser
from wanted import TITLE

class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.tags, self.links = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes
                       if name in ("href", "src")]
        assert not any(name.startswith("on") for name, value in attributes)

    def handle_data(self, data):
        self.seen.append(data)

reader = Reader()
reader.feed(only("ada@example.org").html)
assert TITLE in re.sub(r"\s+", " ", "".join(reader.seen)), reader.seen
assert not {"script", "img", "iframe", "code"} & set(reader.tags), reader.tags
for link in reader.links:
    assert "evil" not in link, link
END

run 0 preview ada@example.org --last --format markdown --output "$T/home/doc.md"
check 'the document keeps it in its cell and its footnote' <<'END'
from wanted import TITLE
import html
lines = read("home/doc.md").splitlines()
for line in lines:
    if line.startswith("| [^"):
        equal(line.count("|"), 4)
    for bad in ("<script", "<img", "](http://evil", "![x]"):
        assert bad not in line, line
text = re.sub(r"\s+", " ", html.unescape(" ".join(lines)))
assert TITLE in text, text
END
run 0 preview ada@example.org --last --format markdown
unlike 'no control character reaches the terminal' "$T/out" $'[\001-\010\016-\037]'

# Bytes that are no UTF-8 make a feed that is no XML.
printf '%s' "$(sed 's/Hostile/Broken\xff\xfe/' "$T/feeds/cs.CL.xml")" \
    >"$T/feeds/cs.LG.xml"
config <<<'{ email = "ada@example.org"; categories = ["cs.LG"]; }'
run 1 fetch
said 'broken UTF-8 is refused, with the line' 'cs\.LG.*(line [0-9]|:[0-9])'
sed 's/Reading Slowly/\&#0;/' "$DEMO/cs.CL.xml" >"$T/feeds/cs.LG.xml"
run 1 fetch
said 'and so is a reference to NUL' 'cs\.LG'

done_testing
