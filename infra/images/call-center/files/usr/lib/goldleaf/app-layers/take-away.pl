# What has to happen before a layer goes: its programs end, and what it put into /etc goes with it.
BEGIN { $^H |= 0x602; }
our ($STATE, $LAYERS);

# The session itself: what it holds of a layer it can do without.
my %SPARED = map { $_ => 1 } qw(Xorg openbox tint2 dbus-daemon dbus-run-sessio session systemd spice-vdagent);
my ($TERM_SECONDS, $KILL_SECONDS) = (3, 2);

sub end_programs {
  my @roots = map { "$LAYERS/$_" } @_;
  my @victims = programs_of(@roots) or return;
  for (['TERM', $TERM_SECONDS], ['KILL', $KILL_SECONDS]) {
    my ($signal, $seconds) = @$_;
    kill $signal, @victims;
    my $until = now() + 1000 * $seconds;
    while ((@victims = grep { is_alive($_) } @victims) && now() < $until) { select(undef, undef, undef, 0.02); }
    # A program on its way out may have started another.
    @victims = programs_of(@roots) or return;
  }
}

# Processes that run, map, have open or were started with a file of one of these layers.
sub programs_of {
  my @roots = @_;
  my $since = 100 * content("$STATE/since");
  my @found;
  for my $process (grep { /^[0-9]+$/ && $_ > 1 && $_ != $$ } entries_of(qr/^[0-9]/, '/proc')) {
    my $exe = readlink("/proc/$process/exe") // next;
    my ($name, $rest) = (content("/proc/$process/stat") // '') =~ /\((.*)\) (.*)/s or next;
    next if $SPARED{$name} || (split / /, $rest)[19] < $since;
    my %paths = ($exe => 1);
    for (split /\n/, content("/proc/$process/maps") // '') { $paths{$1} = 1 if m{(/usr/.*)$}; }
    for (split /\0/, content("/proc/$process/cmdline") // '') { $paths{$_} = 1 if m{^/usr/}; }
    for ('cwd', map { "fd/$_" } entries_of(qr/./, "/proc/$process/fd")) {
      my $target = readlink("/proc/$process/$_") // '';
      $paths{$target} = 1 if $target =~ m{^/usr/} && !-d $target;
    }
    push @found, $process if grep { my $path = $_; grep { lstat("$_$path") } @roots } keys %paths;
  }
  return @found;
}

# Takes those files out of /etc that are still as the layer brought them.
sub take_factory_files {
  my ($name) = @_;
  my $list = "$STATE/etc/$name";
  for (reverse split /\n/, content($list) // '') {
    my ($kind, $path, $mark) = unescape(split /\t/);
    if ($kind eq 'directory') { rmdir $path; }
    else { unlink $path if file_mark($path) eq $mark; }
  }
  unlink $list;
}

sub file_mark {
  my @facts = lstat($_[0]) or return '';
  return join ' ', @facts[1, 2, 7, 9, 10];
}

1;
