#!/usr/bin/env bash
# The commands that look: they change nothing, and say what there is.
. "$(dirname "$0")/lib.sh"

start_smtp
use_demo

run 0 version
printed 'version says which' '^arxmail [0-9]+\.[0-9]+'
printed 'and which libraries' 'curl'

for command in check fetch send-now preview status backup version; do
    run 0 "$command" --help
    printed "$command --help shows how it is called" "arxmail .*$command"
done

WHAT='no command' run 2
run 2 frobnicate
said 'a wrong command is named' 'frobnicate'
run 2 send-now --frobnicate
said 'so is a wrong option' 'frobnicate'
run 2 preview
run 2 preview ada@example.org --format docx
said 'so is a wrong format' 'docx'
run 2 backup

WHAT='there is no database yet' run 1 preview ada@example.org
said 'it names what to do' 'fetch'

run 0 fetch
BEFORE=$(store_hash)
for format in text html markdown eml; do
    run 0 preview ada@example.org --format "$format"
    cp "$T/out" "$T/ada.$format"
    for id in 90001 90002 90003 90008 90025 90032; do
        printed "$format has paper $id" "2611\.$id"
    done
done
check 'the eml is a message like the one that will be sent' <<'END'
mail = Mail("ada.eml")
equal(ids(mail), DEMO["ada@example.org"])
equal([fault for fault in mail.faults() if "bare" not in fault], [])
equal(mail["To"], "Ada <ada@example.org>")
END
check 'the document has its two parts and a footnote for each paper' <<'END'
text = read("ada.markdown")
assert "# Summary\n" in text and "# Details\n" in text
assert "| Ref | Title | Summary |" in text
rows = re.findall(r"^\| \[\^(\d+)\] \| \[.*\]\(https://arxiv\.org/abs/(\S+)\) \|",
                  text, re.M)
equal({paper for number, paper in rows}, DEMO["ada@example.org"])
for number, paper in rows:
    assert f"\n[^{number}]: " in text, number
END
run 0 preview wei@example.org --format markdown
printed 'Chinese headings for who reads Chinese' '^# 摘要$'
printed 'and for the details' '^# 详细$'
run 0 preview ada@example.org --output "$T/home/ada.txt" --format text
is '--output writes what stdout would have' \
    "$(cmp "$T/home/ada.txt" "$T/ada.text" 2>&1)" ''
run 0 preview ada@example.org --output "$T/home/ada.html" --format html
check 'HTML in a file is a page with the mail framed, light and dark' <<'END'
import html
page, mail = read("home/ada.html"), read("ada.html")
frames = [(width, scheme, html.unescape(doc)) for width, scheme, doc in
          re.findall(r'width="(\d+)" style="color-scheme:(\w+)" srcdoc="([^"]*)"',
                     page)]
equal([(width, scheme) for width, scheme, doc in frames],
      [("640", "light"), ("360", "light"), ("640", "dark"), ("360", "dark")])
for width, scheme, doc in frames:
    equal(doc, mail.replace("prefers-color-scheme: dark",
                            "min-width: 0" if scheme == "dark"
                            else "max-width: 0"))
assert read("ada.text") in html.unescape(page)
assert "List-Unsubscribe: " in page and "Nothing to complain of." in page
END
run 1 preview ada@example.org --last
WHAT='a new day' run 0 status
is 'none of them changed the store' "$(store_hash)" "$BEFORE"

run 0 send-now
run 0 preview ada@example.org --last --format eml
cp "$T/out" "$T/last.eml"
check '--last shows the digest that was sent' <<'END'
equal(ids(Mail("last.eml")), DEMO["ada@example.org"])
END
run 1 preview ada@example.org
said 'with nothing new it says why, and what else there is' 'last'

run 0 status
for name in cs.CL hep-lat math.NT; do
    printed "status has $name" "$name.*fresh"
done
for name in ada emmy wei; do
    printed "status has $name" "$name@example\.org.*sent"
done
is 'no colours where there is no terminal' "$(grep -c $'\033' "$T/out")" 0

# A backup while another process is in the middle of sending.
run 2 send-now --again --dry-run
smtp_rules <<<'[{"stage": "mail", "do": "pause"}]'
"${PROGRAM[@]}" send-now --no-fetch --again ada@example.org >"$T/out1" 2>&1 &
SENDER=$!
PIDS+=("$SENDER")
wait_event "$SMTP_EVENTS" PAUSED "$SENDER"
run 0 backup "$T/home/copy.db"
{ kill -KILL "$SENDER" && wait "$SENDER"; } 2>/dev/null
check 'a backup is whole and has the papers' <<'END'
database = sqlite3.connect("home/copy.db")
equal(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
assert "2611.90001" in "\n".join(database.iterdump())
END
run 1 backup "$T/home/copy.db"
said 'it overwrites nothing' 'exists'

done_testing
