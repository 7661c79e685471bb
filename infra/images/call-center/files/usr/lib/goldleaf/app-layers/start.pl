# Starts an entry of an application as a part of the running session: its user, groups, environment and control group.
BEGIN { $^H |= 0x602; }
our $STATE;

my ($SYS_SETSID, $SYS_SETRESUID, $SYS_SETRESGID) = (112, 117, 119);

sub start_app {
  my ($name, $entry) = @_;
  my @entries = grep { $_->[0] eq $name && (!defined $entry || $_->[1] eq $entry) }
    map { [split /\t/] } split /\n/, content("$STATE/entries") // '';
  unless (@entries) {
    print STDERR "there is no application $name", defined $entry ? " with an entry $entry" : '', "\n";
    return 3;
  }
  my ($session) = grep { (content("/proc/$_/comm") // '') eq "openbox\n" } entries_of(qr/^[0-9]/, '/proc');
  my $status = defined $session ? content("/proc/$session/status") : undef;
  unless (defined $status) {
    print STDERR "there is no session\n";
    return 4;
  }
  my ($uid) = $status =~ /^Uid:\t([0-9]+)/m;
  my ($gid) = $status =~ /^Gid:\t([0-9]+)/m;
  my ($groups) = $status =~ /^Groups:\t([0-9 ]*)/m;
  my %environment = map { split /=/, $_, 2 } split /\0/, content("/proc/$session/environ") // '';
  my ($group) = (content("/proc/$session/cgroup") // '') =~ /^0::(.*)$/m;

  my $child = fork() // die "fork: $!\n";
  return 0 if $child;
  syscall($SYS_SETSID);
  if (defined $group && open(my $procs, '>', "/sys/fs/cgroup$group/cgroup.procs")) { print $procs "$$\n"; close($procs); }
  # The agent waits until nobody holds these.
  open(STDIN, '<', '/dev/null');
  open(STDOUT, '>', '/dev/null');
  open(STDERR, '>', '/dev/null');
  $) = "$gid $gid $groups";
  syscall($SYS_SETRESGID, $gid + 0, $gid + 0, $gid + 0) == 0 or exit 1;
  syscall($SYS_SETRESUID, $uid + 0, $uid + 0, $uid + 0) == 0 or exit 1;
  %ENV = %environment;
  chdir($ENV{HOME} // '/');
  exec('/bin/sh', $entries[0][2]) or exit 1;
}

1;
