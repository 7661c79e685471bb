# The start menu: one script for each entry, a list of them for `apps start`, and what jgmenu shows.
BEGIN { $^H |= 0x602; }
our ($STATE, $LAYERS);

# The group [Desktop Entry] of a desktop file.
sub desktop_entry {
  my ($path) = @_;
  my %key;
  my $isOurs = 0;
  for (split /\n/, content($path) // '') {
    if (/^\[(.*)\]\s*$/) { last if $isOurs; $isOurs = $1 eq 'Desktop Entry'; next; }
    next unless $isOurs && /^([A-Za-z0-9-]+)\s*=\s*(.*?)\s*$/;
    my ($key, $value) = ($1, $2);
    my %escaped = (s => ' ', n => "\n", t => "\t", r => "\r", '\\' => '\\');
    $value =~ s/\\(.)/$escaped{$1} \/\/ "\\$1"/ge;
    $key{$key} = $value;
  }
  return \%key;
}

sub is_shown {
  my ($key) = @_;
  my $isTrue = sub { lc($key->{$_[0]} // '') eq 'true' };
  my $names = sub { grep { $_ eq 'Goldleaf' } split /;/, $key->{$_[0]} // '' };
  return 0 if ($key->{Type} // '') ne 'Application' || !length($key->{Exec} // '') || !length($key->{Name} // '');
  return 0 if $isTrue->('NoDisplay') || $isTrue->('Hidden') || $names->('NotShowIn');
  return !defined $key->{OnlyShowIn} || !!$names->('OnlyShowIn');
}

sub quote { return join ' ', map { my $word = $_; $word =~ s/'/'\\''/g; "'$word'" } @_; }

# The words of an Exec key, for a start without files.
sub command_words {
  my ($key) = @_;
  my @words;
  my $text = $key->{Exec};
  while ($text =~ /\G\s*(?:"((?:[^"\\]|\\.)*)"|(\S+))/g) {
    my ($quoted, $plain) = ($1, $2);
    if (defined $quoted) { $quoted =~ s/\\(.)/$1/g; push @words, $quoted; next; }
    next if $plain =~ /^%[fFuUdDnNvmik]$/;
    $plain =~ s/%c/$key->{Name}/g;
    $plain =~ s/%[a-zA-Z]//g;
    $plain =~ s/%%/%/g;
    push @words, $plain;
  }
  unshift @words, 'goldleaf-terminal', '-e' if lc($key->{Terminal} // '') eq 'true';
  return @words;
}

# A field of jgmenu's: no markup of its own, no end of field.
sub field {
  my ($text) = @_;
  $text =~ s/[\x00-\x1f\x7f]+/ /g;
  $text =~ s/"""//g;
  $text =~ s/^[\s^@.]+//;
  return $text =~ /,/ ? "\"\"\"$text\"\"\"" : $text;
}

sub write_menu {
  my ($merged, $onDemand) = @_;
  my (@items, @entries, %scripts);
  my $add = sub {
    my ($name, $id, $title, $icon, $commands) = @_;
    my $script = "$STATE/bin/$name-" . grep { $_->[0] eq $name } @entries;
    my $text = "#!/bin/sh\n$commands\n";
    put($script, $text) if (content($script) // '') ne $text;
    $scripts{$script} = 1;
    push @entries, [$name, $id, $script];
    push @items, [lc $title, field($title), "sh $script", field($icon // '')];
  };
  for my $name (@$merged) {
    my $dir = "$LAYERS/$name/usr/share/applications";
    # The application's own entry comes first: it is what starts when none is named.
    for my $id (sort { ($b eq "$name.desktop") <=> ($a eq "$name.desktop") } entries_of(qr/\.desktop$/, $dir)) {
      my $key = desktop_entry("$dir/$id");
      next unless is_shown($key);
      my $change = length($key->{Path} // '') ? 'cd ' . quote($key->{Path}) . ' && ' : '';
      $add->($name, $id, $key->{Name}, $key->{Icon}, $change . 'exec ' . quote(command_words($key)));
    }
  }
  my %icons;
  for my $app (@$onDemand) {
    my $icon = 'application-x-executable';
    if ($app->{icon}) {
      my ($type, $base64) = @{ $app->{icon} };
      $icon = "$STATE/icons/$app->{name}." . ($type eq 'png' ? 'png' : 'svg');
      put($icon, unbase64($base64)) unless -e $icon;
    }
    $icons{$icon} = 1;
    $add->($app->{name}, $_->[0], $_->[1], $icon, 'exec /usr/lib/goldleaf/ask-for-app ' . quote($app->{name}, $_->[0]))
      for @{ $app->{entries} };
  }
  for (entries_of(qr/./, "$STATE/bin")) { unlink "$STATE/bin/$_" unless $scripts{"$STATE/bin/$_"}; }
  for (entries_of(qr/./, "$STATE/icons")) { unlink "$STATE/icons/$_" unless $icons{"$STATE/icons/$_"}; }
  open_port() if @$onDemand && !-l "$STATE/port";

  put("$STATE/entries", join '', map { join("\t", @$_) . "\n" } @entries);
  my @lines = map { join ',', @$_[1 .. 3] } sort { $a->[0] cmp $b->[0] } @items;
  push @lines, '^sep()' if @lines;
  put("$STATE/menu.csv", join('', map { "$_\n" } @lines) . (content('/etc/goldleaf/menu.csv') // ''));
}

sub unbase64 {
  my ($text) = @_;
  $text =~ tr{A-Za-z0-9+/}{}cd;
  my $bits = join '', map { sprintf '%06b', index('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', $_) } split //, $text;
  return pack 'B*', substr($bits, 0, 8 * int(length($bits) / 8));
}

# The desktop's user may speak on the port; udev's name of it may come late or never.
sub open_port {
  for my $port (entries_of(qr/^vport/, '/sys/class/virtio-ports')) {
    next unless (content("/sys/class/virtio-ports/$port/name") // '') =~ /^org\.goldleaf\.apps\.0$/m;
    my ($uid, $gid) = (getpwnam('user'))[2, 3];
    chown $uid, $gid, "/dev/$port" if defined $uid;
    symlink "/dev/$port", "$STATE/port";
  }
}

1;
