"""systemd as process 1 of a machine of tests/debian, so that units run as they do for an operator.

It has processes, mounts and a control group of its own, below those of the sandbox, and shares the
sandbox's network. It can neither load modules nor change the kernel's settings or the clock.
"""

import os
import signal

from rig.apache import write
from rig.debian import Debian
from rig.process import Daemon, wait_for

# What Debian's own target wants would start consoles, too.
TARGET = """\
[Unit]
Description=A machine that is up
Requires=basic.target
After=basic.target
"""
SPACES = ["--mount", "--pid", "--cgroup", "--uts", "--ipc", "--fork", "--kill-child"]
FORBIDDEN = "-sys_module,-sys_time,-sys_boot"
# Only who is in a control group can make it the root of a name space.
JOIN = 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"'
# With devices of its own, because the journal makes /dev/log.
BOOT = """
set -eu
cd "$1"
umount --recursive dev proc
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
    touch dev/$node
    mount --bind /dev/$node dev/$node
done
for directory in pts shm; do
    mkdir dev/$directory
    mount --rbind /dev/$directory dev/$directory
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
pivot_root . mnt
umount --lazy mnt
exec env --ignore-environment container=test /lib/systemd/systemd --unit=up.target
"""


class Systemd:
    """A context manager, in which everything on `machine` runs under systemd."""

    def __init__(self, machine: Debian) -> None:
        self._machine = machine

    def __enter__(self) -> "Systemd":
        machine = self._machine
        machine.run("sh", "-c", "apt-get update -qq && apt-get install -y -qq systemd")
        write(machine.path("/etc/systemd/system/up.target"), TARGET)
        self._group = "{}/mtasts-test-{}".format(_control_group(), os.getpid())
        os.mkdir(self._group)
        bounded = ["setpriv", "--bounding-set=" + FORBIDDEN]
        command = ["unshare", *SPACES, *bounded, "sh", "-c", BOOT, "boot", machine.root]
        self._boot = Daemon(
            ["sh", "-c", JOIN, "join", self._group, *command], machine.root + ".log"
        )
        self._first = wait_for(self._child, "systemd has been started")
        self._chroot, machine.enter = machine.enter, ["nsenter", "--all", "--target", self._first]
        wait_for(self._is_up, "systemd is up")
        return self

    def __exit__(self, *_: object) -> None:
        self._machine.enter = self._chroot
        os.kill(int(self._first), signal.SIGKILL)  # and with it all other processes there
        self._boot.process.wait()
        for folder, _folders, _files in os.walk(self._group, topdown=False):
            wait_for(lambda folder=folder: _is_removed(folder), "nobody is in " + folder)

    def property(self, unit: str, name: str) -> str:
        """What systemd knows of a unit."""
        shown = self._machine.run("systemctl", "show", "--property", name, unit).output
        return shown.strip().partition("=")[2]

    def _child(self) -> str:
        pid = self._boot.process.pid
        with open("/proc/{0}/task/{0}/children".format(pid)) as children:
            return children.read().strip()

    def _is_up(self) -> bool:
        is_active = self._machine.run("systemctl", "is-active", "up.target", check=False)
        return is_active.output.strip() == "active"


def _control_group() -> str:
    """The folder of this process's control group (version 2)."""
    with open("/proc/self/mounts") as mounts:
        place = next(line.split()[1] for line in mounts if line.split()[2] == "cgroup2")
    with open("/proc/self/cgroup") as groups:
        own = next(line.strip()[len("0::") :] for line in groups if line.startswith("0::"))
    return place + own.rstrip("/")


def _is_removed(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except OSError:  # what was killed takes a moment to be gone
        return False
    return True
