#!/usr/bin/env bash
# What a subscriber has been considered for is behind the mark: newcomers get the
# newest batch only, a changed keyword sends nothing old, a changed address
# nothing twice.
. "$(dirname "$0")/lib.sh"

# Two days of one category: the demo's papers, in two halves. The second day's
# feed repeats one paper of the first.
cat >"$T/split.py" <<'END'
import re, sys
feed = open(sys.argv[1]).read()
items = re.findall(r"    <item>.*?</item>\n", feed, re.S)
head, tail = feed[:feed.index("    <item>")], "  </channel>\n</rss>\n"
open("day1.xml", "w").write(head + "".join(items[:5]) + tail)
open("day2.xml", "w").write(head + "".join(items[4:9]) + tail)
END
(cd "$T" && "$PYTHON" split.py "$DEMO/cs.CL.xml")
FIRST='{"2611.90001", "2611.90002", "2611.90003", "2611.90004", "2611.90005"}'
SECOND='{"2611.90006", "2611.90007", "2611.90008", "2611.90009"}'

start_smtp
ADA='{ email = "ada@example.org"; id = "ada"; categories = ["cs.CL"];'
feed cs.CL "$T/day1.xml"
config <<<"$ADA }"
run 0 send-now
check 'the first day' <<<"equal(ids(only('ada@example.org')), $FIRST)"
pass_days 1

feed cs.CL "$T/day2.xml"
config <<END
$ADA },
{ email = "new@example.org"; categories = ["cs.CL"]; }
END
run 0 send-now
check 'the second day: what is new for her' <<END
equal([ids(mail) for mail in inbox("ada@example.org")], [$FIRST, $SECOND])
END
check 'a newcomer gets the newest batch, all of it, and nothing older' <<END
got = ids(only("new@example.org"))
assert $SECOND <= got <= $SECOND | {"2611.90005"}, got
END

config <<END
$ADA keywords = ["large language model", "dialect*"]; }
END
run 0 send-now
check 'a changed keyword sends nothing old' <<<'equal(len(inbox()), 3)'

config <<<'{ email = "ada@elsewhere.example"; id = "ada"; categories = ["cs.CL"]; }'
run 0 send-now
check 'a changed address gets nothing twice' <<<'equal(len(inbox()), 3)'

config <<<"$ADA paused = true; }"
run 0 send-now
check 'one who pauses gets nothing' <<<'equal(len(inbox()), 3)'

done_testing
