# The end of an open profile: the person's programs end, then nothing in this machine holds it any more.
BEGIN { $^H |= 0x602; }
our (@said, $HOME, $STATE);

my ($SYS_FSYNC, $SYS_SYNCFS, $MNT_DETACH, $O_RDWR, $O_EXCL) = (74, 306, 2, 2, 128);
# As versions are told apart: smaller pieces would be kept all the same.
my ($FITRIM, $TRIMMED_BYTES) = (0xc0185879, 65536);
my ($TERM_SECONDS, $KILL_SECONDS, $BUSY_SECONDS) = (5, 3, 3);

sub close_profile {
  my $mount = home_mount();
  if (!$mount) {
    push @said, ['closed', 0];
    return;
  }
  # On its way while programs end.
  if (open(my $root, '<', $HOME)) {
    syscall($SYS_SYNCFS, fileno($root));
    close($root);
  }
  step('sync');
  my $killed = end_programs_of_person((stat("$STATE/own"))[4]);
  step('programs');
  give_back_space();
  step('trim');

  my $device = $mount->{device};
  my $isReadOnly = $mount->{isReadOnly};
  my $until = now() + 1000 * $BUSY_SECONDS;
  my $error = '';
  until (unmount_all($device)) {
    $error = "$!";
    my @holders = holders(split /:/, $device);
    if (now() > $until) {
      my @names = map { my $name = content("/proc/$_/comm") // '?'; chomp $name; "$name ($_)" } @holders;
      return refuse('failed', "it cannot be unmounted: $error; held by @names");
    }
    kill 'KILL', @holders;
    $killed += @holders;
    select(undef, undef, undef, 0.05);
  }
  unmount_at("$STATE/own", $MNT_DETACH);
  step('unmount');

  # Only when no other name space has it mounted still does the kernel give the disk to one user alone.
  my ($disk) = grep { (content("/sys/block/$_/dev") // '') eq "$device\n" } entries_of(qr/./, '/sys/block');
  my $handle;
  until (sysopen($handle, "/dev/" . ($disk // '?'), $O_RDWR | $O_EXCL)) {
    return refuse('failed', "the disk is still in use: $!") if now() > $until + 1000;
    # A name space ends with the last program in it.
    my @holders = holders(split /:/, $device);
    kill 'KILL', @holders;
    $killed += @holders;
    select(undef, undef, undef, 0.05);
  }
  syscall($SYS_FSYNC, fileno($handle)) == 0 or return refuse('failed', "the disk cannot be written: $!");
  close($handle);
  step('flush');
  return refuse('failed', 'it could not be written any more since an error') if $isReadOnly;
  push @said, ['closed', $killed];
}

# The disk forgets what deleted files held: else each version to come would have it. What the host does not hear of is
# given back when the profile is closed the next time.
sub give_back_space {
  open(my $root, '<', $HOME) or return;
  # Blocks of what was just deleted are free once the journal has been written.
  syscall($SYS_SYNCFS, fileno($root));
  ioctl($root, $FITRIM, my $all = pack('Q3', 0, ~0, $TRIMMED_BYTES));
  close($root);
}

# Every place where it is mounted, and what is mounted below. What lies below belongs to the desktop's own disk or to
# others, so it only has to go away.
sub unmount_all {
  my ($device) = @_;
  my @mounts = mounts();
  for my $mount (reverse grep { index($_->{place}, "$HOME/") == 0 && $_->{device} ne $device } @mounts) {
    unmount_at($mount->{place}, $MNT_DETACH);
  }
  for my $mount (reverse grep { $_->{device} eq $device } @mounts) {
    unmount_at($mount->{place}, 0) or return 0;
  }
  return 1;
}

# Asks programs to end, then kills those that did not. Returns how many were killed.
sub end_programs_of_person {
  my ($uid) = @_;
  my %killed;
  my @victims = programs_of_person($uid) or return 0;
  for (['TERM', $TERM_SECONDS], ['KILL', $KILL_SECONDS]) {
    my ($signal, $seconds) = @$_;
    my $until = now() + 1000 * $seconds;
    my %asked;
    do {
      # One that ends may have started another.
      my @new = grep { !$asked{$_}++ } @victims;
      kill $signal, @new;
      @killed{@new} = () if $signal eq 'KILL';
      select(undef, undef, undef, 0.02);
      @victims = grep { is_alive($_) } @victims;
      @victims = programs_of_person($uid) unless @victims;
    } while (@victims && now() < $until);
    last unless @victims;
  }
  return scalar keys %killed;
}

# All that runs as the person, or was started from the desktop, but for the desktop itself.
sub programs_of_person {
  my ($uid) = @_;
  my (%parent, %children, @programs, @sessions);
  for my $process (entries_of(qr/^[0-9]+$/, '/proc')) {
    my $exe = readlink("/proc/$process/exe") // next;
    my ($parent) = (content("/proc/$process/stat") // '') =~ /\) [^ZX] ([0-9]+)/ or next;
    $parent{$process} = $parent;
    push @{ $children{$parent} }, $process;
    my $isPersons = ((stat("/proc/$process"))[4] // 0) == $uid
      || (content("/proc/$process/cgroup") // '') =~ m{/goldleaf-desktop\.service$}m;
    push @programs, $process if $isPersons && $process != $$ && $exe !~ m{/Xorg$};
    push @sessions, $process if $exe =~ m{/(da|ba)?sh$} && (content("/proc/$process/cmdline") // '') =~ m{^[^\0]*sh\0/usr/lib/goldleaf/session\0$};
  }
  # The session's script with what it keeps running, the message bus beside it, and what holds both.
  my %isSpared;
  for my $session (grep { $parent{$_} > 1 } @sessions) {
    my @spared = ($parent{$session}, @{ $children{$parent{$session}} // [] });
    while (defined(my $process = shift @spared)) {
      next if $process <= 1 || $isSpared{$process}++;
      my $name = content("/proc/$process/comm") // '';
      next if $process == $parent{$session} || $name =~ /^(openbox|tint2|dbus-daemon)$/;
      push @spared, @{ $children{$process} // [] };
    }
  }
  return grep { !$isSpared{$_} } @programs;
}

# Processes that run, map, or have open a file of that file system, or stand in it.
sub holders {
  my ($major, $minor) = @_;
  # As the kernel and as Perl write a device number.
  my $mapped = sprintf ' %02x:%02x ', $major, $minor;
  my $number = ($minor & 0xff) | ($major << 8) | (($minor & ~0xff) << 12);
  my @found;
  for my $process (grep { $_ > 1 && $_ != $$ } entries_of(qr/^[0-9]+$/, '/proc')) {
    my $isHolder = grep { my $device = (stat($_))[0]; defined $device && $device == $number }
      map { "/proc/$process/$_" } 'cwd', 'root', 'exe', map { "fd/$_" } entries_of(qr/./, "/proc/$process/fd");
    push @found, $process if $isHolder || index(content("/proc/$process/maps") // '', $mapped) >= 0;
  }
  return @found;
}

1;
