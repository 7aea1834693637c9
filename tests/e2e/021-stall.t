#!/usr/bin/env bash
# A feed server that falls silent in mid-answer does not hold fetch for ever.
. "$(dirname "$0")/lib.sh"

cp "$DEMO/cs.CL.xml" "$T/good.xml"
start_feeds
feed_script <<<'{"/cs.CL": [{"file": "good.xml", "fault": "stall"}]}'
config <<<'{ email = "ada@example.org"; categories = ["cs.CL"]; }'
BEGIN=$SECONDS
run 1 fetch
TOOK=$((SECONDS - BEGIN))
wait_event "$FEED_EVENTS" STALLED
said 'the sentence says so' 'cs\.CL.*(slow|stall|time|seconds)'
is 'it took less than a minute and a half' $((TOOK < 90)) 1

done_testing
