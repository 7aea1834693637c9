#!/usr/bin/env bash
# Pictures of the demo's digests into the folder that is named: light, dark,
# on a phone, with topics, and in Chinese. The README shows two of them.
set -euo pipefail

out=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
: "${ARXMAIL:=$root/build/release/arxmail}"
export ARXMAIL

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
chmod 755 "$work"
demo=
trap 'rm -rf "$work" ${demo:+"$demo"}' EXIT

TMPDIR=$work "$here/run.sh" >"$work/said"
demo=$(sed -n 's/^The config: *\(.*\)\/arxmail.conf$/\1/p' "$work/said")

for name in ada emmy wei; do
    "$ARXMAIL" -c "$demo/arxmail.conf" preview "$name@example.org" --last \
        --format html >"$work/$name.html"
done
# Chromium has no option for the scheme, and no window as narrow as a phone.
sed 's/prefers-color-scheme: dark/min-width: 0/' "$work/emmy.html" \
    >"$work/emmy-dark.html"
cat >"$work/phone.html" <<'END'
<!DOCTYPE html>
<body style="margin:0;background:#c8cdd3;text-align:center">
<iframe src="emmy.html" width="360" height="1200" style="border:0"></iframe>
END

# shoot PAGE WIDTH HEIGHT NAME
shoot() {
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$work/profile" --window-size="$2,$3" \
        --screenshot="$work/$4.png" "file://$work/$1.html" \
        >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
    pngquant --speed 1 --output "$out/$4.png" --force 64 "$work/$4.png"
    echo "$out/$4.png"
}

shoot emmy 700 900 light
shoot emmy-dark 700 900 dark
shoot phone 500 1200 phone
shoot ada 700 1500 keywords
shoot wei 700 1500 chinese
