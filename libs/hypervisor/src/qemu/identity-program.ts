/** What the program below does once it waits, and once it is done. */
export const identityPaths = {
  /** Exists in a parent whose program waits for an identity. */
  waits: '/run/goldleaf-identity-waits',
  /** Exists in a machine that has taken its own. */
  taken: '/run/goldleaf-identity-taken',
  interpreter: '/usr/bin/perl',
} as const;

/**
 * Runs in a parent from before it is saved, so that a child's first act costs no new process: it waits on a port for
 * one line with all that is a machine's own, takes it on, and answers `done`. Perl without modules, because
 * `perl-base` is in every Debian and its system calls need no further programs. System calls are those of x86-64.
 *
 * The line: `identity <epoch microseconds> <host name> <machine id> <boot id> <mac> <seed>`, the last three in hex.
 */
export const IDENTITY_PROGRAM = String.raw`
use strict;
my ($SETTIMEOFDAY, $MOUNT, $SETHOSTNAME) = (164, 165, 170);
my ($SIOCSIFHWADDR, $RNDADDENTROPY, $RNDRESEEDCRNG, $MS_BIND) = (0x8924, 0x40085203, 0x5207, 4096);
my @failed;

sub put {
  my ($path, $text) = @_;
  if (open(my $file, '>', $path)) { print $file $text; close($file) or push @failed, $path; }
  else { push @failed, $path; }
}

my ($name) = grep { -e } ('/dev/virtio-ports/org.goldleaf.identity.0', '/dev/vport1p3', '/dev/vport0p3');
open(my $port, '+<', $name) or die "no port: $!";
put('${identityPaths.waits}', '');

my ($said, @identity) = ('');
until (@identity) {
  my $got = sysread($port, my $chunk, 4096);
  # Nobody is connected yet: the port says end of file, and says it at once.
  if (!$got) { select(undef, undef, undef, 0.005); next; }
  $said .= $chunk;
  while ($said =~ s/^([^\n]*)\n//) {
    @identity = ($1, $2, $3, $4, $5, $6)
      if $1 =~ /^identity ([0-9]+) ([a-z0-9-]+) ([0-9a-f]{32}) ([0-9a-f-]{36}) ([0-9a-f:]{17}) ([0-9a-f]{64})$/;
  }
}
my ($time, $host, $machine, $boot, $mac, $seed) = @identity;

# Random numbers first: nothing after this draws what a sibling draws.
if (open(my $random, '+<', '/dev/urandom')) {
  my $bytes = pack('H*', $seed);
  ioctl($random, $RNDADDENTROPY, my $entropy = pack('ii', 8 * length $bytes, length $bytes) . $bytes) or push @failed, 'seed';
  ioctl($random, $RNDRESEEDCRNG, 0) or push @failed, 'reseed';
} else { push @failed, 'random'; }

my $now = pack('qq', int($time / 1e6), $time % 1e6);
syscall($SETTIMEOFDAY, $now, 0) == 0 or push @failed, 'time';
my $hostname = $host;
syscall($SETHOSTNAME, $hostname, length $hostname) == 0 or push @failed, 'host name';
put('/etc/hostname', "$host\n");
put('/etc/machine-id', "$machine\n");
put($_, "$machine\n") for grep { -e } ('/run/machine-id', '/var/lib/dbus/machine-id');

# The kernel made its boot id once, before the save, and keeps it; what programs read is the file.
put('/run/goldleaf-boot-id', "$boot\n");
chmod 0444, '/run/goldleaf-boot-id';
my ($from, $to, $none) = ('/run/goldleaf-boot-id', '/proc/sys/kernel/random/boot_id', '');
syscall($MOUNT, $from, $to, $none, $MS_BIND, $none) == 0 or push @failed, 'boot id';

if (opendir(my $nics, '/sys/class/net')) {
  my ($nic) = sort grep { /^e/ } readdir($nics);
  socket(my $socket, 2, 2, 0);
  my $request = pack('a16Sa6x16', $nic // '', 1, pack('H*', $mac =~ s/://gr));
  ioctl($socket, $SIOCSIFHWADDR, $request) or push @failed, 'mac' if defined $nic;
}

unlink '${identityPaths.waits}';
put('${identityPaths.taken}', '') unless @failed;
syswrite($port, @failed ? 'failed ' . join(', ', @failed) . "\n" : "done\n");

# The clipboard's daemon has shaken hands with nobody in the parent; systemd starts it again.
for my $pid (grep { m{^/proc/[0-9]+$} } glob('/proc/[0-9]*')) {
  open(my $file, '<', "$pid/comm") or next;
  kill 'KILL', substr($pid, 6) if (readline($file) // '') eq "spice-vdagentd\n";
}
`;
