"""tools/image: what is refused before anything is built, and what kas gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import Start
from tests.tools.system.image_checks.conftest import workshop
from tools.commands import image
from tools.root import ROOT
from tools.system.image_checks.sample_container import write_sample
from tools.system.image_checks.verdict import CannotCheck, Check
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto import preflight
from tools.system.yocto.images import Image
from tools.system.yocto.kas import Kas

__all__ = ["workshop"]

build_image = image._build_image
check_layer = image._check_layer


@pytest.fixture(autouse=True)
def _good_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(preflight, "require_ordinary_user", lambda: None)
    monkeypatch.setattr(preflight, "require_programs", lambda: None)
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr("tools.model.conversion.default_model.find_default_model", lambda _: None)


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was started; nothing of it runs."""
    started: list[str] = []
    monkeypatch.setattr(image, "_check_layer", lambda _image, _workshop: started.append("checks"))
    monkeypatch.setattr(image, "_build_container", lambda _order: started.append("container"))
    monkeypatch.setattr(image, "_build_image", lambda _order, _view: started.append("image"))
    return started


@pytest.fixture
def kas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Puts a shell script in the place of kas, which then builds in a folder of this test's."""

    def replace(script: str) -> None:
        program = tmp_path / "programs/kas"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(Kas, "install", lambda _self: None)
        monkeypatch.setattr(Kas, "programs", program.parent)
        monkeypatch.setattr(image, "BUILD", tmp_path / "build")
        monkeypatch.setattr(image, "CACHE", tmp_path / ".cache")
        monkeypatch.setattr(image, "_build_image", build_image)

    return replace


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--machine", "raspberrypi9"], "unknown MACHINE 'raspberrypi9': choose one of qemuarm64"),
        (["--release", "dunfell"], "unknown RELEASE 'dunfell'"),
        (["--option", "turbo"], "unknown option 'turbo'"),
        (["--model", "whisper-huge"], "no model whisper-huge"),
        (["--container", "/nowhere/x.tar"], "there is no /nowhere/x.tar"),
        (["--free-gb", "1000000"], "GB free, the build takes up to 1000000"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    arguments: list[str], message: str, start: Start, built: list[str]
) -> None:
    done = start(image.main, *arguments)
    assert (done.status, done.out, built) == (2, "", [])
    assert len(done.err.splitlines()) == 1
    assert message in done.err


def test_a_wrong_checksum_is_told(start: Start, tmp_path: Path) -> None:
    sample = write_sample(tmp_path)
    sample.with_name(f"{sample.name}.sha256").write_text("00  whisper-backend.tar\n")
    done = start(image.main, "--container", sample)
    assert done.status == 2
    assert "has SHA-256" in done.err


def test_a_check_builds_nothing(start: Start, tmp_path: Path, built: list[str]) -> None:
    container = ("--container", write_sample(tmp_path))
    done = start(image.main, "--check", "--free-gb", "1", "--machine", "qemuarm64", *container)
    assert done.status == 0
    assert done.out.startswith("qemuarm64 on scarthgap can be built in ")
    assert built == []


def test_kas_gets_the_container_and_the_callers_settings(tmp_path: Path) -> None:
    container = tmp_path / "x.tar"
    order = image.Order(
        image=Image("kirkstone", "qemuarm64"),
        options=(),
        container=container,
        is_container_given=True,
        model=tmp_path / "whisper-base-int8",
        work=tmp_path,
    )
    caller = {"DL_DIR": "/mine", "PYTHONPATH": "/ours", "https_proxy": "proxy"}
    environment = image.build_environment(order, caller, tmp_path / "gitconfig")
    assert environment == {
        "DL_DIR": "/mine",
        "SSTATE_DIR": str(ROOT / ".cache/yocto/sstate-kirkstone"),
        "https_proxy": "proxy",
        "KAS_WORK_DIR": str(tmp_path),
        "KAS_BUILD_DIR": str(tmp_path / "build-qemuarm64"),
        "WHISPER_BACKEND_TARBALL": str(container),
        "WHISPER_MODEL": str(tmp_path / "whisper-base-int8"),
        "GITCONFIG_FILE": str(tmp_path / "gitconfig"),
        "KAS_CLONE_DEPTH": "1",
    }


def test_the_result_is_what_is_to_be_flashed(
    start: Start, tmp_path: Path, kas: Callable[[str], None]
) -> None:
    kas(
        'echo "NOTE: Running task 1 of 2 (/x/a_1.bb:do_compile)"\n'
        'echo "$@" > "$KAS_WORK_DIR/arguments"\n'
        'deployed="$KAS_BUILD_DIR/tmp/deploy/images/qemuarm64"\n'
        'mkdir -p "$deployed" && cd "$deployed"\n'
        "for type in wic.bz2 wic.bmap; do\n"
        "  echo x > core-image-base-qemuarm64-2026.$type\n"
        "  ln -s core-image-base-qemuarm64-2026.$type core-image-base-qemuarm64.rootfs.$type\n"
        "done"
    )
    container = ("--container", write_sample(tmp_path), "--free-gb", "1")
    done = start(image.main, "--machine", "qemuarm64", "--option", "debug", "--json", *container)
    assert done.status == 0
    document = json.loads(done.out)
    names = [Path(file).name for file in document["files"]]
    expected = [f"core-image-base-qemuarm64.rootfs.wic.{kind}" for kind in ("bmap", "bz2")]
    assert names == expected
    command = (tmp_path / "build/yocto/scarthgap/arguments").read_text()
    assert command.startswith("build ")
    assert command.strip().endswith("kas/opt/debug.yml")
    assert "image:  50%, task 1 of 2, 0 min, a compile ..." in done.err.splitlines()


def test_a_failed_build_tells_the_first_error_and_the_log(
    start: Start, tmp_path: Path, kas: Callable[[str], None]
) -> None:
    kas(
        'echo "ERROR: qtbase does not compile"; echo "   as it seems"; echo "NOTE: x"\n'
        'echo "ERROR: later"; exit 1'
    )
    done = start(image.main, "--container", write_sample(tmp_path), "--free-gb", "1")
    assert (done.status, done.out) == (1, "")
    *shown, last = done.err.splitlines()
    assert shown[2:] == ["ERROR: qtbase does not compile", "   as it seems", "ERROR: later"]
    assert "kas failed with status 1: ERROR: qtbase does not compile" in last
    assert last.endswith("raspberrypi4-64.log")


def test_a_build_without_an_image_is_a_failure(
    start: Start, tmp_path: Path, kas: Callable[[str], None]
) -> None:
    kas("true")
    done = start(image.main, "--container", write_sample(tmp_path), "--free-gb", "1")
    assert done.status == 1
    assert "left no image" in done.err


def test_the_container_comes_first(
    start: Start, tmp_path: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "ARCHIVE", tmp_path / "whisper-backend.tar")
    done = start(image.main, "--free-gb", "1")
    assert built == ["checks", "container"]
    assert "there is no " in done.err


def test_without_checks(
    start: Start, tmp_path: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "ARCHIVE", tmp_path / "whisper-backend.tar")
    start(image.main, "--free-gb", "1", "--unchecked")
    assert built == ["container"]


@pytest.fixture
def checker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    """Puts a script in the place of tools/image_check; returns the file that gets its arguments."""

    def replace(status: int) -> Path:
        program = tmp_path / "tools/image_check"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\nexit {status}\n')
        program.chmod(0o755)
        monkeypatch.setattr(image, "ROOT", tmp_path)
        return tmp_path / "arguments"

    return replace


def unmet(_workshop: Workshop) -> None:
    raise CannotCheck("no local mirror of poky")


def test_a_machine_without_mirrors_builds_and_is_told_what_was_not_checked(
    checker: Callable[[int], Path],
    workshop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    checks = [Check("style", "", str), Check("packages-scarthgap", "", str, (unmet,))]
    monkeypatch.setattr(image, "layer_checks", lambda _image: checks)
    arguments = checker(0)
    check_layer(Image("scarthgap", "qemuarm64"), workshop)
    assert arguments.read_text() == "--strict --only=style\n"
    said = "image: packages-scarthgap is not checked: no local mirror of poky\n"
    assert capfd.readouterr().err == said


def test_a_failed_check_ends_the_build(
    checker: Callable[[int], Path], workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "layer_checks", lambda _image: [Check("style", "", str)])
    checker(1)
    with pytest.raises(image.ImageError, match="--unchecked builds it anyway"):
        check_layer(Image("scarthgap", "qemuarm64"), workshop)


def test_the_checks_are_those_of_the_release_that_is_built() -> None:
    names = [check.name for check in image.layer_checks(Image("kirkstone", "qemuarm64"))]
    assert names == ["scripts", "style", "kas", "packages-kirkstone"]
