"""tools.system.yocto.bitbake_progress: how far a build is."""

from __future__ import annotations

import pytest

from tools.system.yocto.bitbake_progress import Progress, ProgressView, read_progress


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        (
            "NOTE: Running task 53 of 70 (/a/meta/recipes-qt/qt6/qtbase_git.bb:do_compile)\n",
            Progress(53, 70, "qtbase compile"),
        ),
        (
            "NOTE: Running setscene task 1 of 9 (/a/b/whisper-backend.bb:do_package)",
            Progress(1, 9, "whisper-backend package"),
        ),
        (
            "NOTE: Running noexec task 2 of 9 (virtual:native:/a/x_1.0.bb:do_build)",
            Progress(2, 9, "x build"),
        ),
        ("NOTE: recipe qtbase-6.8: task do_compile: Started", None),
        ("", None),
    ],
)
def test_lines_of_bitbake(line: str, progress: Progress | None) -> None:
    assert read_progress(line) == progress


def test_a_log_gets_a_line_every_twentieth(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter(range(0, 60_000, 60))
    view = ProgressView("image", now=lambda: float(next(seconds)))
    view.stage("bitbake")
    for done in range(1, 101):
        view.show(Progress(done, 100, "x compile"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "image: bitbake ..."
    assert len(lines) == 21
    assert lines[1] == "image:   5%, task 5 of 100, 5 min, x compile ..."


def test_it_starts_again_when_bitbake_counts_anew(capsys: pytest.CaptureFixture[str]) -> None:
    view = ProgressView("image", now=lambda: 0.0)
    view.show(Progress(10, 10, "x package"))
    view.show(Progress(1, 100, "y fetch"))
    assert len(capsys.readouterr().err.splitlines()) == 2
