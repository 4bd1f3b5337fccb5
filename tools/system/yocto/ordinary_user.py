"""bitbake refuses to run as root: somebody else runs it then."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rtap.errors import ConfigurationError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Not the caller's: what only root may read would be found there first."""


@dataclass(frozen=True, slots=True)
class OrdinaryUser:
    """Who runs kas and bitbake: the caller, or, when that is root, an unprivileged user."""

    name: str
    uid: int
    gid: int

    @classmethod
    def choose(cls, environment: Mapping[str, str]) -> OrdinaryUser:
        """The caller; for root ``$IMAGE_CHECK_USER``, who called sudo, or nobody.

        Raises:
            ConfigurationError: the user named does not exist or is root.
        """
        if os.geteuid() != 0:
            return cls._of(pwd.getpwuid(os.geteuid()))
        wanted = environment.get("IMAGE_CHECK_USER") or environment.get("SUDO_USER") or "nobody"
        if wanted == "root":
            wanted = "nobody"
        try:
            return cls._of(pwd.getpwnam(wanted))
        except KeyError:
            raise ConfigurationError(
                f"IMAGE_CHECK_USER: no user {wanted!r}: make one with `useradd --create-home {wanted}`"
            ) from None

    @classmethod
    def _of(cls, entry: pwd.struct_passwd) -> OrdinaryUser:
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """What runs ``arguments`` as this user."""
        if os.geteuid() == self.uid:
            return list(arguments)
        identity = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        return ["setpriv", *identity, "--", *arguments]

    def own(self, folder: Path) -> Path:
        """Make a folder that this user may write.

        Raises:
            ConfigurationError: it belongs to another user, from an earlier run.
        """
        if not folder.exists():
            folder.mkdir(parents=True)
            if os.geteuid() != self.uid:
                os.chown(folder, self.uid, self.gid)
        if folder.stat().st_uid != self.uid:
            raise ConfigurationError(
                f"{folder} belongs to another user than {self.name}: remove it"
            )
        return folder
