#!/usr/bin/env bash
# A real Postfix that makes it hard: implicit TLS by a CA of one's own, wrong and
# expired certificates, STARTTLS stripped on the way, greylisting, a limit of
# recipients, a limit of size; and how many connections and handshakes it takes.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/postfix.sh"

[ "$(id -u)" -eq 0 ] || skip_all 'only root can start a Postfix'
if ! command -v postfix >/dev/null || ! command -v saslpasswd2 >/dev/null; then
    skip_all 'there is no Postfix: tests/setup.sh interop installs it'
fi

# sign NAME HOST FIRST LAST: $T/NAME.crt and .key, by $T/ca.crt, for these days.
sign() {
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$T/$1.key" \
        -out "$T/$1.csr" 2>/dev/null || bail openssl
    openssl ca -batch -config "$T/ca.cnf" -name ca -in "$T/$1.csr" \
        -out "$T/$1.crt" -startdate "$3" -enddate "$4" -notext \
        -extfile <(echo "subjectAltName=DNS:$2") 2>"$T/ca.err" ||
        bail "openssl: $(cat "$T/ca.err")"
}

make_ca() {
    mkdir "$T/ca"
    : >"$T/ca/index"
    echo 01 >"$T/ca/serial"
    cat >"$T/ca.cnf" <<END
[ca]
database = $T/ca/index
new_certs_dir = $T/ca
serial = $T/ca/serial
certificate = $T/ca.crt
private_key = $T/ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
END
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=A CA' \
        -keyout "$T/ca.key" -out "$T/ca.crt" 2>/dev/null || bail openssl
}

day() {
    date -u -d "$1" +%Y%m%d%H%M%SZ
}

# port NAME OPTION...: one more smtpd; its port is in $NAME.
port() {
    local -n number=$1
    local option
    shift
    number=$(free_port)
    printf '127.0.0.1:%s inet n - n - - smtpd\n' "$number"
    for option; do
        printf '  -o { %s }\n' "$option"
    done
} >>"$T/postfix/etc/master.cf"

certificate() {
    echo "smtpd_tls_cert_file=$T/$1.crt" "smtpd_tls_key_file=$T/$1.key"
}

# use PORT SCHEME MORE: that is the relay, and nothing was sent yet.
use() {
    # shellcheck disable=SC2034
    SMTP="url = \"$2://localhost:$1\"; ca_file = \"$T/ca.crt\";
          username = \"digest@localhost\"; password_file = \"$T/password\";
          timeout_s = 5; ${3-}"
    new_state
    config <<<"$READERS"
    SEEN=$(wc -l <"$T/postfix/log")
}

# log_since: what Postfix has logged since.
log_since() {
    tail -n +$((SEEN + 1)) "$T/postfix/log"
}

count() {
    log_since | grep -c -- "$1"
}

READERS='{ email = "ada@example.org"; categories = ["cs.CL"]; }'
cp "$DEMO"/*.xml "$T/feeds/"
start_postfix
make_ca
sign good localhost "$(day '-1 day')" "$(day '+1 day')"
sign other relay.example.net "$(day '-1 day')" "$(day '+1 day')"
sign old localhost "$(day '-9 days')" "$(day '-1 day')"
start_server greylist greylist_server.py
GREYLIST=$PORT
TLS=(smtpd_tls_wrappermode=yes)
# shellcheck disable=SC2046
{
    port GOOD $(certificate good)
    port GOOD_TLS "${TLS[@]}" $(certificate good)
    port OTHER $(certificate other)
    port OLD "${TLS[@]}" $(certificate old)
    port GREY $(certificate good) "smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:$GREYLIST, permit_sasl_authenticated, reject"
    port RATE $(certificate good) smtpd_client_recipient_rate_limit=3
    port SMALL $(certificate good) message_size_limit=20000
    port UTF8 $(certificate good) cleanup_service_name=cleanup8
    # UTF-8 in the header is what SMTPUTF8 is for.
    printf 'cleanup8 unix n - n - 0 cleanup\n  -o strict_8bitmime=no\n  -o strict_7bit_headers=no\n' \
        >>"$T/postfix/etc/master.cf"
}
postfix -c "$T/postfix/etc" reload >"$T/postfix/out" 2>&1 || bail "reload"
# They listen when the master has read its file.
for number in "$GOOD" "$GOOD_TLS" "$OTHER" "$OLD" "$GREY" "$RATE" "$SMALL" "$UTF8"; do
    timeout 60 "$PYTHON" -c 'import socket, sys
while True:
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
        break
    except OSError:
        pass' "$number" || bail "no smtpd at $number"
done

use "$GOOD" smtp
WHAT='STARTTLS, private CA' run 0 send-now
use "$GOOD_TLS" smtps
WHAT='implicit TLS, private CA' run 0 send-now
is 'both logged in' "$(count sasl_method=)" 1

# ---- refused, and nothing is lost ----

# refused SENTENCE: nothing was sent, and why.
refused() {
    said "it says why: $1" "$1"
    is 'nothing was sent' "$(count 'client=.*sasl_method=')" 0
    run 0 status
    printed 'the mail waits' 'queued +1'
}

use "$OTHER" smtp
WHAT='a certificate for another name' run 1 send-now
refused 'certificate that does not fit'
use "$OLD" smtps
WHAT='an expired certificate' run 1 send-now
refused 'certificate that has expired'
use "$GOOD_TLS" smtps
sed -i "s,ca_file = \"$T/ca.crt\";,," "$CONF"
WHAT='a CA that is not known' run 1 send-now
refused 'CA that is not trusted here|self-signed certificate'
use "$GOOD_TLS" smtp
WHAT='smtp:// to a port that begins with TLS' run 1 check smtp
said 'it says so' 'smtps://'
use "$GOOD" smtps
WHAT='smtps:// to a port that does not' run 1 check smtp
said 'it says so' 'smtp://'

start_server proxy strip_proxy.py "$GOOD" "$T/overheard"
use "$PORT" smtp
WHAT='STARTTLS stripped' run 1 send-now
refused 'offers no STARTTLS'
unlike 'no login was overheard' "$T/overheard" 'AUTH|correct|Y29ycmVjdA|DATA|MAIL'

# ---- a relay that is slow to trust ----

READERS='{ email = "ada@example.org"; categories = ["cs.CL"]; },
{ email = "bob@example.org"; categories = ["cs.CL"]; }'
use "$GREY" smtp
WHAT='greylisting' run 3 send-now
said 'both are told' 'ada@example\.org: deferred: .*greylisted'
WHAT='the second time' run 0 send-now
is 'both are there' "$(count 'client=.*sasl_method=')" 2

READERS=$(for i in 1 2 3 4 5 6; do
    printf '%s{ email = "reader%d@example.org"; categories = ["cs.CL"]; max_papers = 2; }\n' \
        "$([ "$i" -eq 1 ] || echo ,)" "$i"
done)
use "$RATE" smtp 'connections = 1;'
WHAT='a limit of recipients' run 3 send-now
printed 'three are sent, three wait' 'sent 3, deferred 3'
said 'it says which limit' 'too many recipients|4\.7\.1'

# ---- sizes ----

READERS='{ email = "small@example.org"; categories = ["cs.CL"]; max_papers = 1; },
{ email = "large@example.org"; categories = ["cs.CL"]; },
{ email = "tiny@example.org"; categories = ["cs.CL"]; max_papers = 1; }'
use "$SMALL" smtp 'connections = 1;'
WHAT='a limit of size' run 3 send-now
printed 'only the large one fails' 'sent 2, failed 1'
said 'which says so' 'large@example\.org: failed: .*20000'

READERS='{ email = "grüße@example.org"; categories = ["cs.CL"]; max_papers = 1; }'
use "$UTF8" smtp
WHAT='an address beyond ASCII' run 0 send-now
is 'it went by SMTPUTF8' "$(count 'client=.*sasl_method=')" 1

# ---- no connection and no handshake without need ----

READERS=$(for ((i = 1; i <= 30; i++)); do
    printf '%s{ email = "reader%d@example.org"; categories = ["cs.CL"]; max_papers = 2; }\n' \
        "$([ "$i" -eq 1 ] || echo ,)" "$i"
done)
use "$GOOD" smtp 'connections = 2; per_connection = 0;'
run 0 send-now
is 'two connections are two handshakes' \
    "$(count ' connect from') $(count 'TLS connection established')" '2 2'
use "$GOOD" smtp 'connections = 2; per_connection = 5;'
run 0 send-now
# Fifteen a lane are six; sixteen and fourteen are seven.
CONNECTIONS=$(count ' connect from')
is 'thirty mails, five a connection, are six connections, or seven' \
    $((CONNECTIONS == 6 || CONNECTIONS == 7)) 1
is 'and as many handshakes' "$(count 'TLS connection established')" "$CONNECTIONS"

done_testing
