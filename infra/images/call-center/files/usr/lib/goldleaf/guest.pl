# What the programs that hosts run in this machine share: how they tell the time, what they say, how they read and
# write small files, and how they find the disks that the machine was given.
BEGIN { $^H |= 0x602; }
our (@said, @took);

my ($SYS_MOUNT, $SYS_UMOUNT, $SYS_CLOCK_GETTIME) = (165, 166, 228);
my ($LOCK_SH, $LOCK_EX, $LOCK_NB) = (1, 2, 4);
# How long the kernel may take to find a disk that the machine was given; and after what time it is told to look.
my ($DISK_SECONDS, $SCAN_AFTER_SECONDS) = (8, 1);

sub now {
  my $time = "\0" x 16;
  syscall($SYS_CLOCK_GETTIME, 1, $time);
  my ($seconds, $nanoseconds) = unpack('qq', $time);
  return $seconds * 1000 + $nanoseconds / 1e6;
}
my $startedAt = now();
my $stepAt = $startedAt;

sub step {
  my $at = now();
  push @took, ['took', $_[0], sprintf('%.0f', $at - $stepAt)];
  $stepAt = $at;
}

# Prints what was found and how long it took.
sub report {
  push @took, ['took', 'total', sprintf('%.0f', now() - $startedAt)];
  print join("\t", escape(@$_)), "\n" for @said, @took;
}

sub unescape { return map { my $field = $_; $field =~ s/%([0-9a-f]{2})/chr hex $1/ge; $field } @_; }
sub escape { return map { my $text = $_; $text =~ s/([^A-Za-z0-9._-])/sprintf '%%%02x', ord $1/ge; $text } @_; }

sub content {
  open(my $file, '<', $_[0]) or return undef;
  local $/;
  my $text = readline($file);
  return $text;
}

# Whole or not at all: another program may read it at any moment.
sub put {
  my ($path, $text) = @_;
  open(my $file, '>', "$path.new") or die "$path: $!\n";
  print $file $text;
  close($file) or die "$path: $!\n";
  rename("$path.new", $path) or die "$path: $!\n";
}

sub write_to {
  my ($path, $text) = @_;
  open(my $file, '>', $path) or return;
  print $file $text;
  close($file);
}

sub entries_of {
  my ($pattern, $dir) = @_;
  opendir(my $handle, $dir) or return ();
  my @found = sort grep { $_ !~ /^\./ && /$pattern/ } readdir($handle);
  return @found;
}

sub mount_at {
  my ($from, $to, $type, $flags, $data) = @_;
  $data //= '';
  return syscall($SYS_MOUNT, $from, $to, $type, $flags, $data) == 0;
}

sub unmount_at {
  my ($place, $flags) = @_;
  return syscall($SYS_UMOUNT, $place, $flags) == 0;
}

# What is mounted: places, device numbers, flags; in the order it was.
sub mounts {
  my @found;
  for (split /\n/, content('/proc/self/mountinfo')) {
    my (undef, undef, $device, undef, $place, $flags) = split / /;
    my ($ofSystem) = / - \S+ \S+ (\S+)$/;
    $place =~ s/\\([0-7]{3})/chr oct $1/ge;
    push @found, { place => $place, device => $device, isReadOnly => ",$flags,$ofSystem," =~ /,ro,/ ? 1 : 0 };
  }
  return @found;
}

# Of each disk that the machine was given: its serial number, to its name and its device number.
sub disks {
  my %found;
  for my $disk (entries_of(qr/^sd/, '/sys/block')) {
    my $page = content("/sys/block/$disk/device/vpd_pg80") // next;
    my $device = content("/sys/block/$disk/dev") // next;
    chomp $device;
    $found{substr($page, 4)} = [$disk, $device];
  }
  return \%found;
}

# From here on nobody else has the kernel forget disks that it holds no file system of yet.
my $hold;
sub hold_disks {
  open($hold, '>', '/run/goldleaf-disks.lock') or die "disks: $!\n";
  flock($hold, $LOCK_SH);
}

sub let_disks_go { close($hold); }

# The same, once these are there or the kernel had its time to find them. They are to be held.
sub await_disks {
  my @serials = @_;
  my $disks = disks();
  my ($waitsSince, $hasScanned) = (now(), 0);
  while ((grep { !$disks->{$_} } @serials) && now() < $waitsSince + 1000 * $DISK_SECONDS) {
    if (!$hasScanned && now() > $waitsSince + 1000 * $SCAN_AFTER_SECONDS) {
      scan($disks, @serials);
      $hasScanned = 1;
    }
    select(undef, undef, undef, 0.01);
    $disks = disks();
  }
  return $disks;
}

# Has the kernel look for disks, should it not have heard of one that came or went.
sub scan {
  my ($disks, @wanted) = @_;
  my %used = map { $_->{device} => 1 } mounts();
  for my $serial (flock($hold, $LOCK_EX | $LOCK_NB) ? keys %$disks : ()) {
    my ($disk, $device) = @{ $disks->{$serial} };
    write_to("/sys/block/$disk/device/delete", '1') unless $used{$device} || grep { $_ eq $serial } @wanted;
  }
  write_to("/sys/class/scsi_host/$_/scan", '0 - 0') for entries_of(qr/^host/, '/sys/class/scsi_host');
  flock($hold, $LOCK_SH);
}

# They are loaded at boot, unless that took too long.
sub load_drivers {
  my $systems = content('/proc/filesystems') // '';
  return if -d '/sys/bus/scsi/drivers/sd' && entries_of(qr/^host/, '/sys/class/scsi_host') && $systems =~ /\terofs$/m && $systems =~ /\toverlay$/m;
  system('modprobe', '-a', 'virtio_scsi', 'sd_mod', 'erofs', 'overlay');
}

sub is_alive {
  my $stat = content("/proc/$_[0]/stat") // return 0;
  return $stat !~ /\) [ZX] /;
}

1;
