"""Programs that the build starts: missing, failing, out of disk."""

import sys
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError, StorageError
from tools.process.programs import BuildError, require, run


def fail(*lines: str, status: int = 3) -> list[str]:
    text = "\n".join(lines)
    return [sys.executable, "-c", f"import sys; sys.stderr.write({text!r}); sys.exit({status})"]


def test_missing_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match="not installed: apt-get install mmdebstrap"):
        require("mmdebstrap", "mmdebstrap")


def test_output_and_environment() -> None:
    program = "import os; print(os.environ['ANSWER'])"
    command = [sys.executable, "-c", program]
    assert run(command, advice="", environment={"ANSWER": "42"}) == "42\n"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("E: no such package", "I: tidying up"), "E: no such package"),
        (("ERROR: first", "ERROR: second", "bye"), "ERROR: second"),
        (("one", "two"), "two"),
        ((), "no message"),
    ],
)
def test_the_line_that_tells_is_shown(lines: tuple[str, ...], told: str) -> None:
    with pytest.raises(BuildError) as caught:
        run(fail(*lines), advice="do this")
    assert str(caught.value).endswith(f"failed with status 3 ({told}): do this")


def test_input_and_folder(tmp_path: Path) -> None:
    run(["tee", Path("copy")], text="text", folder=tmp_path)
    assert (tmp_path / "copy").read_text() == "text"


def test_without_advice_the_line_stands_for_itself() -> None:
    with pytest.raises(BuildError, match=r"^sh failed with status 3: it is broken$"):
        run(["sh", "-c", "echo it is broken >&2; exit 3"])


def test_a_disk_that_is_really_full() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with pytest.raises(StorageError, match="the disk is full: free some space"):
        run(["dd", "if=/dev/zero", "of=/dev/full", "count=1"])


def test_the_users_language_hides_no_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    with pytest.raises(BuildError, match=r"C\.UTF-8"):
        run(["sh", "-c", "echo $LC_ALL >&2; exit 1"])


def test_full_disk() -> None:
    with pytest.raises(StorageError, match="the disk is full"):
        run(fail("tar: write error: No space left on device"), advice="")
