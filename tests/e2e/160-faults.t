#!/usr/bin/env bash
# Every fault of a relay: what becomes of the mail that it strikes, and that no
# other one is harmed. The cases and the relay are in faults.py.
. "$(dirname "$0")/lib.sh"

# Nobody listens there: the mails are queued.
SMTP='url = "smtp://127.0.0.1:9"; tls = "none"; connections = 1;'
feed cs.CL "$DEMO/cs.CL.xml"
for i in 1 2 3 4 5; do
    printf '%s{ email = "r%d@example.org"; categories = ["cs.CL"]; max_papers = 5; }\n' \
        "$([ "$i" -eq 1 ] || echo ,)" "$i"
done | config
"${PROGRAM[@]}" send-now >"$T/out" 2>"$T/err" </dev/null
[ $? -eq 1 ] || bail "queueing: $(cat "$T/err")"
mv "$T/state" "$T/queued"
printf 'secret\n' >"$T/password"
chmod 600 "$T/password"
own "$T/password"
cd "$T" || exit 1
"$PYTHON" "$HERE/faults.py" "${AS_USER[@]}" "${WRAPPER[@]}" "$T/arxmail"
