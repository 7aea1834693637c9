#!/usr/bin/env bash
# fetch takes what is a feed, refuses everything else by a precise sentence, and
# is polite to the server.
. "$(dirname "$0")/lib.sh"

cp "$DEMO/cs.CL.xml" "$T/good.xml"
head -c 9000 "$DEMO/cs.CL.xml" >"$T/truncated.xml"
cat >"$T/doctype.xml" <<'END'
<?xml version="1.0"?>
<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>
<rss version="2.0"><channel><title>&b;</title></channel></rss>
END
cat >"$T/error.xml" <<'END'
<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" version="2.0"><channel>
<title>Feed error for query: cs.CL</title>
<description>Invalid archive 'nonsense'. Valid archives are: cs, math</description>
</channel></rss>
END
start_feeds
feeds() {
    config <<<'{ email = "ada@example.org"; categories = ["cs.CL"]; }'
}
feeds

# Each case has a state of its own, so none waits for the last one's pause.
#     refuses WHAT ANSWER SENTENCE
refuses() {
    new_state
    feed_script <<<"{\"/cs.CL\": [$2]}"
    WHAT=$1
    run 1 fetch
    said "the sentence says so: $1" "cs\.CL.*($3)"
}
refuses 'HTTP 500' '{"status": 500}' '500'
refuses 'a DOCTYPE' '{"file": "doctype.xml"}' 'DOCTYPE'
refuses 'HTML' '{"body": "<!DOCTYPE html><html><body>Hi</body></html>"}' \
    'HTML|DOCTYPE'
refuses 'not XML' '{"body": "Rate exceeded."}' 'XML|not a feed'
refuses "arXiv's error feed" '{"status": 400, "file": "error.xml"}' \
    'nonsense'
refuses 'a feed that ends in mid-air' '{"file": "truncated.xml"}' \
    'ends|end of|incomplete|truncated|cut'
refuses 'half of it without a length' \
    '{"file": "good.xml", "fault": "cut"}' 'ends|end of|incomplete|cut'
refuses 'less than its length' '{"file": "good.xml", "fault": "short"}' \
    'ends|end of|incomplete|cut|closed|partial|missing|remain'
refuses 'a redirect to what is not https' \
    '{"status": 301, "headers": {"Location": "ftp://127.0.0.1/rss"}}' \
    'redirected to something other than https'
refuses 'a redirect to a file' \
    '{"status": 302, "headers": {"Location": "file:///etc/passwd"}}' \
    'redirected to something other than https'
refuses 'a body without end' \
    '{"body": "<rss>aaaaaaaaaaaaaaaaaaaa</rss>", "fault": "endless"}' \
    'too large|larger|limit|MiB|bytes'
refuses '429' '{"status": 429, "headers": {"Retry-After": "120"}}' '429'

check 'the request says who asks' <<'END'
agent = requests()[0]["headers"]["User-Agent"]
assert agent.startswith("arxmail/"), agent
assert "admin@example.org" in agent, agent
END

new_state
feed_script <<'END'
{"/cs.CL": [{"file": "good.xml", "gzip": true, "etag": "0a1b",
             "modified": "Mon, 23 Nov 2026 05:00:03 GMT"}]}
END
WHAT='gzip' run 0 fetch
check 'the papers are in the store' <<'END'
database = sqlite3.connect(STORE)
text = "\n".join(database.iterdump())
for number in range(90001, 90012):
    assert f"2611.{number}" in text, number
END
BEFORE=$(wc -l <"$T/requests.jsonl")
WHAT='not modified' run 0 fetch
check 'the second request is conditional' <<END
last = requests()[$BEFORE]["headers"]
equal((last["If-None-Match"], last["If-Modified-Since"]),
      ("0a1b", "Mon, 23 Nov 2026 05:00:03 GMT"))
END
check 'two runs keep three seconds between their requests' <<END
gap = requests()[$BEFORE]["at"] - requests()[$BEFORE - 1]["at"]
assert 2.9 < gap < 60, gap
END

new_state
feed_script <<'END'
{"/cs.CL": [{"file": "good.xml"}], "/cs.LG": [{"status": 500}]}
END
config <<<'{ email = "ada@example.org"; categories = ["cs.CL", "cs.LG"]; }'
BEFORE=$(wc -l <"$T/requests.jsonl")
WHAT='one of two feeds is broken' run 3 fetch
check 'and so does one run' <<END
first, second = requests()[$BEFORE:]
assert 2.9 < second["at"] - first["at"] < 60
END

done_testing
