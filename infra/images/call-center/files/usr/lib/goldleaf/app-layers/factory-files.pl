# What a layer brings for /etc: usr/share/goldleaf/factory/NAME/etc/. Only what is not there yet is copied.
BEGIN { $^H |= 0x602; }
our ($STATE, $LAYERS);

sub put_factory_files {
  my ($name) = @_;
  my @made;
  copy_tree("$LAYERS/$name/usr/share/goldleaf/factory/$name/etc", '/etc', \@made);
  put("$STATE/etc/$name", join '', map { join("\t", escape(@$_)) . "\n" } @made) if @made;
}

sub copy_tree {
  my ($from, $to, $made) = @_;
  opendir(my $handle, $from) or return;
  for my $entry (sort grep { $_ ne '.' && $_ ne '..' } readdir($handle)) {
    my ($source, $target) = ("$from/$entry", "$to/$entry");
    my @facts = lstat($source) or next;
    if (-d _) {
      if (mkdir $target) {
        chmod $facts[2] & 07777, $target;
        push @$made, ['directory', $target];
      }
      copy_tree($source, $target, $made) if -d $target && !-l $target;
      next;
    }
    next if lstat($target);
    lstat($source);
    if (-l _) { symlink(readlink($source), $target) or next; }
    elsif (-f _) {
      my $text = content($source) // next;
      put($target, $text);
      chmod $facts[2] & 07777, $target;
    } else { next; }
    my @copy = lstat($target);
    push @$made, ['file', $target, join ' ', @copy[1, 2, 7, 9, 10]];
  }
}

1;
