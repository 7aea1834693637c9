#!/usr/bin/env bash
# Papers that tell the model what to do, and a model that does it all: nothing of
# it reaches a mail but text.
. "$(dirname "$0")/lib.sh"

start_smtp
start_llm
printf 'sk-secret-of-the-test\n' >"$T/llm-key"
chmod 600 "$T/llm-key"
own "$T/llm-key"
MORE="llm: { $LLM api_key_file = \"$T/llm-key\"; };"
"$PYTHON" "$HERE/injections.py" "$T/feeds" "$T/obey.json"
llm_script <"$T/obey.json"
for language in en zh; do
    for category in CL LG AI; do
        printf '{ email = "%s-%s@example.org"; categories = ["cs.%s"];
                  language = "%s"; },\n' "$category" "$language" "$category" \
            "$language"
    done
done | sed '$s/,$//' | config
run 0 send-now

check 'all of them were asked, in both languages' <<'END'
asked_of = [(line["paper"]["title"],
             "Chinese" in line["request"]["messages"][0]["content"])
            for line in asked()]
equal(len(set(asked_of)), 120)
equal(len(inbox()), 6)
END
check 'every mail has all of its papers, and words for the harmless ones' <<'END'
for mail in inbox():
    equal(len(ids(mail)), 20)
    equal(mail.text.count("what no paper did before"
                          if "-en@" in mail.to else "一句话说明"), 10)
END
check 'no header comes of it' <<'END'
for mail in inbox():
    equal(mail.faults(), [])
    equal(mail["Bcc"], None)
    equal(mail["To"], mail.to)
    assert mail["Subject"].startswith("arXiv")
END
check 'no link, no script, no image, no style comes of it' <<'END'
from html.parser import HTMLParser


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = set()
        self.links = set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            assert not name.startswith("on"), name
            if name in ("href", "src"):
                self.links.add(value)


shapes = set()
for mail in inbox():
    tags = Tags()
    tags.feed(mail.html)
    shapes.add(frozenset(tags.tags))
    for link in tags.links:
        assert re.match(r"https://arxiv\.org/|mailto:(digest|admin)@example"
                        r"\.org", link), link
    for part in (mail.html, mail.text):
        assert "evil.example" not in part
        assert "evil．example" not in part
equal(len(shapes), 1)
assert not shapes.pop() & {"script", "img", "iframe", "form", "object"}
END
check 'nobody learns of the others or of the key' <<'END'
addresses = {mail.to for mail in inbox()}
for mail in inbox():
    for other in addresses - {mail.to}:
        assert other.encode() not in mail.raw
        assert other not in mail.text + mail.html
    for word in ("sk-secret", "ada@example.org", "victim@"):
        assert word not in mail.text + mail.html
END
check 'what was refused is marked' <<'END'
for mail in inbox():
    mark = ("There is no summary by the model" if "-en@" in mail.to
            else "模型未能总结和翻译本文")
    assert 5 <= mail.text.count(mark) <= 10, mail.text.count(mark)
END

done_testing
