"""Puts the parts of our layer into a root: by the recipes' own rules, or bitbake's packages."""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.process.programs import BuildError, plain_environment, require_room
from tools.process.run import complaint
from tools.system.yocto.layer import LAYER, layer_variables, recipe_files
from tools.system.yocto.recipe import Recipe, RecipeError

IMAGE: Final = LAYER / "recipes-core/images/voice-assistant-image.inc"
GUI: Final = "qt6-voice-assistant"
BACKEND: Final = "whisper-backend"
MODEL: Final = "whisper-model"
_GROUPS: Final = ("packagegroup-voice-assistant",)
"""Recipes that have no files of their own."""


@dataclass(frozen=True, slots=True)
class User:
    """An account that a recipe asks for."""

    name: str
    home: str
    shell: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payload:
    """What has been installed."""

    units: tuple[str, ...]
    """To be enabled."""
    users: tuple[User, ...]
    groups: tuple[str, ...]


def recipes(
    variables: Mapping[str, str], work: Path, leave_out: Sequence[str] = ()
) -> list[Recipe]:
    """All recipes with files but those left out, each with a work folder of its own."""
    found = []
    for name, file in _files_of_recipes():
        if name in leave_out:
            continue
        folder = work / name
        (folder / "build").mkdir(parents=True)
        given = dict(variables) | {"WORKDIR": str(folder), "B": str(folder / "build")}
        found.append(Recipe.read(file, given, ("qemuall",)))
    return found


def install_by_recipes(
    root: Path, container: Path, gui: Path, version: str, work: Path, model: Path | None = None
) -> Payload:
    """Install everything as ``do_install`` of each recipe says.

    Args:
        container: folder with ``whisper-backend.tar`` and its checksum.
        gui: folder with the compiled screen, as ``cmake --install`` leaves it.
        version: of the system.
        work: an empty folder.
        model: folder of the speech model; None: the root gets none.

    Raises:
        RecipeError: a recipe refuses something.
    """
    archive = require_container(container)
    variables = layer_variables() | {
        "VOICE_ASSISTANT_VERSION": version,
        "WHISPER_BACKEND_TARBALL": str(archive),
        "WHISPER_BACKEND_ARCHIVE": str(archive),
        "TARGET_ARCH": "aarch64",
        # Debian's docker is as old as kirkstone's.
        "LAYERSERIES_CORENAMES": "kirkstone",
    }
    if model is not None:
        # It is read where it is: nothing changes it, and it is large.
        variables |= {"WHISPER_MODEL": str(model), "WHISPER_MODEL_FOLDER": str(model)}
    installed = recipes(variables, work, () if model else (MODEL,))
    for recipe in installed:
        recipe.fetch(work / recipe.name)
        if recipe.name == BACKEND:
            recipe.run_task("do_verify_tarball")
        if recipe.name == MODEL:
            recipe.run_task("do_verify_model")
        if recipe.name == GUI:
            _copy_files(gui, root)
        recipe.install(root)
        _remove_other_packages(recipe, root)
    return _payload(installed)


def require_container(folder: Path) -> Path:
    """The container's archive.

    Raises:
        ConfigurationError: there is none.
    """
    archive = folder / "whisper-backend.tar"
    if not archive.is_file():
        raise ConfigurationError(f"there is no {archive}: make container")
    return archive.resolve()


def our_packages(folder: Path) -> list[Path]:
    """Packages that the image has, among all that bitbake built.

    Raises:
        ConfigurationError: one is missing.
    """
    wanted = {recipe.name for recipe in recipes_without_files()}
    found = {
        name: file
        for file in sorted(folder.resolve().rglob("*.deb"))
        if (name := file.name.partition("_")[0]) in wanted
    }
    # As in the image: it may be without one.
    if missing := sorted(wanted - found.keys() - {MODEL}):
        raise ConfigurationError(
            f"there is no package {', '.join(missing)} in {folder}: bitbake them first"
        )
    return list(found.values())


def install_packages(root: Path, packages: Sequence[Path]) -> Payload:
    """Install the packages that bitbake built; units and accounts are those of the recipes."""
    for package in packages:
        unpack_package(package, root)
    return _payload(recipes_without_files())


def finish_as_image(root: Path, *, debug: bool) -> None:
    """Do to a finished root what the image's recipe does to it.

    Raises:
        RecipeError: somebody may log in who should not.
    """
    features = {"IMAGE_FEATURES": "debug-tweaks" if debug else "", "IMAGE_ROOTFS": str(root)}
    image = Recipe.read(IMAGE, layer_variables() | features)
    image.run_shell("voice_assistant_mount_points", "voice_assistant_issue")
    image.run_task("voice_assistant_check_accounts")


def recipes_without_files() -> list[Recipe]:
    """All recipes, to be asked only."""
    return [
        Recipe.read(file, layer_variables(), ("qemuall",)) for _name, file in _files_of_recipes()
    ]


def _files_of_recipes() -> list[tuple[str, Path]]:
    return [(name, file) for name, file in recipe_files().items() if name not in _GROUPS]


def unpack_package(
    package: Path, root: Path, leave_out: Sequence[str] = (), *, advice: str = "build it anew"
) -> None:
    """Unpack a .deb; /bin and the like may be links in the root.

    Args:
        leave_out: patterns of what is not wanted.
        advice: what to do when it is damaged.

    Raises:
        BuildError: it is damaged.
        StorageError: the disk is full.
    """
    unpack = [
        "tar",
        "--extract",
        "--keep-directory-symlink",
        "--preserve-permissions",
        "-C",
        str(root),
    ]
    exclude = [f"--exclude={pattern}" for pattern in leave_out]
    read = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(read, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as data:
        done = subprocess.run(
            [*unpack, *exclude],
            stdin=data.stdout,
            stderr=subprocess.PIPE,
            env=plain_environment(),
            text=True,
            errors="replace",
            check=False,
        )
    require_room(done.stderr)
    if done.returncode or data.returncode:
        said = complaint(done.stderr.partition("\n")[0])
        raise BuildError(f"{package.name} is damaged ({said}): {advice}")


def _copy_files(source: Path, root: Path) -> None:
    """Not the folders' modes, which are those of a cache."""
    for file in sorted(source.rglob("*")):
        target = root / file.relative_to(source)
        if file.is_dir() and not file.is_symlink():
            target.mkdir(parents=True, exist_ok=True)
        else:
            shutil.copy2(file, target, follow_symlinks=False)


def _remove_other_packages(recipe: Recipe, root: Path) -> None:
    """Remove what the recipe packs apart and the image does not have."""
    for package in recipe.get("PACKAGES").split():
        for pattern in recipe.get(f"FILES:{package}").split():
            (root / pattern.lstrip("/")).unlink()
        for unit in recipe.get(f"SYSTEMD_SERVICE:{package}").split():
            (root / recipe.get("systemd_system_unitdir").lstrip("/") / unit).unlink()


def _payload(installed: Sequence[Recipe]) -> Payload:
    units: list[str] = []
    users: list[User] = []
    groups: list[str] = []
    for recipe in installed:
        units += recipe.get(f"SYSTEMD_SERVICE:{recipe.name}").split()
        if parameters := recipe.get(f"USERADD_PARAM:{recipe.name}"):
            users += [_user(one) for one in parameters.split(";")]
        if parameters := recipe.get(f"GROUPADD_PARAM:{recipe.name}"):
            groups += [shlex.split(one)[-1] for one in parameters.split(";")]
    return Payload(tuple(units), tuple(users), tuple(groups))


def _user(parameters: str) -> User:
    """Read what ``useradd`` would be told."""
    parser = argparse.ArgumentParser(exit_on_error=False, add_help=False)
    for flag in ("--system", "--user-group", "--no-create-home"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--home-dir", default="/")
    parser.add_argument("--shell", default="/usr/sbin/nologin")
    parser.add_argument("--groups", default="")
    found, names = parser.parse_known_args(shlex.split(parameters))
    if len(names) != 1 or names[0].startswith("-"):
        raise RecipeError(f"these parameters of useradd are not understood here: {parameters}")
    groups = tuple(group for group in found.groups.split(",") if group)
    return User(names[0], found.home_dir, found.shell, groups)
