"""Our recipes, installed by their own rules; test_against_bitbake.py compares with bitbake."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rtap.errors import ConfigurationError, StorageError
from tools.process.programs import BuildError
from tools.system.image_checks.sample_container import write_sample
from tools.system.image_checks.sample_model import write_sample_model
from tools.system.reference.payload import (
    Payload,
    finish_as_image,
    install_by_recipes,
    install_packages,
    our_packages,
    unpack_package,
)
from tools.system.yocto.recipe import RecipeError

MakePackage = Callable[..., Path]
UNITS = {
    "data.mount",
    "voice-assistant-data.service",
    "voice-assistant-speed.service",
    "voice-assistant-state.service",
    "voice-assistant.service",
    "whisper-backend-load.service",
    "whisper-backend.service",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir(mode=0o755)
    return folder


def install(root: Path, container: Path, gui: Path) -> Payload:
    return install_by_recipes(root, container, gui, "7.8.9", root.parent / "work")


def check_payload(payload: Payload) -> None:
    assert set(payload.units) == UNITS
    assert payload.groups == ("render",)
    (user,) = payload.users
    assert (user.name, user.home) == ("voice-assistant", "/data/voice-assistant")
    assert user.shell == "/sbin/nologin"
    assert user.groups == ("audio", "input", "render", "video")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_sample_model(tmp_path)


def install_model(root: Path, container: Path, gui: Path, model: Path | None) -> Path:
    install_by_recipes(root, container, gui, "7.8.9", root.parent / "work", model)
    return root / "usr/share/voice-assistant/models"


def test_the_model_is_installed_and_chosen(
    root: Path, container: Path, gui: Path, model: Path
) -> None:
    (model / "notes.txt").write_text("not in the manifest\n")
    models = install_model(root, container, gui, model)
    assert (models / "default").read_text() == "sample-model\n"
    names = sorted(file.name for file in (models / "sample-model").iterdir())
    assert names == ["config.json", "encoder.onnx.data", "manifest.json"]
    weights = models / "sample-model/encoder.onnx.data"
    assert weights.read_bytes() == (model / "encoder.onnx.data").read_bytes()
    # The container's user is nobody here.
    assert weights.stat().st_mode & 0o777 == 0o644


def test_an_image_may_be_without_a_model(root: Path, container: Path, gui: Path) -> None:
    assert not install_model(root, container, gui, None).exists()


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("encoder.onnx.data", "weighty\n", "encoder.onnx.data in .* is missing or damaged"),
        ("manifest.json", "{", "is no manifest of a model"),
        ("manifest.json", '{"files": {"../x": {"sha256": ""}}}', "no name of a file in a model"),
    ],
)
def test_a_damaged_model_is_refused(
    root: Path, container: Path, gui: Path, model: Path, file: str, text: str, complaint: str
) -> None:
    (model / file).write_text(text)
    with pytest.raises(RecipeError, match=f"whisper-model.bb: .*{complaint}"):
        install_model(root, container, gui, model)


def test_every_recipe_installs(root: Path, container: Path, gui: Path) -> None:
    check_payload(install(root, container, gui))
    for unit in UNITS:
        assert (root / "usr/lib/systemd/system" / unit).is_file(), unit
    assert (root / "data").is_dir()
    installed = root / "var/lib/docker/images/whisper-backend.tar"
    assert installed.read_bytes() == (container / "whisper-backend.tar").read_bytes()
    # QEMU has no graphics processor.
    assert "linuxfb" in (root / "etc/default/voice-assistant").read_text()
    # What sed replaces.
    rules = (root / "usr/lib/udev/rules.d/61-voice-assistant-data.rules").read_text()
    assert 'ATTR{partition}=="3"' in rules


def test_image_id_is_that_of_the_container(root: Path, container: Path, gui: Path) -> None:
    install(root, container, gui)
    with tarfile.open(container / "whisper-backend.tar") as archive:
        (name,) = (one for one in archive.getnames() if one.endswith(".json") and len(one) > 60)
    identity = (root / "usr/share/whisper-backend/image-id").read_text().strip()
    assert identity == f"sha256:{name.removesuffix('.json')}"
    checksum = hashlib.sha256((container / "whisper-backend.tar").read_bytes()).hexdigest()
    assert (root / "usr/share/whisper-backend/archive.sha256").read_text().strip() == checksum


def test_docker_as_old_as_kirkstones_gets_a_place_for_its_key(
    root: Path, container: Path, gui: Path
) -> None:
    install(root, container, gui)
    text = (root / "etc/docker/daemon.json").read_text()
    assert '"deprecated-key-path": "/data/docker-key.json"' in text


def test_a_package_that_the_image_lacks_is_left_out(root: Path, container: Path, gui: Path) -> None:
    install(root, container, gui)
    assert [path for path in root.rglob("*") if "zram" in path.name] == []
    assert (root / "usr/libexec/voice-assistant/full-speed").is_file()


def test_screen_without_the_modes_of_the_caches_folders(
    root: Path, container: Path, gui: Path
) -> None:
    install(root, container, gui)
    program = root / "usr/bin/qt6-voice-assistant"
    assert program.stat().st_mode & 0o777 == 0o755
    assert root.stat().st_mode & 0o777 == 0o755
    assert (root / "usr/bin").stat().st_mode & 0o077, "nobody else may look into /usr/bin"


def test_wrong_checksum_is_refused(root: Path, container: Path, gui: Path) -> None:
    with (container / "whisper-backend.tar").open("ab") as archive:
        archive.write(bytes(512))
    with pytest.raises(RecipeError, match=r"whisper-backend\.bb: .* has the SHA-256 .*, expected"):
        install(root, container, gui)


def test_foreign_processor_is_refused(root: Path, container: Path, gui: Path) -> None:
    write_sample(container, architecture="amd64")
    with pytest.raises(RecipeError, match="is for amd64, this machine wants arm64"):
        install(root, container, gui)


def test_no_container(root: Path, gui: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no .*backend\.tar: make container"):
        install(root, tmp_path / "nothing", gui)


def finish(root: Path, password: str, *, debug: bool) -> None:
    (root / "etc").mkdir()
    (root / "etc/shadow").write_text(f"root:{password}:20000::::::\ndaemon:*:20000::::::\n")
    finish_as_image(root, debug=debug)


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("", "These accounts have no password: root"),
        ("$6$salt$hash", "These accounts have a password that is the same on every device: root"),
    ],
)
def test_a_release_refuses_open_accounts(root: Path, password: str, complaint: str) -> None:
    with pytest.raises(RecipeError, match=complaint):
        finish(root, password, debug=False)


def test_a_release_with_closed_accounts(root: Path) -> None:
    finish(root, "*", debug=False)
    assert (root / "etc/issue").read_text().startswith(r"Voice Assistant \S{IMAGE_VERSION}")
    assert (root / "boot").is_dir()
    assert (root / "data").is_dir()


def test_debugging_may_have_an_open_account(root: Path) -> None:
    finish(root, "", debug=True)
    assert (root / "etc/issue").is_file()


def test_packages_of_bitbake(root: Path, make_package: MakePackage) -> None:
    package = make_package("voice-assistant-data", **{"etc/file": "text"})
    check_payload(install_packages(root, [package]))
    assert (root / "etc/file").read_text() == "text"


OURS = (
    "qt6-voice-assistant",
    "voice-assistant-audio",
    "voice-assistant-data",
    "voice-assistant-tuning",
    "whisper-backend",
)


def test_of_all_packages_only_those_of_the_image(tmp_path: Path) -> None:
    others = ("docker-moby", "voice-assistant-zram", "whisper-backend-dbg", "whisper-backend-dev")
    for number, name in enumerate((*OURS, *others)):
        folder = tmp_path / f"architecture{number % 2}"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}_0.1.0-r0_arm64.deb").touch()
    names = [file.name.partition("_")[0] for file in our_packages(tmp_path)]
    assert sorted(names) == list(OURS)


def test_missing_packages_are_named(tmp_path: Path) -> None:
    for name in OURS[1:-1]:
        (tmp_path / f"{name}_0.1.0-r0_arm64.deb").touch()
    with pytest.raises(ConfigurationError, match="no package qt6-voice-assistant, whisper-backend"):
        our_packages(tmp_path)


def test_links_of_the_root_are_followed(root: Path, make_package: MakePackage) -> None:
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    package = make_package("thing", **{"lib/wanted": "1", "usr/share/doc/x": "2"})
    unpack_package(package, root, ["./usr/share/doc/*"])
    assert (root / "lib").is_symlink()
    assert (root / "usr/lib/wanted").read_text() == "1"
    assert not (root / "usr/share/doc/x").exists()


def test_damaged_package(root: Path, make_package: MakePackage) -> None:
    package = make_package("thing", **{"etc/file": "text" * 10_000})
    whole = package.read_bytes()
    package.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        BuildError, match=r"^thing_1\.0_all\.deb is damaged \(.+\): fetch it again$"
    ):
        unpack_package(package, root, advice="fetch it again")


def test_full_disk(small_disk: Any, make_package: MakePackage) -> None:
    package = make_package("thing", **{"etc/file": "text" * 100_000})
    with pytest.raises(StorageError, match="the disk is full: free some space"):
        unpack_package(package, small_disk.path)
