#!/usr/bin/env bash
# check says what is wrong with a config, all of it, and where.
. "$(dirname "$0")/lib.sh"

use_demo
run 0 check

config <<'END'
{ email = "ada@example.org"; categories = ["cs.CL"]; keyword = ["x"]; },
{ email = "no address"; categories = ["cs.XY"]; send_at = "25:00"; }
END
run 1 check
for word in 'keyword.*did you mean.*keywords' 'no address' 'cs\.XY' '25:00'; do
    said "one run says what is wrong with $word" \
        "arxmail\.conf:[0-9]+: .*$word"
done
is 'a bad config prints nothing on stdout' "$(cat "$T/out")" ''
run 1 send-now
said 'no other command works with it' 'keywords'

printf 'subscribers = (\n  { email = ;\n' >"$CONF"
run 1 check
said 'a syntax error has its line' 'arxmail\.conf:2: '

rm "$CONF"
run 1 check
said 'a missing config is named' 'arxmail\.conf'

use_demo
own "$CONF"
run 0 check

MORE='keep_days = 400; keep_days = 300;'
use_demo
run 1 check
said 'a setting that is there twice is an error' 'arxmail\.conf:[0-9]+: .*keep_days'
MORE=

printf 'secret\n' >"$T/password"
chmod 644 "$T/password"
SMTP="url = \"smtps://127.0.0.1:9\"; username = \"digest\";
      password_file = \"$T/password\";"
use_demo
run 1 check
said 'a password that others can read is an error' 'password.*'
unlike 'and is not shown' "$T/err" 'secret$'

done_testing
