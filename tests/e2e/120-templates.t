#!/usr/bin/env bash
# templates_dir replaces the built-in templates file by file; what is wrong in
# one is said with its file and line, before anything is sent.
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/templates/strings"
chmod 755 "$T/templates" "$T/templates/strings"
use_demo
run 0 fetch

# ---- files of one's own ----

cat >"$T/templates/paper.md" <<'END'
### OURS {{title}}

<p class="meta">{{id}} for {{name}}</p>
END
sed 's/^lead_other = .*/lead_other = "Good morning {{name}}, {{count}} papers";/' \
    "$ROOT/templates/strings/en.conf" >"$T/templates/strings/en.conf"
run 0 check
run 0 preview ada@example.org --format html
printed 'our paper.md is used' '<h3[^>]*>OURS '
printed 'and knows the reader' ' for Ada<'
printed 'our strings are used' 'Good morning Ada, '
printed 'the other files are the built-in ones' 'Thank you to arXiv'
run 0 preview ada@example.org --format text
unlike 'paper.txt is the built-in one' "$T/out" 'OURS'
printed 'with our strings' 'Good morning Ada, '
run 0 preview wei@example.org --format html
unlike 'the other language has its own strings' "$T/out" 'Good morning'
printed 'and the same paper.md' 'OURS'

start_smtp
use_demo
run 0 send-now
check 'papers that name their reader name the right one' <<'END'
bodies = {mail.to: mail.html for mail in inbox()}
assert len(bodies) == 3, bodies.keys()
assert " for Ada<" in bodies["ada@example.org"]
assert " for 魏<" in bodies["wei@example.org"]
assert " for Ada<" not in bodies["wei@example.org"]
END

# ---- broken ones ----

printf 'fine\n{{#title}}\nnever closed\n' >"$T/templates/paper.md"
run 1 check
said 'a section that stays open has its file and line' \
    'templates/paper\.md:2: '
run 1 send-now
said 'and nothing is sent with it' 'templates/paper\.md:2: '

printf '{{lead}}\n\n{{papres}}\n' >"$T/templates/digest.txt"
run 1 check
said 'an unknown name has its file and line' \
    'templates/digest\.txt:3: .*papres'
said 'beside what is wrong in the others' 'templates/paper\.md:2: '
rm "$T/templates/paper.md" "$T/templates/digest.txt"

printf 'p { color: red; }\ndiv > p { color: blue; }\n' \
    >"$T/templates/style.css"
run 1 check
said 'so has a selector that cannot be moved' 'templates/style\.css:2: '
rm "$T/templates/style.css"

printf '{{title}}\n' >"$T/templates/papers.md"
run 1 check
said 'a file that no template is called is named' 'templates/papers\.md'
rm "$T/templates/papers.md"

sed 's/^lead_other = .*/lead_other = "{{cuont}} papers";/' \
    "$ROOT/templates/strings/en.conf" >"$T/templates/strings/en.conf"
run 1 check
said 'a string with an unknown name is told with its file' \
    'strings/en\.conf.*lead_other.*cuont'
rm "$T/templates/strings/en.conf"

run 0 check
done_testing
