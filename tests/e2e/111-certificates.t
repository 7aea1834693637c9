#!/usr/bin/env bash
# A relay whose certificate is another's, out of date or its own gets nothing,
# not even the password; from such a feed nothing is taken.
. "$(dirname "$0")/lib.sh"

for FAKETIME_LIB in /usr/lib/*/faketime/libfaketime.so.1; do :; done
[ -e "$FAKETIME_LIB" ] || skip_all 'no libfaketime'

# certificate NAME HOST [ENV...]: $T/NAME.crt, which vouches for itself.
certificate() {
    local name=$1 host=$2
    shift 2
    env "$@" openssl req -x509 -newkey rsa:2048 -nodes -days 2 \
        -subj "/CN=$host" -addext "subjectAltName=DNS:$host" \
        -keyout "$T/$name.key" -out "$T/$name.crt" 2>/dev/null || bail openssl
}

certificate right localhost
certificate other other.example
certificate old localhost "LD_PRELOAD=$FAKETIME_LIB" FAKETIME=-10d
certificate early localhost "LD_PRELOAD=$FAKETIME_LIB" FAKETIME=+10d
printf 'correct horse\n' >"$T/password"
chmod 600 "$T/password"
own "$T/password"

# refuses WHAT CERTIFICATE CA PATTERN
refuses() {
    start_smtp --cert "$T/$2.crt" --key "$T/$2.key" \
        --user digest --password 'correct horse'
    SMTP="url = \"smtp://localhost:$PORT\"; ca_file = \"$T/$3.crt\";
          username = \"digest\"; password_file = \"$T/password\";"
    use_demo
    WHAT="check smtp: $1" run 1 check smtp
    said "the sentence says so: $1" "$4"
    check "nothing arrived: $1" <<<'equal(inbox(), [])'
}

refuses 'for another host' other other 'certificate.*(name|other)'
refuses 'out of date' old old 'certificate.*expired'
refuses 'not yet valid' early early 'certificate.*not yet valid'
refuses 'of an unknown authority' other right 'certificate'

start_smtp --cert "$T/right.crt" --key "$T/right.key" \
    --user digest --password 'correct horse'
SMTP="url = \"smtp://localhost:$PORT\"; ca_file = \"$T/right.crt\";
      username = \"digest\"; password_file = \"$T/password\";"
use_demo
WHAT='check smtp: the right one' run 0 check smtp

# ---- feeds: only the system's authorities count ----

# trust NAME: they are that certificate alone, for the program.
PLAIN=("${PROGRAM[@]}")
BUNDLE=$(curl-config --ca)
# shellcheck disable=SC2016
trust() {
    PROGRAM=(unshare -m sh -c 'mount --bind "$0" "$1" && shift && exec "$@"'
        "$T/$1.crt" "$BUNDLE" "${PLAIN[@]}")
}

# fetches STATUS WHAT CERTIFICATE PATTERN
fetches() {
    FEED_TLS=("$T/$3.crt" "$T/$3.key")
    start_feeds
    FEED_URL="https://localhost:$PORT/{category}"
    config <<'END'
{ email = "ada@example.org"; categories = ["cs.CL"]; }
END
    new_state
    : >"$T/requests.jsonl"
    WHAT=$2 run "$1" fetch
    cat "$T/out" "$T/err" >"$T/told"
    like "the sentence says so: $2" "$T/told" "$4"
    check "as many requests as are due: $2" \
        <<<"equal(len(requests()), $((1 - $1)))"
}

feed_script <<<'{"/cs.CL": [{"file": "feeds/cs.CL.xml"}]}'
fetches 1 'a feed of an unknown authority' right 'certificate'
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
    trust other
    fetches 1 'a feed for another host' other 'certificate.*localhost'
    trust old
    fetches 1 'a feed out of date' old 'certificate.*expired'
    trust early
    fetches 1 'a feed not yet valid' early 'certificate.*not yet valid'
    trust right
    fetches 0 'a feed that is right' right '16 new .* from 1 feed'
fi

done_testing
