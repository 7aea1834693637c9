#!/usr/bin/env bash
# Shows the main job: invented feeds, three subscribers, a real SMTP dialogue
# with a catcher on loopback, and the digests that came of it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
: "${ARXMAIL:=$root/build/release/arxmail}"
python=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tests/e2e

folder=$(mktemp -d "${TMPDIR:-/tmp}/arxmail-demo.XXXXXX")
chmod 755 "$folder"
mkdir -m 750 "$folder/state"
mkdir "$folder/previews"
cp -r "$here/feeds" "$folder/feeds"
# As root, arxmail becomes the owner of its state: nobody of importance.
[ "$(id -u)" -ne 0 ] || chown nobody: "$folder/state"

exec {catcher}< <(exec "$python" "$root/tests/e2e/servers/smtp_server.py" \
    "$folder/inbox")
catcher_pid=$!
trap 'kill "$catcher_pid" 2>/dev/null || true' EXIT
read -r -u "$catcher" _ port

conf=$folder/arxmail.conf
sed -e "s|@FOLDER@|$folder|" -e "s|@PORT@|$port|" "$here/arxmail.conf" >"$conf"

show() {
    printf '\n$ arxmail -c %s %s\n' "$conf" "$*"
    "$ARXMAIL" -c "$conf" "$@"
}

show check
show send-now
for mailbox in ada emmy wei; do
    "$ARXMAIL" -c "$conf" preview "$mailbox@example.org" --last \
        --format html --output "$folder/previews/$mailbox.html"
done

cd "$folder"
printf '\nWhat the catcher got:\n'
"$python" "$here/show.py"
cat <<END

The mails:     $folder/inbox/*.eml
In a browser:  $folder/previews/*.html
The config:    $conf
END
