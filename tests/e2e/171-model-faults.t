#!/usr/bin/env bash
# Whatever the model's endpoint does, each digest is on time and has all of its
# papers, marked where the model said nothing. All faults are played at once, each
# to a program, a state and an endpoint of its own.
. "$(dirname "$0")/lib.sh"

start_smtp
RELAY_PORT=$PORT
cp "$DEMO"/*.xml "$T/feeds/"

BAD='\"summary\": \"See https://evil.example now.\"'
CASES=(
    'stall|{"do": "stall"}|no answer within llm.timeout_s'
    'slow|{"do": "slow"}|no answer within llm.timeout_s'
    'endless|{"do": "endless"}|the answer is longer than any should be'
    'close|{"do": "close"}|the connection broke'
    'status401|{"status": 401}|refuses the key: check llm.api_key_file \(status 401'
    'status404|{"status": 404}|not found: check llm.url and llm.model \(status 404'
    'status302|{"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}}|points elsewhere'
    'status400|{"status": 400}|the server refused the request \(status 400'
    'status500|{"status": 500}|the server is in trouble \(status 500'
    'retry|{"status": 429, "headers": {"Retry-After": "3600"}}|too many requests.*asked again in 3600 s'
    'retrysoon|{"status": 429, "headers": {"Retry-After": "1"}}|too many requests'
    'garbage|{"body": "<html>garbage</html>"}|the answer is not JSON'
    'nochoice|{"body": "{\"choices\": []}"}|no chat completion'
    'useless|{"content": "I cannot do that."}|'
    'refusal|{"content": "{\"summary\": \"I am sorry, but no.\"}"}|'
    "link|{\"content\": \"{$BAD}\"}|"
    'spent|{}|tokens \(llm.per_day_tokens\) are used up'
    'down||cannot connect'
)

# start_case NAME SCRIPT: in the background; RUNS has its pid.
declare -A RUNS
start_case() {
    local name=$1 more=''
    mkdir -m 750 "$T/$name.state"
    own "$T/$name.state"
    PORT=9
    if [ "$name" != down ]; then
        printf '%s\n' "$2" >"$T/$name.json"
        start_server "$name" llm_server.py "$T/$name.json" "$T/$name.jsonl"
    fi
    [ "$name" != spent ] || more='per_day_tokens = 2500; concurrency = 1;'
    cat >"$T/$name.conf" <<END
state_dir = "$T/$name.state";
sender: { from = "digest@example.org"; };
smtp: { url = "smtp://127.0.0.1:$RELAY_PORT"; tls = "none"; };
feeds: { contact = "admin@example.org"; url = "$FEED_URL"; };
llm: { url = "http://127.0.0.1:$PORT/v1"; model = "m"; timeout_s = 2; $more
       max_wait_min = 3; };
subscribers = ( { email = "$name@example.org"; categories = ["cs.CL"];
  keywords = ["large language model", "retrieval-augmented", "quantiz*"];
  authors = ["Hajdušek"]; exclude = ["survey"]; } );
END
    "${AS_USER[@]}" "${WRAPPER[@]}" timeout -k 5 "$TIMEOUT_SEC" "$T/arxmail" \
        -c "$T/$name.conf" send-now >"$T/$name.out" 2>&1 </dev/null &
    RUNS[$name]=$!
    PIDS+=("$!")
}

for case in "${CASES[@]}"; do
    IFS='|' read -r name script _ <<<"$case"
    start_case "$name" "$script"
done
for case in "${CASES[@]}"; do
    IFS='|' read -r name _ words <<<"$case"
    wait "${RUNS[$name]}"
    is "$name: the run ends well" "$?" 0
    check "$name: the digest has all its papers" <<END
mail = only("$name@example.org")
equal(ids(mail), DEMO["ada@example.org"])
n = mail.text.count("There is no summary by the model")
equal(n, 3 if "$name" == "spent" else 6)
assert "evil.example" not in mail.text
assert "sorry" not in mail.text
END
    if [ -n "$words" ]; then
        like "$name: the log says what happened" "$T/$name.out" \
            "^model: .*$words"
        is "$name: and says it once" "$(grep -c '^model: ' "$T/$name.out")" 1
    fi
done
check 'an endpoint in trouble is not hammered' <<'END'
for name, most in (("status401", 4), ("retry", 4), ("status500", 6),
                   ("stall", 6), ("useless", 12), ("spent", 3)):
    with open(name + ".jsonl") as file:
        n = len(file.readlines())
    assert 0 < n <= most, f"{name}: {n}"
END

done_testing
