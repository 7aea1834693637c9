#!/usr/bin/env bash
# A language model's summaries and translations: what is asked, once, what
# readers see, and what the commands show.
. "$(dirname "$0")/lib.sh"

start_smtp
start_llm
printf 'sk-secret-of-the-test\n' >"$T/llm-key"
chmod 600 "$T/llm-key"
own "$T/llm-key"
MORE="llm: { $LLM api_key_file = \"$T/llm-key\"; };"
use_demo
run 0 check

# ---- the mails ----

run 0 send-now
unlike 'there is nothing to complain about' "$T/err" .
check 'each paper is asked about once in each language' <<'END'
equal(received(), DEMO)
pairs = {(line["paper"]["title"],
          "Chinese" in line["request"]["messages"][0]["content"])
         for line in asked()}
english = DEMO["ada@example.org"] | DEMO["emmy@example.org"]
equal(len(asked()), len(english) + len(DEMO["wei@example.org"]))
equal(len(pairs), len(asked()))
END
check 'four at a time at most' <<'END'
assert max(line["open"] for line in asked()) <= 4
END
check 'the key travels, and no word of a subscriber' <<'END'
for line in asked():
    equal(line["path"], "/v1/chat/completions")
    equal(line["headers"]["Authorization"], "Bearer sk-secret-of-the-test")
    request = json.dumps(line["request"], ensure_ascii=False).lower()
    for word in ("ada", "emmy", "wei", "魏", "example.org", "retrieval-aug"):
        if word not in json.dumps(line["paper"], ensure_ascii=False).lower():
            assert not re.search(rf"\b{word}\b", request), word
END
check 'in English the summary stands over the whole abstract' <<'END'
mail = only("ada@example.org")
equal(mail.text.count("It does what no paper did before"), 6)
equal(mail.html.count("It does what no paper did before"), 6)
assert "Summaries: test-model" in mail.text
assert "Summaries: test-model" in mail.html
assert "no summary by the model" not in mail.text
END
check 'in Chinese the translation comes first, the original under it' <<'END'
mail = only("wei@example.org")
for part in (mail.text, mail.html):
    equal(part.count("关于检索的中文题目"), 4)
    equal(part.count("一句话说明本文最重要的贡献。"), 4)
assert "总结与翻译：test-model" in mail.text
first = mail.text.index("关于检索的中文题目")
titles = [line["paper"]["title"] for line in asked()]
assert any(title in mail.text[first:] for title in titles)
equal(mail.faults(), [])
END
N=$(wc -l <"$T/llm.jsonl")
run 0 send-now
is 'a second run asks nothing' "$(wc -l <"$T/llm.jsonl")" "$N"

run 0 status
printed 'status counts what was asked' "model test-model: $N questions, ${N}000 tokens today"
run 0 status --json
check 'so does its JSON' <<END
model = json.loads(read("out"))["model"]
equal(model, {"name": "test-model", "questions_today": $N,
              "tokens_today": $N * 1000, "trouble": None})
END

# ---- the document ----

run 0 preview wei@example.org --last --format markdown
mv "$T/out" "$T/wei.md"
cmark-gfm --unsafe -e table -e footnotes "$T/wei.md" >"$T/wei.html" ||
    bail 'cmark-gfm'
check 'the document is a table and footnotes to cmark-gfm' <<'END'
source = read("wei.md")
assert "# 摘要\n" in source and "# 详细\n" in source
html = read("wei.html")
equal(len(re.findall(r"<tr>", html)), 5)
equal(len(re.findall(r'<sup class="footnote-ref">', html)), 4)
equal(len(re.findall(r'<li id="fn', html)), 4)
notes = html.split('<section class="footnotes"')[1]
for note in re.findall(r'<li id="fn.*?</li>', notes, re.S):
    paragraphs = re.findall(r"<p>(.*?)</p>", note, re.S)
    equal(len(paragraphs), 6)
    equal(paragraphs[0], "关于检索的中文题目")
    assert "https://arxiv.org/abs/2611.9" in paragraphs[2]
    equal(paragraphs[3], "一句话说明本文最重要的贡献。")
    assert paragraphs[4].startswith("这是译成中文的完整摘要")
END

# ---- a server that knows less ----

new_state
llm_script <<'END'
{"refuse": ["json_schema", "json_object"],
 "content": "Sure!\n```json\n{\"summary\": \"Fenced, but right.\"}\n```\n"}
END
run 0 send-now ada@example.org
check 'a fenced block will do' <<'END'
mail = inbox("ada@example.org")[-1]
equal(mail.text.count("Fenced, but right."), 6)
kinds = [line["request"].get("response_format", {}).get("type")
         for line in asked()[-4:]]
equal(kinds, [None] * 4)
END
llm_script <<<'{}'

# ---- who wants none ----

new_state
: >"$T/llm.jsonl"
sed 's/name = "Ada";/& summaries = false;/' "$CONF" >"$T/none.conf"
cp "$T/none.conf" "$CONF"
run 0 send-now ada@example.org
check 'who wants no summaries gets none, and nothing is asked' <<'END'
equal(asked(), [])
mail = inbox("ada@example.org")[-1]
assert "Summaries" not in mail.text and "summary" not in mail.text
END
use_demo

# ---- the commands ----

run 0 preview ada@example.org --last
run 0 check llm
printed 'check llm shows the answer' 'It does what no paper did before'
run 0 summarize 2611.90006 --language zh
printed 'summarize shows the translated title' '^关于检索的中文题目$'
N=$(wc -l <"$T/llm.jsonl")
run 0 send-now wei@example.org
check 'what summarize got is not asked again' <<END
equal(len(asked()), $N + 3)
END
run 1 summarize 2611.99999
said 'a paper that is not there' 'no feed that was polled has announced it'
run 1 summarize 2611.90006 --language xx
said 'a language that is not there' "no strings for the language 'xx'"
run 2 summarize nonsense
llm_script <<<'{"status": 401, "body": "{\"error\": {\"message\": \"bad key\"}}"}'
run 1 check llm
said 'check llm says what is wrong' 'check llm.api_key_file \(status 401: bad key\)'
run 1 summarize 2611.90006
llm_script <<<'{"content": "no JSON"}'
run 1 check llm
said 'and what is wrong with an answer' 'cannot be used: it holds no JSON object'
MORE=
use_demo
run 1 check llm
said 'without a model there is nothing to check' 'no llm group'

done_testing
