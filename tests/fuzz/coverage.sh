#!/usr/bin/env bash
# coverage.sh BUILD-FOLDER: the lines of each parser that its target's corpus,
# and what `make fuzz` has found beyond it, come to. Less than 85 % fails
# unless the table says why.
set -euo pipefail

build=$1
status=0

# target: sources: why less is enough
table='feed: src/feed/parser.c src/feed/sax.c src/feed/item.c src/feed/html.c src/feed/authors.c:
oai: src/feed/oai.c:requests are written there as well, which tests/unit/feed tries
query: src/query/parse.c src/query/token.c:
token: src/query/words.c src/text/fold.c src/text/kind.c:
tex: src/text/tex.c src/text/math.c src/text/construct.c src/text/arguments.c src/text/letter.c src/text/script.c:
mustache: src/digest/mustache.c src/digest/mustache_render.c:
style: src/digest/style.c:
conf: src/conf/scan.c src/conf/values.c src/conf/settings.c src/conf/subscribers.c src/conf/topics.c:
smtp: src/mail/smtp_reply.c src/mail/smtp_session.c:deadlines that pass and servers that stop reading are tests/unit/mail
http: src/feed/fetch.c:files, certificates, redirects to other hosts and deadlines are tests/unit/feed
bounce: src/mail/bounce.c:
answer: src/llm/answer.c:'

while IFS=: read -r name sources reason; do
    program=$build/tests/fuzz/fuzz_$name
    export LLVM_PROFILE_FILE=$build/$name.profraw
    "$program" >/dev/null
    llvm-profdata-14 merge -o "$build/$name.profdata" "$build/$name.profraw"
    # shellcheck disable=SC2086
    percent=$(llvm-cov-14 export --summary-only \
        -instr-profile="$build/$name.profdata" "$program" $sources |
        python3 -c 'import json, sys
print(int(json.load(sys.stdin)["data"][0]["totals"]["lines"]["percent"]))')
    printf '%-9s %3d %% of the lines of%s%s\n' "$name" "$percent" "$sources" \
        "${reason:+ ($reason)}"
    if [ "$percent" -lt 85 ] && [ -z "$reason" ]; then
        status=1
    fi
done <<<"$table"
exit "$status"
