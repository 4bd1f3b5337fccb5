"""StagedDirectory: whole or not at all, whatever stops it, and at whatever moment."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError, StorageError
from rtap.whisper.model_directory import MANIFEST_NAME
from tools.model.conversion.staging import StagedDirectory, storage_errors

Work = Callable[[Path], None]


def writes(*names: str) -> Work:
    def work(scratch: Path) -> None:
        for name in names:
            (scratch / name).write_text(name)

    return work


def fails_after(name: str, error: BaseException) -> Work:
    def work(scratch: Path) -> None:
        (scratch / name).write_text("half")
        raise error

    return work


def not_again(_: Path) -> None:
    pytest.fail("this step was done before")


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "models" / "mini"


@pytest.fixture
def standing(output: Path) -> Path:
    """An earlier model at the output."""
    output.mkdir(parents=True)
    (output / MANIFEST_NAME).write_text("old")
    return output


def replace(output: Path) -> None:
    with StagedDirectory(output, "new", replace=True) as staged:
        staged.step("all", writes(MANIFEST_NAME, "new"))
        staged.commit()


def test_appears_at_the_commit(output: Path) -> None:
    with StagedDirectory(output, "", replace=False) as staged:
        assert staged.step("one", writes("b", "a"))
        assert staged.step("two", writes("c"))
        assert [file.name for file in staged.files()] == ["a", "b", "c"]
        assert not output.exists()
        staged.commit()
    assert names(output) == ["a", "b", "c"]
    assert names(output.parent) == ["mini"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("bug"), MemoryError()])
def test_a_step_counts_or_leaves_nothing(error: BaseException, output: Path) -> None:
    with StagedDirectory(output, "", replace=False) as staged:
        staged.step("one", writes("a"))
        with pytest.raises(type(error)):
            staged.step("two", fails_after("b", error))
        assert [file.name for file in staged.files()] == ["a"]
    with StagedDirectory(output, "", replace=False) as staged:
        assert not staged.step("one", not_again)
        assert staged.step("two", writes("b"))
        staged.commit()
    assert names(output) == ["a", "b"]


def test_scratch_of_a_killed_run_is_cleared(output: Path) -> None:
    with StagedDirectory(output, "", replace=False) as staged:
        scratch = staged.path / ".scratch"
        scratch.mkdir()
        (scratch / "half").touch()
        staged.step("one", writes("a"))
        staged.commit()
    assert names(output) == ["a"]


def test_other_inputs_start_afresh(output: Path) -> None:
    with StagedDirectory(output, "one", replace=False) as staged:
        staged.step("step", writes("from one"))
    with StagedDirectory(output, "two", replace=False) as staged:
        assert staged.files() == []
        assert staged.step("step", writes("from two"))
        staged.commit()
    assert names(output) == ["from two"]


@pytest.mark.parametrize("state", ["", "{", "[]", '{"fingerprint": ""}', '{"steps": ["one"]}'])
def test_a_record_that_cannot_be_read_starts_afresh(state: str, output: Path) -> None:
    with StagedDirectory(output, "", replace=False) as staged:
        staged.step("one", writes("a"))
        (staged.path / ".steps.json").write_text(state)
    with StagedDirectory(output, "", replace=False) as staged:
        assert staged.files() == []


def test_an_output_that_exists_is_refused_and_leaves_no_trace(standing: Path) -> None:
    with pytest.raises(ConfigurationError, match="add --force"):
        StagedDirectory(standing, "", replace=False)
    assert names(standing.parent) == ["mini"]


def test_replaces(standing: Path) -> None:
    replace(standing)
    assert names(standing) == [MANIFEST_NAME, "new"]
    assert names(standing.parent) == ["mini"]


def test_the_old_one_stands_until_the_commit(standing: Path) -> None:
    with StagedDirectory(standing, "new", replace=True) as staged:
        staged.step("all", writes(MANIFEST_NAME))
    assert (standing / MANIFEST_NAME).read_text() == "old"


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_a_replacement_that_is_killed_loses_nothing(
    moves: int, standing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old away, new in place: killed before the first, between the two, and after both."""
    rename, count = Path.rename, 0

    def killed(path: Path, target: Path) -> Path:
        nonlocal count
        if count == moves:
            raise KeyboardInterrupt
        count += 1
        return rename(path, target)

    def killed_while_clearing(path: Path, **_: object) -> None:
        if count == moves and Path(path).name.endswith(".replaced"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed)
        if moves == 2:
            patched.setattr(shutil, "rmtree", killed_while_clearing)
        with pytest.raises(KeyboardInterrupt):
            replace(standing)
    with pytest.raises(ConfigurationError, match="exists already"):
        # What is there counts, even to a run that would not replace it.
        StagedDirectory(standing, "new", replace=False)
    assert (standing / MANIFEST_NAME).read_text() == ("old" if moves < 2 else MANIFEST_NAME)
    replace(standing)
    assert names(standing) == [MANIFEST_NAME, "new"]
    assert names(standing.parent) == ["mini"]


def test_one_at_a_time(output: Path) -> None:
    first = StagedDirectory(output, "", replace=False)
    with pytest.raises(StorageError, match="another run is writing"):
        StagedDirectory(output, "", replace=False)
    first.close()
    StagedDirectory(output, "", replace=False).close()


def test_files_are_readable_by_all(output: Path) -> None:
    def private(scratch: Path) -> None:
        (scratch / "weights").touch(mode=0o600)

    mask = os.umask(0o022)
    try:
        with StagedDirectory(output, "", replace=False) as staged:
            staged.step("one", private)
            staged.commit()
    finally:
        os.umask(mask)
    assert (output / "weights").stat().st_mode & 0o777 == 0o644


def test_through_a_link(tmp_path: Path, standing: Path) -> None:
    (tmp_path / "link").symlink_to(standing)
    replace(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert names(standing) == [MANIFEST_NAME, "new"]


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_places_without_a_name(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for force in (False, True):
        with pytest.raises(ConfigurationError):
            StagedDirectory(Path(place), "", replace=force)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space"), "the disk is full"),
        (OSError(errno.EDQUOT, "Quota"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "choose another place"),
        (OSError(errno.EROFS, "Read-only file system"), "choose another place"),
        # As safetensors and ONNX Runtime say it.
        (RuntimeError(f"I/O error: {os.strerror(errno.ENOSPC)} (os error 28)"), "the disk is full"),
    ],
)
def test_refusals_of_the_file_system(error: Exception, message: str, output: Path) -> None:
    with pytest.raises(StorageError, match=message), storage_errors(output):
        raise error


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "x"), ValueError("y")])
def test_other_errors_stay_what_they_are(error: Exception, output: Path) -> None:
    with pytest.raises(type(error)) as caught, storage_errors(output):
        raise error
    assert caught.value is error
