"""What all tests share: the small models, made once by the project's own tools, and what takes too long."""

# ruff: noqa: PLC0415 (tests that need no model shall not wait for the conversion packages)

from __future__ import annotations

import fcntl
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

_ASKED_FOR: Final = {
    "container": "pytest -m container",
    "image": "make test-image",
    "power_cuts": "make test-power-cuts",
    "layer": "make image-check, or pytest -m layer",
}
"""Markers, and the command that runs their tests."""


_TAKES_LONG: Final = "takes long: "
_NOBODY: Final = 65534


def pytest_configure() -> None:
    """A job in a shell's background ignores Ctrl-C, and so would all programs that tests start from it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Of torch, here and in what tests start: networks are tiny, other tests have the other cores, and threads
    # that wait for each other spin.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--skips-at-most",
        type=int,
        metavar="N",
        help="fail where more tests skip than N, beside those that take long",
    )


def _too_many_skips(config: pytest.Config) -> str:
    """Why the run is not good; empty: it is."""
    allowed = config.option.skips_at_most
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    # Only the process that collects the results knows all of them.
    if allowed is None or reporter is None or hasattr(config, "workerinput"):
        return ""
    reasons = [report.longrepr[2] for report in reporter.stats.get("skipped", ())]
    skipped = [reason for reason in reasons if not reason.startswith(f"Skipped: {_TAKES_LONG}")]
    if len(skipped) <= allowed:
        return ""
    return f"{len(skipped)} tests skipped, more than {allowed}: their reasons say what to install"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK and _too_many_skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Iterator[None]:
    """Tell it last, below the reasons."""
    yield
    if told := _too_many_skips(config):
        terminalreporter.write_line(told, red=True)


@pytest.fixture(scope="session", autouse=True)
def _no_models_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever runs the tests may have chosen a model; a test that names none is to get the bundled one."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MODEL_NAME", raising=False)
        patch.delenv("MODELS_DIR", raising=False)
        for variable, usual in (("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share")):
            present = Path(os.environ.get(variable) or Path.home() / usual)
            stand_in = home / variable
            stand_in.mkdir()
            # What other programs have there, such as pip its configuration, is still to be found; PulseAudio
            # wants a folder of its own, and no link to one.
            for one in present.iterdir() if present.is_dir() else ():
                if one.name not in ("rtap", "pulse"):
                    (stand_in / one.name).symlink_to(one)
            patch.setenv(variable, str(stand_in))
        yield


@pytest.fixture
def ordinary_user(tmp_path: Path) -> Iterator[None]:
    """Whose rights root has meanwhile, too, who could read everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(_NOBODY)
    yield
    if root:
        os.seteuid(0)


@contextmanager
def _first(folder: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A place that all processes of this run share, while no other one has it."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    place /= folder
    place.mkdir(exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint with Whisper's vocabulary; never change it."""
    with _first("checkpoint", tmp_path_factory) as place:
        path = place / "whisper-mini"
        if not path.exists():
            from tools.model.conversion.random_checkpoint import SIZES, make_checkpoint
            from tools.model.conversion.tokenizer_from_ranks import byte_tokenizer

            # Random weights fill every text to its end, six times, as none is likely enough.
            size = SIZES["mini"]._replace(tokens=128)
            make_checkpoint(path, size, seed=0, tokenizer=byte_tokenizer())
    return path


@pytest.fixture(scope="session")
def converted(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint's fp32 graphs; never change them."""
    with _first("converted", tmp_path_factory) as place:
        path = place / "mini"
        if not path.exists():
            from tools.model.conversion.convert import convert
            from tools.model.conversion.sources import open_checkpoint

            convert(open_checkpoint(str(checkpoint)), path, verify=False)
    return path


@pytest.fixture(scope="session")
def quantized(converted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The int8 model that the device would run; never change it."""
    with _first("quantized", tmp_path_factory) as place:
        path = place / "mini-int8"
        if not path.exists():
            from rtap.whisper.model_directory import ModelDirectory
            from tools.model.conversion.quantize import quantize

            quantize(ModelDirectory.open(converted), path, "int8")
    return path


@pytest.hookimpl(trylast=True)  # folders mark their tests as slow in a hook of their own
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes too long for every run waits until it is asked for; what takes longest begins first."""
    asked_for = str(config.option.markexpr)
    for marker, command in _ASKED_FOR.items():
        if marker in asked_for:
            continue
        skip = pytest.mark.skip(reason=f"{_TAKES_LONG}{command}")
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(skip)
    if hasattr(config, "workerinput"):
        # Quick files fill up the end, where one process would otherwise work at a slow one alone.
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: -slow[item.path])
