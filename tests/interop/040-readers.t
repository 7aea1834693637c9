#!/usr/bin/env bash
# Other programs that read mail see in the demo's mails what we put there: mutt,
# Perl's MIME-tools, and Python's email at its strictest.
. "$(dirname "$0")/../e2e/lib.sh"

command -v mutt >/dev/null ||
    skip_all 'there is no mutt: tests/setup.sh interop installs it'
perl -MMIME::Parser -e 1 2>/dev/null ||
    skip_all 'there are no MIME-tools: tests/setup.sh interop installs them'

cat >"$T/muttrc" <<'END'
set wait_key=no pipe_decode=yes charset=utf-8 sleep_time=0 confirmappend=no
set sort=mailbox-order quit=yes timeout=1
alternative_order text/plain
END

# Keys that nobody presses: at the end of its input mutt would leave at once.
mkdir "$T/Mail"
mkfifo "$T/keys"
exec {KEYS}<>"$T/keys"

# What mutt shows of the text part, through a terminal of its own.
read_in_mutt() {
    { printf 'From digest@example.org Thu Jan  1 00:00:00 1970\n'
      tr -d '\r' <"$T/$1.eml"; printf '\n'; } >"$T/$1.mbox"
    printf 'push "<pipe-message>cat >%s<enter><exit>"\n' "$T/$1.mutt" >"$T/push"
    TERM=xterm LC_ALL=C.UTF-8 HOME=$T timeout 60 script -qec \
        "mutt -n -R -F $T/muttrc -e 'source $T/push' -f $T/$1.mbox" /dev/null \
        >"$T/screen" 2>&1 <&"$KEYS" || bail "mutt: $(cat "$T/screen")"
}

cat >"$T/parse.pl" <<'END'
use MIME::Parser;
my $parser = MIME::Parser->new;
$parser->output_to_core(1);
my $entity = $parser->parse_open($ARGV[0]);
print STDERR $_, "\n" for $parser->results->msgs;
my @parts = $entity->parts;
binmode STDOUT;
print join(' ', $entity->mime_type, map { $_->mime_type } @parts), "\n";
print $_->bodyhandle->as_string, "\f\n" for @parts;
END

start_smtp
use_demo
run 0 send-now
for id in ada emmy wei; do
    run 0 preview "$id@example.org" --last --format text
    cp "$T/out" "$T/$id.txt"
    run 0 preview "$id@example.org" --last --format html
    cp "$T/out" "$T/$id.html"
    run 0 preview "$id@example.org" --last --format eml
    cp "$T/out" "$T/$id.eml"
    read_in_mutt "$id"
    perl "$T/parse.pl" "$T/$id.eml" >"$T/$id.parts" 2>"$T/err"
    is "$id: MIME-tools has nothing to say" "$?$(cat "$T/err")" 0
    NAME=$id check "$id: all three read the same" <<'END'
import email.policy
name = os.environ["NAME"]
lines = lambda text: [line.rstrip() for line in text.strip().splitlines()]
with open(f"{name}.eml", "rb") as file:
    mail = email.message_from_binary_file(file, policy=email.policy.strict)
text = mail.get_body(("plain",)).get_content()
html = mail.get_body(("html",)).get_content()
equal(lines(text), lines(read(f"{name}.txt")))
equal(lines(html), lines(read(f"{name}.html")))
head, plain, rich, _ = re.split("\f\n|(?<=alternative text/plain text/html)\n",
                                read(f"{name}.parts"))
equal(head, "multipart/alternative text/plain text/html")
equal(lines(plain), lines(text))
equal(lines(rich), lines(html))
shown = read(f"{name}.mutt")
assert "Subject: " + mail["subject"] in shown, shown[:400]
for line in lines(text):
    assert line in shown, (line, shown)
assert "[--" not in shown
END
done

done_testing
