/** What the program below does once it waits, and once it is done. */
export const identityPaths = {
  /** Exists in a parent whose program waits for an identity. */
  waits: '/run/goldleaf-identity/waits',
  /** Empty until a machine has taken its own identity. */
  taken: '/run/goldleaf-identity/taken',
  interpreter: '/usr/bin/perl',
} as const;

/**
 * Runs in a parent from before it is saved, so that a child's first act costs no new process: it waits on a port for
 * one line with all that is a machine's own, takes it on, and answers `done`. Perl without modules, because
 * `perl-base` is in every Debian and its system calls need no further programs. System calls are those of x86-64.
 *
 * A child of a host without hardware virtualisation translates every piece of code that it comes by for the first
 * time, which costs it processor and memory. So all that can be done before the save is done there: files are opened,
 * and mounted where they are to be read (on a file system in memory, so that none of it reaches the disk). What is left
 * is to write into what is open. And the program stays, since its end would cost more than all of that.
 *
 * The line: `identity <epoch microseconds> <host name> <machine id> <boot id> <mac> <seed>`, the last three in hex.
 */
export const IDENTITY_PROGRAM = String.raw`
use strict;
my ($PAUSE, $SETTIMEOFDAY, $MOUNT, $SETHOSTNAME, $PIDFD_OPEN, $PIDFD_GETFD) = (34, 164, 165, 170, 434, 438);
my ($EPOLL_WAIT, $EPOLL_CTL, $EPOLL_CREATE, $EPOLLIN, $EPOLLET) = (232, 233, 291, 1, 0x80000000);
my ($SIOCSIFHWADDR, $RNDADDENTROPY, $RNDRESEEDCRNG, $MS_BIND) = (0x8924, 0x40085203, 0x5207, 4096);
my $dir = '/run/goldleaf-identity';
my @failed;

# A file of the identity, open, with this in it until there is better, and where else it is to be read.
sub prepare {
  my ($name, $text, @places) = @_;
  open(my $file, '>', "$dir/$name") or die "$name: $!";
  chmod 0444, "$dir/$name";
  syswrite($file, $text);
  sysseek($file, 0, 0);
  for my $place (@places) {
    if (!-e $place) { open(my $made, '>', $place) or die "$place: $!"; }
    my ($from, $to, $none) = ("$dir/$name", $place, '');
    syscall($MOUNT, $from, $to, $none, $MS_BIND, $none) == 0 or die "$place: $!";
  }
  return $file;
}

sub content {
  open(my $file, '<', $_[0]) or return '';
  return readline($file) // '';
}

mkdir $dir;
my ($name) = grep { -e } ('/dev/virtio-ports/org.goldleaf.identity.0', '/dev/vport1p3', '/dev/vport0p3');
open(my $port, '+<', $name) or die "no port: $!";
open(my $random, '+<', '/dev/urandom') or die "random: $!";
my $hostnameFile = prepare('hostname', '', '/etc/hostname');
my $machineFile = prepare('machine-id', content('/etc/machine-id'), '/etc/machine-id', grep { -e $_ && !-l $_ } ('/run/machine-id', '/var/lib/dbus/machine-id'));
# The kernel made its boot id once, before the save, and keeps it; what programs read is the file.
my $bootFile = prepare('boot-id', content('/proc/sys/kernel/random/boot_id'), '/proc/sys/kernel/random/boot_id');
my $takenFile = prepare('taken', '');
opendir(my $nics, '/sys/class/net') or die "nics: $!";
my ($nic) = sort grep { /^e/ } readdir($nics);
socket(my $socket, 2, 2, 0) or die "socket: $!";

# The clipboard's daemon comes up after the desktop. Its port cannot be opened twice, so this borrows its descriptor.
my $clipboard;
for (1 .. 60) {
  last if $clipboard or !-e '/usr/sbin/spice-vdagentd';
  select(undef, undef, undef, 0.5);
  for my $process (grep { content("$_/comm") eq "spice-vdagentd\n" } glob('/proc/[0-9]*')) {
    for my $link (grep { (readlink($_) // '') =~ m{^/dev/vport} } glob("$process/fd/*")) {
      my $handle = syscall($PIDFD_OPEN, substr($process, 6) + 0, 0);
      my $fd = syscall($PIDFD_GETFD, $handle, substr($link, rindex($link, '/') + 1) + 0, 0);
      open($clipboard, '>&=', $fd) if $fd >= 0;
    }
  }
}

# Told of changes only: while nobody is connected the port always has something to say, which is end of file.
my $changes = syscall($EPOLL_CREATE, 0);
my $wanted = pack('VQ', $EPOLLIN | $EPOLLET, 0);
syscall($EPOLL_CTL, $changes, 1, fileno($port), $wanted) == 0 or die "epoll: $!";
my $found = $wanted;

close(prepare('waits', ''));
my ($said, @identity) = ('');
until (@identity) {
  my $got = sysread($port, my $chunk, 4096);
  if (!$got) { syscall($EPOLL_WAIT, $changes, $found, 1, 1000); next; }
  $said .= $chunk;
  while ($said =~ s/^([^\n]*)\n//) {
    @identity = ($1, $2, $3, $4, $5, $6)
      if $1 =~ /^identity ([0-9]+) ([a-z0-9-]+) ([0-9a-f]{32}) ([0-9a-f-]{36}) ([0-9a-f:]{17}) ([0-9a-f]{64})$/;
  }
}
my ($time, $host, $machine, $boot, $mac, $seed) = @identity;

# Random numbers first: nothing after this draws what a sibling draws.
my $bytes = pack('H*', $seed);
ioctl($random, $RNDADDENTROPY, my $entropy = pack('ii', 8 * length $bytes, length $bytes) . $bytes) or push @failed, 'seed';
ioctl($random, $RNDRESEEDCRNG, 0) or push @failed, 'reseed';

my $now = pack('qq', int($time / 1e6), $time % 1e6);
syscall($SETTIMEOFDAY, $now, 0) == 0 or push @failed, 'time';
my $hostname = $host;
syscall($SETHOSTNAME, $hostname, length $hostname) == 0 or push @failed, 'host name';
syswrite($hostnameFile, "$host\n") or push @failed, 'host name file';
syswrite($machineFile, "$machine\n") or push @failed, 'machine id';
syswrite($bootFile, "$boot\n") or push @failed, 'boot id';
my $request = pack('a16Sa6x16', $nic // '', 1, pack('H*', $mac =~ s/://gr));
ioctl($socket, $SIOCSIFHWADDR, $request) or push @failed, 'mac' if defined $nic;

syswrite($takenFile, "taken\n") or push @failed, 'taken' unless @failed;
syswrite($port, @failed ? 'failed ' . join(', ', @failed) . "\n" : "done\n");

# What the clipboard's daemon said of itself at its start (VD_AGENT_ANNOUNCE_CAPABILITIES, with a wish for an answer)
# went to the null device that parents have in the place of the real one.
syswrite($clipboard, pack('VV VVQV VV', 1, 28, 1, 6, 0, 8, 1, 0x38de7)) if $clipboard;
syscall($PAUSE) while 1;
`;
