"""What Debian's maintainer scripts would have made, and what Yocto does to a read-only root."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.process.programs import run
from tools.system.reference.payload import Payload, User

_BASE_UNITS: Final = (
    "docker.service",
    "docker.socket",
    "getty@tty1.service",
    "systemd-networkd.service",
)
# Alternatives: the command, and what it is.
_LINKS: Final = {
    "etc/mtab": "../proc/self/mounts",
    "usr/bin/awk": "mawk",
    "usr/bin/sh": "dash",
    "usr/sbin/ip6tables": "xtables-nft-multi",
    "usr/sbin/iptables": "xtables-nft-multi",
    "var/lock": "../run/lock",
    "var/log": "volatile/log",
    "var/run": "../run",
    "var/tmp": "volatile/tmp",
}
_PACKAGE_GROUPS: Final = ("docker", "input", "kvm", "render", "sgx")
"""Made by docker.io and udev."""
_FSTAB: Final = """\
/dev/root / ext4 ro 0 0
proc /proc proc defaults 0 0
tmpfs /tmp tmpfs mode=1777,nosuid,nodev 0 0
tmpfs /var/cache tmpfs defaults 0 0
tmpfs /var/volatile tmpfs defaults 0 0
"""
_NETWORK: Final = "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n"
_VOLATILE: Final = "d /var/volatile/log 0755 root root\nd /var/volatile/tmp 1777 root root\n"
# Of the same name as Yocto's, which the layer's units are ordered after.
_VOLATILE_LIB: Final = """\
[Unit]
Description=Make /var/lib writable until the next boot
DefaultDependencies=no
RequiresMountsFor=/var/volatile
Before=local-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/mkdir -p /var/volatile/lib /var/volatile/.lib-work
ExecStart=/usr/bin/mount -t overlay overlay /var/lib \\
    -o lowerdir=/var/lib,upperdir=/var/volatile/lib,workdir=/var/volatile/.lib-work

[Install]
WantedBy=local-fs.target
"""
# pam-auth-update would write these.
_PAM: Final = {
    "account": "account required pam_unix.so\n",
    "auth": "auth required pam_unix.so nullok\n",
    "password": "password required pam_unix.so\n",
    "session": "session required pam_unix.so\n",
    "session-noninteractive": "session required pam_unix.so\n",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What the system says of itself."""

    version: str
    build: str
    debug: bool
    """Whether root may log in without a password."""


def write_system_files(root: Path, identity: Identity) -> None:
    """Write everything that does not depend on the payload; before the payload is installed."""
    for name in (
        "boot",
        "data",
        "dev",
        "etc",
        "home",
        "mnt",
        "proc",
        "root",
        "run",
        "srv",
        "sys",
        "tmp",
        "var/cache",
        "var/volatile",
    ):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / "root").chmod(0o700)
    for name, target in _LINKS.items():
        _link(root / name, target)
    files = {
        "etc/fstab": _FSTAB,
        "etc/hostname": "voice-assistant-reference\n",
        "etc/hosts": "127.0.0.1 localhost voice-assistant-reference\n::1 localhost\n",
        # Empty: systemd draws one, as on Yocto's read-only root.
        "etc/machine-id": "",
        "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
        "usr/lib/systemd/network/80-wired.network": _NETWORK,
        "usr/lib/systemd/system/var-volatile-lib.service": _VOLATILE_LIB,
        "usr/lib/tmpfiles.d/00-volatile.conf": _VOLATILE,
        **{f"etc/pam.d/common-{kind}": text for kind, text in _PAM.items()},
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # Not Debian's: its root is not read-only.
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/resolv.conf")
    _write_os_release(root, identity)


def write_accounts(root: Path, payload: Payload, *, debug: bool) -> None:
    """Make the accounts of Debian, of its packages and of our recipes."""
    for name in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    accounts = (root / "etc/passwd").read_text().replace(":*:", ":x:")
    (root / "etc/passwd").write_text(accounts)
    # Nobody has a password; with nothing in its place root needs none.
    shadow = [f"{line.split(':')[0]}:*:20000:0:99999:7:::" for line in accounts.splitlines()]
    if debug:
        shadow[0] = shadow[0].replace("root:*:", "root::")
    (root / "etc/shadow").write_text("\n".join(shadow) + "\n")
    (root / "etc/shadow").chmod(0o640)
    run_on_root("systemd-sysusers", root)
    groups = [*_PACKAGE_GROUPS, *payload.groups]
    wanted = [f"g {group} -" for group in groups]
    for user in payload.users:
        wanted += _sysusers_lines(user)
    run_on_root("systemd-sysusers", root, "-", text="\n".join(wanted) + "\n")


def enable_units(root: Path, payload: Payload) -> None:
    """Enable what the system starts, and nothing else of Debian's."""
    run_on_root(
        "systemctl", root, "enable", *_BASE_UNITS, "var-volatile-lib.service", *payload.units
    )


def run_on_root(program: str, root: Path, *arguments: str, text: str = "") -> None:
    """Run one of systemd's programs on a root that is not running."""
    run([program, f"--root={root}", *arguments], text=text)


def _sysusers_lines(user: User) -> list[str]:
    account = f'u {user.name} - "{user.name}" {user.home} {user.shell}'
    return [account, *(f"m {user.name} {group}" for group in user.groups)]


def _link(path: Path, target: str) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _write_os_release(root: Path, identity: Identity) -> None:
    """The fields of the product's, and a name that cannot be taken for it."""
    fields = {
        "PRETTY_NAME": f"Debian reference system for boot tests, not the product ({identity.version})",
        "NAME": "Debian reference system for boot tests",
        "ID": "voice-assistant-reference",
        "ID_LIKE": "debian",
        "VERSION_ID": identity.version,
        "BUILD_ID": identity.build,
        "IMAGE_ID": "voice-assistant-reference",
        "IMAGE_VERSION": identity.version,
        "VARIANT": "Debug: root has no password" if identity.debug else "Release",
        "VARIANT_ID": "debug" if identity.debug else "release",
        "MACHINE": "qemuarm64",
    }
    text = "".join(f'{name}="{value}"\n' for name, value in fields.items())
    (root / "usr/lib/os-release").write_text(text)
