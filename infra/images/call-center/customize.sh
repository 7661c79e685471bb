#!/bin/sh
# Runs once inside the new root, after the packages are installed and files/ is copied over it.
set -eu

useradd --create-home --shell /bin/bash --comment 'Desktop user' user
usermod --append --groups video,input user
passwd --lock user >/dev/null
passwd --lock root >/dev/null

# What waits for hardware, network or a calendar that a desktop of one day does not have.
systemctl mask --quiet \
  getty@tty1.service console-getty.service serial-getty@ttyS0.service \
  systemd-logind.service systemd-random-seed.service systemd-update-utmp.service \
  systemd-pstore.service systemd-hwdb-update.service systemd-journal-flush.service \
  systemd-fsck-root.service systemd-remount-fs.service \
  e2scrub_reap.service e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
  systemd-sysusers.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount kmod-static-nodes.service \
  systemd-user-sessions.service systemd-update-utmp-runlevel.service systemd-ask-password-wall.path systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service \
  systemd-ask-password-console.path remote-fs.target cryptsetup.target integritysetup.target veritysetup.target \
  systemd-boot-system-token.service systemd-machine-id-commit.service systemd-tmpfiles-clean.timer \
  systemd-rfkill.socket spice-vdagentd.socket spice-vdagentd.service keyboard-setup.service console-setup.service \
  modprobe@configfs.service modprobe@fuse.service modprobe@dm_mod.service modprobe@loop.service modprobe@efi_pstore.service
systemctl set-default --quiet multi-user.target
systemctl enable --quiet goldleaf-desktop.service goldleaf-clipboard.service

# The message bus starts when somebody speaks to it.
rm -f /lib/systemd/system/multi-user.target.wants/dbus.service
# Generators look for what this image does not have, one process each.
mkdir -p /etc/systemd/system-generators
for generator in /lib/systemd/system-generators/*; do
  ln -s /dev/null "/etc/systemd/system-generators/$(basename "$generator")"
done

# The disk keeps whole seconds only; a font cache made for finer times would be made again at every start.
find /usr/share/fonts /usr/local/share/fonts /etc/fonts -exec touch -h -d @1700000000 {} + 2>/dev/null || true
# Nothing a GTK program would have to work out at its first start.
for cache in /usr/share/icons/*/; do gtk-update-icon-cache --quiet --force "$cache" 2>/dev/null || true; done
fc-cache --system-only >/dev/null
runuser -u user -- fc-cache >/dev/null

update-initramfs -c -k "$(ls /lib/modules)" >/dev/null

# The kernel unpacked: QEMU starts it as it is, while unpacking it in an emulated processor takes half of its start.
python3 - <<'PYTHON'
import glob, lzma
packed = glob.glob('/boot/vmlinuz-*')[0]
data = open(packed, 'rb').read()
at = data.find(b'\xfd7zXZ\x00')
if at > 0:
    kernel = lzma.LZMADecompressor().decompress(data[at:])
    if kernel[:4] == b'\x7fELF':
        open(packed, 'wb').write(kernel)
PYTHON

# Two machines must never share what is meant to be one machine's own.
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id /etc/ssh/ssh_host_* /var/lib/systemd/random-seed /etc/hostname
rm -rf /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt /tmp/* /usr/lib/python3/dist-packages/__pycache__
