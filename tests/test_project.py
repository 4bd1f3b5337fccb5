"""What the repository promises about itself: its locks, its make targets, its documents."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools.root import ROOT

LOCKS = ("requirements.lock", "requirements-demo.lock", "requirements-dev.lock")
DOCUMENTS = sorted(
    str(file.relative_to(ROOT))
    for pattern in ("*.md", "[!.]*/*.md", "[!.]*/[!.]*/*.md")
    for file in ROOT.glob(pattern)
    # What changed may name what is no more.
    if file.name != "CHANGELOG.md" and file.parts[len(ROOT.parts)] != "build"
)
MADE_BY_THE_READER = {"conf/secrets/grafana_admin_password"}
ONLY_FOR_CONVERSION = ("torch", "transformers", "optimum", "onnx", "onnx_ir", "safetensors")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~; \[]", text, maxsplit=1)[0].lower() for text in requirements}


def documented_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


def test_runtime_lock_has_every_dependency_and_no_conversion(project: dict[str, Any]) -> None:
    locked = pins("requirements.lock")
    assert names(project["dependencies"]) <= locked.keys()
    assert not locked.keys() & {"torch", "transformers", "optimum", "onnx", "pytest"}


def test_development_lock_has_everything_but_torch(project: dict[str, Any]) -> None:
    wanted = names(project["dependencies"])
    for group in project["optional-dependencies"].values():
        wanted |= names(group)
    assert wanted - {"torch"} <= pins("requirements-dev.lock").keys()


def test_what_is_tested_is_what_ships() -> None:
    small, development = pins("requirements-demo.lock"), pins("requirements-dev.lock")
    assert pins("requirements.lock").items() <= small.items() <= development.items()


def test_the_demonstration_takes_few_packages(project: dict[str, Any]) -> None:
    groups = project["optional-dependencies"]
    small = pins("requirements-demo.lock").keys()
    assert names(groups["convert"] + groups["evaluate"] + groups["tools"]) <= small
    assert not small & names(groups["reference"] + groups["train"] + groups["dev"])


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_is_hashed_and_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert not re.search(r"^(torch|nvidia|cuda|triton)", text, re.MULTILINE)


def test_every_phony_target_is_documented() -> None:
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == documented_targets()


def test_help_lists_every_target() -> None:
    done = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make ([a-z-]+) ", done.stdout, re.MULTILINE)) >= documented_targets()


def anchors(document: Path) -> set[str]:
    """The headings of a document, as links within it name them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def named_files(text: str) -> set[str]:
    """Files and folders of the repository that a document names; words in capitals stand for others."""
    folders = r"(?<![\w./-])(?:backend|conf|kas|meta-userapp|tests|tools)/[\w./*-]*[\w*]"
    found = {path for path in re.findall(folders, text) if path == path.lower() or "*" in path}
    return found - MADE_BY_THE_READER


def exists(path: str, document: Path) -> bool:
    """Seen from the repository's root or from beside the document."""
    return any(next(place.glob(path), None) for place in (ROOT, document.parent))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_of_a_document_lead_somewhere(name: str) -> None:
    document = ROOT / name
    text = document.read_text()
    dead = []
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)|src=\"([^\"]+)\"", text):
        path, _, anchor = (link[0] or link[1]).partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_names_only_what_exists(name: str) -> None:
    document = ROOT / name
    text = document.read_text()
    assert [path for path in named_files(text) if not exists(path, document)] == []
    assert set(re.findall(r"\bmake ([a-z-]+)\b(?=[`\s])", text)) <= documented_targets()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_modules_that_a_document_names_by_the_end_of_their_paths_exist(name: str) -> None:
    folders = ("backend", "meta-userapp", "tests", "tools")
    known = [f"/{path}" for folder in folders for path in (ROOT / folder).rglob("*.py")]
    named = re.findall(r"`([\w/]+\.py)`", (ROOT / name).read_text())
    # Words in capitals stand for others.
    wanted = [one for one in named if not re.search(r"\b(test_)?[A-Z]+\.py", one)]
    assert [one for one in wanted if not any(path.endswith(f"/{one}") for path in known)] == []


def test_the_first_page_is_a_short_one() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def test_every_tool_is_explained() -> None:
    text = (ROOT / "tools/README.md").read_text()
    tools = [file.name for file in (ROOT / "tools").iterdir() if file.is_symlink()]
    assert [tool for tool in sorted(tools) if f"`tools/{tool}" not in text] == []


def test_engine_imports_without_the_conversion_packages() -> None:
    program = f"""
import importlib, pkgutil, sys
for name in {ONLY_FOR_CONVERSION!r}:
    sys.modules[name] = None
import rtap
for module in pkgutil.walk_packages(rtap.__path__, "rtap."):
    importlib.import_module(module.name)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
