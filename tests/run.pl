#!/usr/bin/perl
# Runs test programs and ends with one line, "N passed, N failed":
#
#     run.pl [-j JOBS] PROGRAM...
#
# *.t speak TAP themselves, as for prove; any other is a cmocka program and
# runs under TEST_WRAPPER ("valgrind ...") where that is set, for half an hour.
use strict;
use warnings;
use TAP::Harness;

# cmocka 1.1 calls a skipped test "not ok".
my $unit = <<'SH';
set -o pipefail
CMOCKA_MESSAGE_OUTPUT=TAP timeout --foreground 1800 $TEST_WRAPPER "$0" |
    sed -u -e 's/^not ok \([0-9]* # SKIP\)/ok \1/' -e '/^# ok - /d'
SH

my $jobs = 1;
if (@ARGV && $ARGV[0] eq '-j') {
    shift;
    $jobs = shift;
}
my $harness = TAP::Harness->new({
    jobs     => $jobs,
    color    => -t STDOUT,
    failures => 1,
    comments => 1,
    exec     => sub {
        my ($self, $program) = @_;
        return if $program =~ /\.t$/;
        return ['bash', '-c', $unit, $program];
    },
});
$ENV{TEST_WRAPPER} //= '';

my $total = $harness->runtests(@ARGV);

# A program that died may have no failed test to show for it.
my $failed = 0;
$failed += $_->failed || ($_->has_problems ? 1 : 0) for $total->parsers;
my $skipped = $total->skipped;
printf "%d passed, %d failed%s\n", $total->passed - $skipped, $failed,
    $skipped ? ", $skipped skipped" : '';
# Not all_passed(): where all is skipped, nothing has passed.
exit($failed || !@ARGV ? 1 : 0);
