# Compiled caches of several layers, united in a directory that is merged last, above all layers.
BEGIN { $^H |= 0x602; }
our ($STATE, $LAYERS);

my $UNITED = "$LAYERS/zzzzzzzz-goldleaf";
# What is merged at this moment must stay whole until something else is.
my $OLD = "$STATE/old-caches";
my ($SYS_MOUNT, $SYS_MKNOD, $MS_BIND) = (165, 133, 4096);

sub make_united_caches {
  my ($os, @names) = @_;
  remove_tree($UNITED) if -d $OLD || !rename($UNITED, $OLD);
  return if !@names;
  my @roots = map { "$LAYERS/$_" } @names;
  my $made = unite_schemas(@roots) + unite_mime(@roots) + hide_icon_caches(@roots) + unite_lists(@roots);
  return remove_tree($UNITED) unless $made;
  my $release = "usr/lib/extension-release.d/extension-release.zzzzzzzz-goldleaf";
  put_united($release, join '', map { "$_=$os->{$_}\n" } grep { defined $os->{$_} } qw(ID VERSION_ID SYSEXT_LEVEL));
}

sub forget_old_caches { remove_tree($OLD); }

# Paths below a directory, one pattern for each step. (Perl's own glob has to be loaded first.)
sub below {
  my ($dir, $pattern, @patterns) = @_;
  my @found = map { "$dir/$_" } entries_of($pattern, $dir);
  return @patterns ? map { below($_, @patterns) } @found : @found;
}

sub make_parents {
  my ($path) = @_;
  my $dir = '';
  for (split m{/}, substr($path, 1, rindex($path, '/') - 1)) { $dir .= "/$_"; mkdir $dir; }
}

sub put_united {
  my ($path, $text) = @_;
  make_parents("$UNITED/$path");
  put("$UNITED/$path", $text);
  return 1;
}

# What lies below is hidden, as if it was not there.
sub hide {
  my ($path) = @_;
  my $place = "$UNITED/$path";
  make_parents($place);
  return syscall($SYS_MKNOD, $place, 0020000, 0) == 0 ? 1 : 0;
}

sub remove_tree {
  my ($dir) = @_;
  opendir(my $handle, $dir) or return 0;
  for (grep { $_ ne '.' && $_ ne '..' } readdir($handle)) {
    my $path = "$dir/$_";
    if (-d $path && !-l $path) { remove_tree($path) } else { unlink $path }
  }
  rmdir $dir;
  return 0;
}

# Settings schemas: a program without its own does not start.
sub unite_schemas {
  my $dir = 'usr/share/glib-2.0/schemas';
  my @bringing = grep { entries_of(qr/\.xml$/, "$_/$dir") } @_;
  return 0 unless @bringing > 1 || grep { !-e "$_/$dir/gschemas.compiled" } @bringing;
  my ($compiler) = below('/usr/lib', qr/-linux-/, qr/^glib-2\.0$/, qr/^glib-compile-schemas$/) or return 0;
  # The image's own, whatever is merged over it at this moment.
  my ($image, $root, $type, $none) = ("$STATE/image", '/', '', '');
  mkdir $image;
  syscall($SYS_MOUNT, $root, $image, $type, $MS_BIND, $none) == 0 or return 0;
  my $sources = "$STATE/schemas";
  remove_tree($sources);
  mkdir $sources;
  for my $from ("$image/$dir", map { "$_/$dir" } @bringing) {
    for (entries_of(qr/\.(xml|override)$/, $from)) { unlink "$sources/$_"; symlink "$from/$_", "$sources/$_"; }
  }
  make_parents("$UNITED/$dir/x");
  my $failed = system("exec $compiler --targetdir=$UNITED/$dir $sources >/dev/null 2>&1");
  remove_tree($sources);
  unmount_at($image, 2);
  rmdir $image;
  return $failed ? 0 : 1;
}

# Types of files: readers that find no compiled cache read the lists, and those are easily united.
sub unite_mime {
  my $dir = 'usr/share/mime';
  my @bringing = grep { -e "$_/$dir/mime.cache" } @_;
  return 0 unless @bringing > 1;
  for my $list (qw(globs2 globs aliases subclasses generic-icons icons types XMLnamespaces)) {
    my %lines = map { $_ => 1 } map { grep { !/^#/ } split /\n/, content("$_/$dir/$list") // '' } @bringing;
    my @sorted = $list eq 'globs2' ? sort { (split /:/, $b)[0] <=> (split /:/, $a)[0] || $a cmp $b } keys %lines : sort keys %lines;
    put_united("$dir/$list", join '', map { "$_\n" } @sorted);
  }
  my $magic = "MIME-Magic\0\n";
  put_united("$dir/magic", join '', $magic, map { my $text = content("$_/$dir/magic") // ''; index($text, $magic) == 0 ? substr($text, length $magic) : '' } @bringing);
  return hide("$dir/mime.cache");
}

# Icons: without its cache a theme is read from its folders.
sub hide_icon_caches {
  my %bringing;
  for my $root (@_) { push @{ $bringing{$_} }, $root for entries_of(qr/./, "$root/usr/share/icons"); }
  my $hidden = 0;
  for my $theme (sort keys %bringing) {
    my @cached = grep { -e "$_/usr/share/icons/$theme/icon-theme.cache" } @{ $bringing{$theme} };
    next if @{ $bringing{$theme} } == 1 && @cached == 1;
    $hidden += hide("usr/share/icons/$theme/icon-theme.cache");
  }
  return $hidden;
}

# Plug-ins of libraries: lists of blocks, or of lines.
sub unite_lists {
  my %bringing;
  for my $root (@_) {
    my @lists = (
      below("$root/usr/lib", qr/-linux-/, qr/^(gdk-pixbuf-2\.0|gtk-[23]\.0)$/, qr/^[0-9.]+$/, qr/^(loaders|immodules)\.cache$/),
      below("$root/usr/lib", qr/-linux-/, qr/^gio$/, qr/^modules$/, qr/^giomodule\.cache$/),
      below("$root/usr/share/applications", qr/^mimeinfo\.cache$/),
    );
    push @{ $bringing{substr($_, 1 + length $root)} }, $_ for @lists;
  }
  my $made = 0;
  for my $path (grep { @{ $bringing{$_} } > 1 } sort keys %bringing) {
    my @texts = map { content($_) // '' } @{ $bringing{$path} };
    if ($path =~ /mimeinfo\.cache$/) { $made += put_united($path, united_handlers(@texts)); next; }
    my $end = $path =~ /giomodule\.cache$/ ? "\n" : "\n\n";
    my %seen;
    my @blocks = grep { /^[^#\s]/m && !$seen{$_}++ } map { split /$end+/ } @texts;
    $made += put_united($path, join '', map { "$_$end" } @blocks);
  }
  return $made;
}

sub united_handlers {
  my %handlers;
  for (map { split /\n/ } @_) {
    my ($type, $list) = /^([^=#\[]+)=(.*)$/ or next;
    for my $id (split /;/, $list) { push @{ $handlers{$type} }, $id unless grep { $_ eq $id } @{ $handlers{$type} }; }
  }
  return "[MIME Cache]\n" . join '', map { "$_=" . join('', map { "$_;" } @{ $handlers{$_} }) . "\n" } sort keys %handlers;
}

1;
