"""What a layer's repository has that a pinned commit has not."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rtap.errors import RTAPException
from tools.system.yocto.pins import Pin

_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE)
_DEPTHS: Final = (200, 2_000, 20_000, 2_147_483_647)
"""How many commits are fetched until the pinned one is among them; the last is git's own word for all."""
_SECONDS: Final = 600.0
_SLOW: Final = ("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=30")


class UpstreamError(RTAPException):
    """A repository could not be asked."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One that is newer than the pinned one."""

    identifier: str
    date: str
    """YYYY-MM-DD."""
    subject: str
    weaknesses: tuple[str, ...]
    """Numbers (CVE) that its message names."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a pin stands in its branch."""

    pin: Pin
    pinned_date: str
    tip: str
    tip_date: str
    newer: tuple[Commit, ...]
    """Newest first."""


@dataclass(slots=True)
class Upstream:
    """Asks repositories; histories without files are kept in a cache.

    Args:
        cache: a folder for them.
        mirrors: git directories that are asked instead, by upstream address.
    """

    cache: Path
    mirrors: Mapping[str, Path]
    _unreachable: dict[str, str] = field(default_factory=dict)

    def standing(self, pin: Pin) -> Standing:
        """Raises: UpstreamError: nobody answers, or the branch or the commit is not there."""
        mirror = self.mirrors.get(pin.url)
        folder = mirror or self._fetched(pin)
        tip = _git(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{pin.branch}")
        if tip is None:
            raise UpstreamError(f"{folder} has no branch {pin.branch}: fetch it anew")
        tip = tip.strip()
        if _git(folder, "merge-base", "--is-ancestor", pin.commit, tip) is None:
            raise UpstreamError(
                f"{pin.branch} of {mirror or pin.url} does not have the pinned {pin.commit[:10]}: was "
                "the branch rewritten, or is the copy older than the pin?"
            )
        return Standing(
            pin=pin,
            pinned_date=_date(folder, pin.commit),
            tip=tip,
            tip_date=_date(folder, tip),
            newer=tuple(_commits(folder, f"{pin.commit}..{tip}")),
        )

    def _fetched(self, pin: Pin) -> Path:
        folder = self.cache / f"{pin.name}.git"
        self._require_answer(pin)
        if not (folder / "HEAD").is_file():
            folder.parent.mkdir(parents=True, exist_ok=True)
            _git(folder.parent, "init", "--quiet", "--bare", str(folder))
        reference = f"+refs/heads/{pin.branch}:refs/heads/{pin.branch}"
        for depth in _DEPTHS:
            # Without files and folders: only what commits say is read.
            command = ["fetch", "--quiet", "--no-tags", "--filter=tree:0", f"--depth={depth}"]
            if _git(folder, *_SLOW, *command, pin.url, reference) is None:
                raise UpstreamError(f"{pin.url} does not give {pin.branch}: try again later")
            if _git(folder, "merge-base", "--is-ancestor", pin.commit, pin.branch) is not None:
                break
        return folder

    def _require_answer(self, pin: Pin) -> None:
        host = urlsplit(pin.url).hostname or pin.url
        if host not in self._unreachable:
            command = ["git", *_SLOW, "ls-remote", pin.url, f"refs/heads/{pin.branch}"]
            said, is_there = _asked(command)
            if is_there:
                return
            self._unreachable[host] = said
        raise UpstreamError(
            f"{host} cannot be asked ({self._unreachable[host]}): connect to the network, or name a folder "
            "with copies of the layers in YOCTO_GIT_MIRROR"
        )


def _asked(command: list[str]) -> tuple[str, bool]:
    """What git complained of, and whether it had an answer."""
    try:
        done = subprocess.run(
            command, env=_environment(), capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return "no answer within a minute", False
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no reason given"])[-1], False
    return "no such branch", bool(done.stdout.strip())


def _commits(folder: Path, span: str) -> list[Commit]:
    text = _git(folder, "log", "--format=%H%x1f%cs%x1f%s%x1f%b%x1e", span) or ""
    found = []
    for entry in filter(str.strip, text.split("\x1e")):
        identifier, date, subject, body = entry.strip("\n").split("\x1f")
        numbers = sorted({one.upper() for one in _CVE.findall(f"{subject}\n{body}")})
        found.append(Commit(identifier, date, subject, tuple(numbers)))
    return found


def _date(folder: Path, commit: str) -> str:
    return (_git(folder, "log", "-1", "--format=%cs", commit) or "").strip()


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None where it fails."""
    command = ["git", "-C", str(folder), "-c", "safe.directory=*", *arguments]
    try:
        done = subprocess.run(
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def _environment() -> dict[str, str]:
    # A repository that wants a password is as good as none.
    return os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
