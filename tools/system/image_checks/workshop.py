"""What all checks of ``tools/image_check`` share: the cache, the mirrors, a user, build folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.process.folder_lock import locked
from tools.root import CACHE, ROOT
from tools.system.yocto.build_folder import BuildFolder
from tools.system.yocto.images import RELEASES, Image, repositories
from tools.system.yocto.kas import Kas
from tools.system.yocto.mirrors import find_mirrors, git_configuration, mirror_folder
from tools.system.yocto.ordinary_user import OrdinaryUser

OVERLAYS: Final = ROOT / "tests/layer"
"""Kas files and a layer for checks only."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where checks work.

    Args:
        cache: kept between runs, so that a second one is quick.
        mirrors: git directories of the layers, by upstream address.
        without_mirror: the names of those that have none.
    """

    cache: Path
    user: OrdinaryUser
    kas: Kas
    mirrors: Mapping[str, Path]
    without_mirror: tuple[str, ...]

    @classmethod
    def open(cls, environment: Mapping[str, str], cache: Path = CACHE) -> Workshop:
        """Find out what there is to work with; nothing is made yet but folders.

        Raises:
            ConfigurationError: the cache belongs to another user, from an earlier run.
        """
        user = OrdinaryUser.choose(environment)
        urls: dict[str, str] = {}
        for release in RELEASES:
            urls |= repositories(release)
        folder = mirror_folder(ROOT, environment)
        mirrors = {} if folder is None else find_mirrors(folder, urls)
        work = cache / "image-check"
        configuration = work / "gitconfig"
        try:
            work.mkdir(parents=True, exist_ok=True)
            configuration.write_text(git_configuration(mirrors))
        except OSError as error:
            raise ConfigurationError(
                f"{configuration} cannot be written ({error.strerror}): remove {work}, another user's"
            ) from error
        return cls(
            cache=work,
            user=user,
            kas=Kas(user, cache, configuration),
            mirrors=mirrors,
            without_mirror=tuple(name for name, url in urls.items() if url not in mirrors),
        )

    def locked(self) -> AbstractContextManager[None]:
        """Keep others out, who would build in the same folders.

        Raises:
            ConfigurationError: another process is in.
        """
        return locked(self.cache)

    @property
    def logs(self) -> Path:
        """What programs said, one file for each."""
        return self.cache / "logs"

    def folder(self, name: str) -> Path:
        """A folder in the cache that the ordinary user may write."""
        return self.user.own(self.cache / name)

    def empty_folder(self, name: str) -> Path:
        """The same, without what an earlier run left there."""
        shutil.rmtree(self.cache / name, ignore_errors=True)
        return self.folder(name)

    def build_folder(self, image: Image, kind: str) -> BuildFolder:
        """A build folder, made by ``kas checkout`` with an overlay from ``tests/layer``.

        Args:
            kind: the overlay's name.
        """
        work = self.folder(image.release)
        build = self.folder(f"{image.release}/{image.machine}-{kind}")
        files = image.kas_files([OVERLAYS / f"{kind}.yml"])
        name = f"{image.release}-{image.machine}-{kind}"
        log = self.logs / f"{name}-kas-checkout.log"
        self.kas.run(work, build, "checkout", files, log=log).require_success()
        return BuildFolder(
            path=build,
            poky=work / "poky",
            prefix=tuple(self.user.command([])),
            environment=self.kas.environment(work, build),
            logs=self.logs / name,
        )

    def is_root(self) -> bool:
        """Whether checks that need root can be made."""
        return os.geteuid() == 0
