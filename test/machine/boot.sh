#!/bin/sh
# boot.sh DISK CHECKOUT NODE CGROUP: boots this machine's systemd as the first process of the namespaces that it is called
# in, on DISK as its root. Of the machine itself it sees /usr, CHECKOUT (as /opt/teal) and NODE (as /opt/node), all
# read-only; /tmp, /run and /dev are its own. What systemd-nspawn does, without a systemd outside.
set -eu
# pivot_root is for administrators, whose programs are not in everybody's path.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# The control groups first: this process and all that it starts go into one of their own, which is then the root of theirs.
if [ "$#" = 4 ]; then
  mount -t cgroup2 cgroup2 "$1/mnt"
  mkdir "$1/mnt/$4"
  echo $$ >"$1/mnt/$4/cgroup.procs"
  umount "$1/mnt"
  exec unshare --cgroup "$0" "$1" "$2" "$3"
fi

disk=$1
checkout=$2
node=$3
mount --bind "$disk" "$disk"
cd "$disk"
mount --bind -o ro /usr usr
mount --bind -o ro "$checkout" opt/teal
mount --bind -o ro "$node" opt/node

# What is not of a namespace, but of the kernel, is read-only. Each boot has an id of its own, as on hardware.
mount -t proc -o nosuid,nodev,noexec proc proc
cat proc/sys/kernel/random/uuid >etc/boot-id
mount --bind etc/boot-id proc/sys/kernel/random/boot_id
mount --bind -o ro proc/sys proc/sys
[ ! -e proc/sysrq-trigger ] || mount --bind -o ro etc/empty proc/sysrq-trigger
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup

mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
mount -t tmpfs -o mode=755,nosuid tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
hostname machine

# From here on the machine's root is out of sight.
pivot_root . mnt
umount -l /mnt
caps=-sys_module,-sys_time,-sys_rawio,-syslog,-sys_pacct,-wake_alarm,-block_suspend,-audit_control,-audit_read
exec env -i container=teal PATH=/usr/sbin:/usr/bin TERM=dumb \
  setpriv --bounding-set="$caps" /usr/lib/systemd/systemd
