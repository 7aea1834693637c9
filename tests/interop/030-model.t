#!/usr/bin/env bash
# Summaries from a server of OpenAI's protocol that was not written for this:
# mock-llm, https://www.npmjs.com/package/@dwmkerr/mock-llm. A hundred papers, four
# at a time.
. "$(dirname "$0")/../e2e/lib.sh"

MOCK=@dwmkerr/mock-llm
MOCK_VERSION=0.1.29
NPM=$ROOT/build/interop
command -v npm >/dev/null ||
    skip_all 'there is no npm: tests/setup.sh interop installs it'
MAIN=$NPM/node_modules/$MOCK/dist/main.js
if [ ! -e "$MAIN" ]; then
    mkdir -p "$NPM"
    npm install --silent --no-fund --no-audit --no-save --prefix "$NPM" \
        "$MOCK@$MOCK_VERSION" >"$T/npm" 2>&1 ||
        skip_all "npm cannot install $MOCK: $(tail -n 1 "$T/npm")"
fi

# start_mock FILE: its rules. It does not tell which port it has got.
start_mock() {
    PORT=$("$PYTHON" -c 'import socket; s = socket.create_server(
("127.0.0.1", 0)); print(s.getsockname()[1])')
    exec {FD}< <(HOST=127.0.0.1 PORT=$PORT exec node "$MAIN" \
        --config "$1" 2>&1)
    PIDS+=($!)
    local line
    until [[ ${line-} == *"server running on"* ]]; do
        read -r -t "$TIMEOUT_SEC" -u "$FD" line || bail 'mock-llm does not start'
    done
    # What it logs of each request is not read by anybody else.
    cat <&"$FD" >"$T/mock.log" &
    PIDS+=($!)
    MORE="llm: { url = \"http://127.0.0.1:$PORT/v1\"; model = \"mock\";
                 concurrency = 4; };"
}

"$PYTHON" - "$T/feeds/cs.CL.xml" <<'END'
import sys

items = "".join(
    f"<item><title>Paper {n} of a hundred</title>"
    f"<description>arXiv:2611.8{n:04}v1 Announce Type: new \n"
    f"Abstract: It is number {n}. It says &quot;nothing&quot; more."
    f'</description><guid isPermaLink="false">oai:arXiv.org:2611.8{n:04}v1'
    "</guid><category>cs.CL</category><arxiv:announce_type>new"
    "</arxiv:announce_type><dc:creator>M. Okafor</dc:creator></item>"
    for n in range(100))
with open(sys.argv[1], "w") as file:
    file.write('<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom"'
               ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
               f"<title>cs.CL updates on arXiv.org</title>{items}</channel>"
               "</rss>")
END
SUBSCRIBERS='{ email = "ada@example.org"; categories = ["cs.CL"]; max_papers = 100; },
{ email = "wei@example.org"; categories = ["cs.CL"]; max_papers = 100;
  language = "zh"; }'

cat >"$T/good.yaml" <<'END'
rules:
  - path: "/v1/chat/completions"
    match: "contains(body.messages[0].content, 'English')"
    response:
      status: 200
      content: |
        {"id": "chatcmpl-{{timestamp}}", "object": "chat.completion",
         "model": "{{jmes request body.model}}",
         "choices": [{"index": 0, "finish_reason": "stop",
                      "message": {"role": "assistant",
          "content": "{\"summary\": \"A summary by another's server.\"}"}}],
         "usage": {"prompt_tokens": 90, "completion_tokens": 10,
                   "total_tokens": 100}}
  - path: "/v1/chat/completions"
    match: "contains(body.messages[0].content, 'Chinese')"
    response:
      status: 200
      content: |
        {"id": "chatcmpl-{{timestamp}}", "object": "chat.completion",
         "model": "{{jmes request body.model}}",
         "choices": [{"index": 0, "finish_reason": "stop",
                      "message": {"role": "assistant",
          "content": "```json\n{\"title\": \"一百篇论文之一\", \"summary\": \"别人的服务器写的总结。\", \"abstract\": \"这是别人的服务器翻译的摘要。\"}\n```"}}]}
END
start_smtp
start_mock "$T/good.yaml"
config <<<"$SUBSCRIBERS"
run 0 check llm
printed 'the server answers' "^A summary by another's server\.$"
run 0 send-now
check 'all papers have their words, in both languages' <<'END'
for to, words in (("ada@example.org", "A summary by another's server."),
                  ("wei@example.org", "别人的服务器写的总结。")):
    mail = only(to)
    n = mail.text.count(words)
    assert n >= 20, n
    assert "Summaries: mock" in mail.text or "总结与翻译：mock" in mail.text
    assert "no summary by the model" not in mail.text
    assert "模型未能" not in mail.text
with sqlite3.connect(STORE) as db:
    equal(db.execute("SELECT language, count(*) FROM answer WHERE summary <> ''"
                     " GROUP BY language").fetchall(),
          [("en", 100), ("zh", 100)])
END
run 0 status
printed 'each was asked once' 'model mock: 200 questions, '
run 0 send-now
run 0 status
printed 'and not again' 'model mock: 200 questions, '

# Without rules it repeats what it is told, and fails at quotes in that: no answer,
# and digests all the same.
new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
start_mock "$T/none.yaml"
config <<<"$SUBSCRIBERS"
run 0 send-now
said 'it is left alone after a while' '^model: .*it is asked again in'
check 'a server in trouble holds up nobody' <<'END'
for to, mark in (("ada@example.org", "There is no summary by the model"),
                 ("wei@example.org", "模型未能总结和翻译本文")):
    mail = only(to)
    assert mail.text.count(mark) >= 20
END

done_testing
