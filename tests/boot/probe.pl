# Runs in the unit's sandbox in the daemon's place, and prints a line for each
# thing that it can or cannot do.
use strict;
use warnings;
use Socket;

die "not as root: it tries to reboot\n" if $> == 0 || $< == 0;

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

# ---- what a process that somebody has taken over would try next ----

# Numbers of x86-64; elsewhere these calls are another's, or none.
sub try_call {
    my ($what, @call) = @_;
    $! = 0;
    my $got = syscall($call[0], @call[1 .. $#call]);
    try($what, $got != -1);
}

try("read $_", open(my $file, '<', $_))
    for qw(/etc/shadow /etc/ssh/ssh_host_rsa_key /proc/1/environ);
try("list $_", opendir(my $dir, $_)) for qw(/home/ada /root /var/log);
my $port;
try('listen on a port', socket($port, PF_INET, SOCK_STREAM, 0)
        && bind($port, sockaddr_in(2525, INADDR_ANY)) && listen($port, 1));
try('raw socket', socket(my $raw, PF_INET, SOCK_RAW, 1));
try('packet socket', socket(my $packet, 17, SOCK_RAW, 0));
try('signal process 1', kill(0, 1));
{
    local $> = 0;
    try('become root', $> == 0);
}
my $own = "/var/lib/arxmail/probe-suid";
open(my $suid, '>', $own);
try('make a setuid file', chmod(04755, $own));
unlink $own;
{
    my $name = "probe\0";
    try_call('ptrace process 1',         101, 16, 1, 0, 0);
    try_call('mount',                    165, $name, "/tmp\0", "tmpfs\0", 0, 0);
    try_call('new namespace',            272, 0x10000000);
    try_call('write and execute memory', 9, 0, 4096, 7, 0x22, -1, 0);
    try_call('set the host name',        170, $name, 5);
    try_call('set the clock',            227, 0, pack('qq', 0, 0));
    try_call('another personality',      135, 0x0040000);
    try_call('load a module',            175, $name, 5, $name);
    try_call('reboot',                   169, 0xfee1dead, 672274793, 0, 0);
    try_call('kernel keyring',           250, 0, 0xfffffffd, 0);
    try_call('bpf',                      321, 0, 0, 0);
    try_call('io_uring',                 425, 1, "\0" x 120);
    try_call('kernel log',               103, 3, "\0" x 16, 16);
    try_call('swap',                     168, $name);
    try_call('raise a limit',            160, 7, pack('QQ', 1 << 30, 1 << 30));
}
