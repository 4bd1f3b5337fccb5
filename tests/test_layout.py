"""Where things lie: packages import in one direction and say what they hold, and tests mirror them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tools.root import ROOT


@dataclass(frozen=True)
class Tree:
    """A package with all that is below it, and its tests."""

    name: str
    folder: str
    tests: str
    order: tuple[str, ...]
    """Modules and packages, each of which imports only those before it. What is nowhere named belongs to
    the package that holds it."""
    tests_of_more: frozenset[str]
    """Tests that are about more than one module, or about all of the tree."""

    def modules(self) -> dict[str, Path]:
        """Every module by its dotted name."""
        folder = ROOT / self.folder
        found = {}
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join((self.name, *parts)).removesuffix(".__init__")] = path
        return found

    def place(self, module: str) -> int:
        """Where in the order a module stands."""
        inner = module.removeprefix(f"{self.name}.")
        holders = [one for one in self.order if f"{inner}.".startswith(f"{one}.")]
        assert holders, f"{module}: say in {Path(__file__).name} where in the order it stands"
        return self.order.index(max(holders, key=len))


RTAP = Tree(
    name="rtap",
    folder="backend/rtap",
    tests="tests/backend",
    order=(
        "rtap",
        "errors",
        "languages",
        "addresses",
        "atomic_file",
        "home",
        "audio",
        "intents.intent",
        "intents.question",
        "vehicle.result",
        "answers.answer",
        "events",
        "config",
        "intents",
        "bus",
        "logs",
        "telemetry",
        "vehicle",
        "answers",
        "whisper",
        "stages",
        "process",
        "pipeline",
        "assistant",
        "transports",
        "transports.service",
        "transports.schemas",
        "transports.api_errors",
        "transports.readiness",
        "transports.admission",
        "transports.lenient_requests",
        "transports.health",
        "transports.events_ws",
        "transports.zeromq",
        "transports.stream",
        "transports.wyoming",
        "transports.rest",
        "transports.openai",
        "transports.publishers",
        "transports.api",
        "standby",
        "model_loader",
        "hands_free",
        "app",
        "server",
        "doctor",
        "cli",
        "__main__",
    ),
    tests_of_more=frozenset(
        {
            "audio/test_audio_cases.py",
            "stages/test_detection_of_people.py",
            "test_car_service.py",
            "test_end_to_end.py",
            "test_main.py",
            "test_package.py",
            "test_service.py",
            "test_standby_service.py",
            "test_wyoming_service.py",
            "transports/openai/test_openai_client.py",
            "whisper/preference/test_commands_of_people.py",
            "whisper/test_against_transformers.py",
            "whisper/test_short_context_guards.py",
        }
    ),
)
TOOLS = Tree(
    name="tools",
    folder="tools",
    tests="tests/tools",
    order=(
        "root",
        "console",
        "process",
        "setup",
        "model.conversion",
        "model.evaluation",
        "system.yocto",
        "system.container",
        "system.disk_image",
        "system.signing",
        "gui",
        "model.cabin",
        "model.speaking",
        "model.adaptation",
        "system.booting",
        "system.flashing",
        "system.releasing",
        "system.reference",
        "system.image_checks",
        "benchmarks",
        "benchmarks.service",
        "benchmarks.asr",
        "commands",
    ),
    tests_of_more=frozenset(
        {
            "model/conversion/test_bad_models.py",
            "system/container/test_container.py",
            "system/reference/test_against_bitbake.py",
            "test_launcher.py",
        }
    ),
)
TREES = [pytest.param(RTAP, id="rtap"), pytest.param(TOOLS, id="tools")]


@cache
def imports(tree: Tree) -> tuple[tuple[str, str], ...]:
    """Which module imports which, those for types only and those inside functions included."""
    modules = tree.modules()
    found = []
    for module, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    imported = inner if inner in modules else node.module
                    if imported in modules and imported != module:
                        found.append((module, imported))
    return tuple(found)


@pytest.mark.parametrize("tree", TREES)
def test_packages_import_in_one_direction(tree: Tree):
    against = [
        f"{module} imports {imported}"
        for module, imported in imports(tree)
        if tree.place(imported) > tree.place(module)
    ]
    assert against == []


@pytest.mark.parametrize("tree", TREES)
def test_no_modules_import_in_a_circle(tree: Tree):
    graph: dict[str, set[str]] = {}
    for module, imported in imports(tree):
        graph.setdefault(module, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("tree", TREES)
def test_every_package_says_what_lives_there(tree: Tree):
    silent = [
        str(path.relative_to(ROOT))
        for path in tree.modules().values()
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


@pytest.mark.parametrize("tree", TREES)
def test_tests_mirror_the_code(tree: Tree):
    tests = ROOT / tree.tests
    found = {path.relative_to(tests) for path in tests.rglob("test_*.py")}
    astray = [
        str(path)
        for path in sorted(found)
        if str(path) not in tree.tests_of_more
        and not _is_there(ROOT / tree.folder / path.parent, path.stem.removeprefix("test_"))
    ]
    assert astray == []
    assert tree.tests_of_more <= {str(path) for path in found}


def _is_there(folder: Path, name: str) -> bool:
    """Whether a folder has a module, a package or a script of a name."""
    return (folder / name).is_dir() or any(folder.glob(f"{name}.*"))
