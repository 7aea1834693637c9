# Runs in the unit's sandbox in the daemon's place, and prints a line for each
# thing that it can or cannot do.
use strict;
use warnings;
use Socket;

sub try {
    my ($what, $done) = @_;
    print "$what: ", ($done ? 'done' : "refused: $!"), "\n";
}

sub try_write {
    my ($path) = @_;
    try("write $path", open(my $file, '>', $path));
}

try_write("/var/lib/arxmail/probe");
unlink "/var/lib/arxmail/probe";
try_write($_)
    for qw(/srv/open/probe /etc/arxmail/probe /var/lib/probe /root/probe);
try('read /etc/arxmail/arxmail.conf',
    open(my $conf, '<', '/etc/arxmail/arxmail.conf'));
{
    no warnings 'exec';
    for my $program ('/bin/sh', '/usr/bin/id') {
        my $pid = fork();
        if (!$pid) {
            exec {$program} $program, '-c', 'true';
            exit($!{EACCES} || $!{EPERM} ? 77 : 78);
        }
        waitpid($pid, 0);
        print "exec $program: ", $? >> 8 == 77 ? 'refused' : 'done', "\n";
    }
}
try('netlink', socket(my $netlink, 16, SOCK_RAW, 0));
try('inet', socket(my $inet, PF_INET, SOCK_STREAM, 0));
