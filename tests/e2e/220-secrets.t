#!/usr/bin/env bash
# A planted password and key stand in nothing that the program writes or shows:
# no output, log, status, mail, database, backup, command line or core.
. "$(dirname "$0")/lib.sh"

PASSWORD='plant-Pa55-of-the-relay'
KEY='sk-plant-of-the-model'
for pair in "password $PASSWORD" "key $KEY"; do
    printf '%s\n' "${pair#* }" >"$T/${pair% *}"
    chmod 600 "$T/${pair% *}"
    own "$T/${pair% *}"
done
mkdir "$T/shown"

# show ARGS: a command, whatever it exits with; what it wrote is kept.
N=0
show() {
    N=$((N + 1))
    "${PROGRAM[@]}" "$@" >"$T/shown/$N.out" 2>"$T/shown/$N.err" </dev/null
    printf '%s\n' "$*" >"$T/shown/$N.command"
}

make_certificate relay
start_smtp --cert "$T/relay.crt" --key "$T/relay.key" \
    --user digest --password "$PASSWORD"
start_llm
SMTP="url = \"smtp://localhost:$SMTP_PORT\"; ca_file = \"$T/relay.crt\";
      username = \"digest\"; password_file = \"$T/password\";"
MORE="llm: { $LLM api_key_file = \"$T/key\"; };"
use_demo

show check
show check smtp
show check llm
show check feeds
show fetch
show preview ada@example.org --format html
show preview ada@example.org --format eml
show send-now
check 'the mails went out with the password, and the model was asked' <<'END'
equal(received(), DEMO)
assert all(mail.envelope["user"] == "digest" for mail in inbox())
assert asked()[0]["headers"]["Authorization"].endswith("sk-plant-of-the-model")
END
show test-mail eve@example.org --as ada@example.org
show status
show status --json
show status --prometheus
show explain ada@example.org 2611.90002
show try retrieval
show summarize 2611.90002
show backup "$T/state/copy"
show version

# A relay and a model that say back what they were told.
PLAIN=$(printf '\0digest\0%s' "$PASSWORD" | base64 -w0)
smtp_rules <<END
[{"stage": "auth", "reply": "535 5.7.8 no $PASSWORD $PLAIN"}]
END
show check smtp
show send-now --again
smtp_rules <<<'[]'
llm_script <<END
{"status": 401, "body": "{\"error\": {\"message\": \"bad key $KEY\"}}"}
END
show check llm
show summarize 2611.90003
llm_script <<<'{}'

# Where no password belongs.
GOOD=$SMTP
for url in "smtp://digest:$PASSWORD@localhost:25" "digest:$PASSWORD@localhost:25" \
    "smtp://localhost/$PASSWORD@x"; do
    SMTP="url = \"$url\";"
    use_demo
    show check
done
SMTP=$GOOD
MORE="llm: { url = \"https://u:$PASSWORD@localhost/v1\"; model = \"m\"; };"
use_demo
show check
MORE=
FEED_URL="https://u:$PASSWORD@localhost/{category}" use_demo
show check
use_demo
cp "$CONF" "$T/good"
sed 's/^feeds: {/feeds: { proxy = "http:\/\/u:'"$PASSWORD"'@127.0.0.1:9";/;
     s/url = "file:[^"]*"/url = "https:\/\/localhost:9\/{category}"/' \
    "$T/good" >"$CONF"
show check
show fetch
cp "$T/good" "$CONF"

# A daemon's log, its command line, and what is left of it when it is killed.
ulimit -c unlimited 2>/dev/null
MORE="llm: { $LLM api_key_file = \"$T/key\"; };"
use_demo
start_daemon
wait_log 'category math.NT: '
cp "/proc/$DAEMON/cmdline" "$T/shown/cmdline"
cat "/proc/$DAEMON/environ" >"$T/shown/environ" 2>/dev/null
kill -ABRT "$DAEMON"
end_daemon 134 none
cp "$T/log" "$T/shown/log"
check 'there is no core' <<'END'
equal([name for name in os.listdir(".") if name.startswith("core")], [])
END

check 'nothing that was shown or kept has them' <<'END'
import base64
secrets = [b"plant-Pa55-of-the-relay", b"sk-plant-of-the-model", b"Pa55"]
wanted = secrets + [base64.b64encode(b"\0digest\0" + secrets[0]),
                    base64.b64encode(secrets[0])]
places = ["shown", "state", "inbox"]
files = [os.path.join(folder, name) for place in places
         for folder, _, names in os.walk(place) for name in names]
assert "state/copy" in files
assert len(files) > 60, len(files)
for path in files:
    with open(path, "rb") as file:
        content = file.read()
    for secret in wanted:
        assert secret not in content, (path, secret, content[-400:])
END

done_testing
