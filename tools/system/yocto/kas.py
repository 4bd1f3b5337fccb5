"""kas, in a virtual environment of its own: its packages never meet those of the service."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.process.run import Done, complaint, run
from tools.root import ROOT
from tools.system.yocto.ordinary_user import PATH, OrdinaryUser

LOCK: Final = ROOT / "requirements-image.lock"
_HOURS: Final = 3600


@dataclass(frozen=True, slots=True)
class Kas:
    """kas as an ordinary user, in an environment without surprises.

    Args:
        cache: has the virtual environment, the user's home and the logs.
        git_configuration: a file that makes git use mirrors.
    """

    user: OrdinaryUser
    cache: Path
    git_configuration: Path | None = None
    passed: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that the kas files ask for."""

    @property
    def programs(self) -> Path:
        """Where kas and oelint-adv are."""
        return self.cache / "image-venv/bin"

    def install(self) -> None:
        """Make the virtual environment, unless it is there.

        Raises:
            ConfigurationError: pip failed.
        """
        stamp = self.programs.parent / ".made-from"
        key = hashlib.sha256(LOCK.read_bytes()).hexdigest()
        if stamp.is_file() and stamp.read_text() == key:
            return
        python = next(one for one in self._pythons() if self._may_run(one))
        venv = [str(python), "-m", "venv", "--clear", "--without-pip", str(self.programs.parent)]
        # pip is this environment's own, because Debian ships a Python without one.
        pip = [sys.executable, "-m", "pip", "--python", str(self.programs / "python"), "install"]
        pip += ["--disable-pip-version-check", "--no-input", "--quiet", "--no-deps"]
        for command in (venv, [*pip, "--require-hashes", "-r", str(LOCK)]):
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
            if done.returncode:
                said = complaint(done.stderr)
                raise ConfigurationError(f"kas could not be installed from {LOCK.name}: {said}")
        stamp.write_text(key)

    def _pythons(self) -> Iterator[Path]:
        # Root's own Python may lie where nobody else may read.
        yield Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
        yield Path("/usr/bin/python3")

    def _may_run(self, python: Path) -> bool:
        command = self.user.command([str(python), "-c", "import venv"])
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
        except OSError:
            return False
        return done.returncode == 0

    def environment(self, work: Path, build: Path) -> dict[str, str]:
        """For kas and for bitbake alike."""
        names = ("http_proxy", "https_proxy", "no_proxy", "DL_DIR", "SSTATE_DIR")
        ours = {name: os.environ[name] for name in names if name in os.environ}
        ours |= {"PATH": PATH, "HOME": str(self.home()), "LANG": "en_US.UTF-8", "TERM": "dumb"}
        ours |= {"KAS_WORK_DIR": str(work), "KAS_BUILD_DIR": str(build)}
        # bitbake drops what it does not know.
        ours |= self.passed
        if self.git_configuration is not None:
            ours["GITCONFIG_FILE"] = str(self.git_configuration)
            ours["KAS_CLONE_DEPTH"] = "1"  # all that a mirror may have
        return ours

    def home(self) -> Path:
        """The user's; kas and bitbake write there, and root's is closed to others."""
        return self.user.own(self.cache / f"image-home-{self.user.name}")

    def run(self, work: Path, build: Path, *arguments: str, log: Path) -> Done:
        """Run ``kas ARGUMENTS``; see :func:`tools.process.run.run`."""
        self.install()
        command = self.user.command([str(self.programs / "kas"), *arguments])
        environment = self.environment(work, build)
        limit = 10 * _HOURS
        return run(command, log, name="kas", folder=ROOT, environment=environment, seconds=limit)
