"""The project's own workflow, and the templates in conf/ci for those who use it.

A CI service would take them, and they name nothing that this repository lacks.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tools.commands.image import ARCHIVE, Order
from tools.root import ROOT
from tools.system.yocto.images import RELEASES, Image

OWN: Final = ROOT / ".github/workflows/ci.yml"
GITHUB: Final = ROOT / "conf/ci/github-actions.yml"
GITLAB: Final = ROOT / "conf/ci/gitlab-ci.yml"
WORKFLOWS: Final = (OWN, GITHUB)
TEMPLATES: Final = (GITHUB, GITLAB)
FILES: Final = (OWN, *TEMPLATES)
ARGUMENTS: Final = {"IMAGE_ARGS": "tools/image", "RELEASE_ARGS": "tools/release"}
GITLAB_KEYWORDS: Final = {"stages", "workflow", "variables", "default"}


def document(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    return content


def gitlab_jobs() -> dict[str, dict[str, Any]]:
    """With what they extend, less the templates."""
    content = document(GITLAB)
    entries = {name: job for name, job in content.items() if name not in GITLAB_KEYWORDS}
    return {
        name: entries.get(job.get("extends", ""), {}) | job
        for name, job in entries.items()
        if not name.startswith(".")
    }


def scripts(file: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each piece of shell."""
    if file in WORKFLOWS:
        for name, job in document(file)["jobs"].items():
            for number, step in enumerate(job["steps"]):
                if "run" in step:
                    yield f"{name}, step {number}", step["run"]
        return
    for name, job in {"default": document(file)["default"], **gitlab_jobs()}.items():
        for part in ("before_script", "script", "after_script"):
            if part in job:
                yield f"{name}, {part}", "\n".join(job[part])


SCRIPTS: Final = [
    pytest.param(text, id=f"{file.stem}: {name}") for file in FILES for name, text in scripts(file)
]


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (OWN, "vendor.github-workflows"),
        (OWN, "custom.github-workflows-require-timeout"),
        (GITHUB, "vendor.github-workflows"),
        (GITHUB, "custom.github-workflows-require-timeout"),
        (GITLAB, "vendor.gitlab-ci"),
    ],
)
def test_the_service_would_take_it(file: Path, schema: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", schema, file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_right_to_the_shell(script: str) -> None:
    # An expression of the service in it could bring in commands; variables of the environment can't.
    assert "${{" not in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    if shutil.which("shellcheck"):
        done = subprocess.run(
            ["shellcheck", "--shell=bash", "-"],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_targets_and_tools_exist(file: Path) -> None:
    everything = "\n".join(text for _, text in scripts(file))
    if file == OWN:
        # It does what anybody can do on their own machine, and nothing that only it knows.
        assert ".ci/run" in everything.splitlines()
        everything += (ROOT / ".ci/run").read_text()
        wanted = {"setup", "demo", "test", "test-image"}
    else:
        wanted = {"test", "image", "test-image", "release"}
    targets = set(re.findall(r"\bmake ([a-z-]+)", everything))
    known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert wanted <= targets <= set(known)
    tools = set(re.findall(r"\btools/[\w./-]+", everything))
    assert tools
    assert [tool for tool in tools if not (ROOT / tool).is_file()] == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
@pytest.mark.parametrize("variable", ARGUMENTS)
def test_options_exist(file: Path, variable: str) -> None:
    tool = ROOT / ARGUMENTS[variable]
    known = subprocess.run([tool, "--help"], capture_output=True, text=True, check=True).stdout
    given = [
        word.removeprefix(f"{variable}=")
        for _, text in scripts(file)
        for line in text.splitlines()
        if variable in line
        for word in shlex.split(line)
        if word.startswith(variable)
    ]
    assert given
    for arguments in given:
        options = [word for word in arguments.split() if word.startswith("-")]
        assert options
        assert [option for option in options if f"[{option} " not in known] == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_the_image_is_looked_for_where_it_is_built(file: Path) -> None:
    release = next(iter(RELEASES))
    order = Order(
        image=Image(release, "$MACHINE"),
        options=(),
        container=ARCHIVE,
        is_container_given=False,
        model=None,
        work=Path("build/yocto", release),
    )
    assert f"deployed={order.build}/tmp/deploy/images/$MACHINE\n" in file.read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_place_of_one_machine(file: Path) -> None:
    text = file.read_text()
    assert re.findall(r"(?<![\w.}$*-])/(?:home|root|opt|srv|mnt|work|builds|tmp)\b", text) == []
    assert "://" not in text


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_github_gives_no_more_rights_than_reading(file: Path) -> None:
    content = document(file)
    assert content["permissions"] == {"contents": "read"}
    for job in content["jobs"].values():
        assert "permissions" not in job
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"actions/[\w-]+@(v\d+|[0-9a-f]{40})", step["uses"])
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_only_the_release_knows_the_key() -> None:
    jobs: dict[str, dict[str, Any]] = document(GITHUB)["jobs"] | {
        f"gitlab {name}": job for name, job in gitlab_jobs().items()
    }
    knowing = {name for name, job in jobs.items() if "MINISIGN_KEY" in yaml.safe_dump(job)}
    assert knowing == {"release", "gitlab release"}
    assert jobs["release"]["environment"] == "release"
    assert jobs["release"]["if"] == "startsWith(github.ref, 'refs/tags/v')"
    [rule] = jobs["gitlab release"]["rules"]
    assert "$CI_COMMIT_TAG =~" in rule["if"]


def test_what_strangers_propose_never_runs_on_the_own_runner() -> None:
    jobs = document(GITHUB)["jobs"]
    own = [name for name, job in jobs.items() if not job["runs-on"].startswith("ubuntu-")]
    assert own == ["image"]
    assert jobs["image"]["if"].startswith("github.event_name != 'pull_request' && ")
    tagged = {name: job for name, job in gitlab_jobs().items() if "tags" in job}
    assert tagged.keys() == {"image-qemuarm64", "image-raspberrypi4-64"}
    for job in tagged.values():
        assert all('!= "merge_request_event"' in rule["if"] for rule in job["rules"])


def test_every_job_of_gitlab_ends() -> None:
    assert [name for name, job in gitlab_jobs().items() if "timeout" not in job] == []


def test_a_boot_that_fails_leaves_its_pictures() -> None:
    steps = document(GITHUB)["jobs"]["boot"]["steps"]
    [kept] = [step for step in steps if step.get("with", {}).get("path") == "build/image-tests"]
    assert kept["if"] == "always()"
    artifacts = gitlab_jobs()["boot"]["artifacts"]
    assert artifacts["paths"] == ["build/image-tests/"]
    assert artifacts["when"] == "always"


def test_the_own_workflow_checks_every_change_and_keeps_what_failed() -> None:
    content = document(OWN)
    # YAML 1.1 reads the key `on` as true.
    triggers: dict[str, Any] = content.get("on") or content[True]  # type: ignore[index]
    assert triggers.keys() == {"push", "pull_request"}
    [job] = content["jobs"].values()
    assert job["runs-on"] == "ubuntu-24.04"
    uses = {step["uses"].partition("@")[0]: step for step in job["steps"] if "uses" in step}
    assert uses["actions/setup-python"]["with"]["cache"] == "pip"
    assert uses["actions/cache"]["with"]["path"] == "~/.cache/rtap"
    kept = uses["actions/upload-artifact"]
    assert kept["if"] == "failure()"
    assert kept["with"]["path"] == "build/image-tests"


def test_the_cache_of_weights_is_renewed_with_what_names_them() -> None:
    [key] = re.findall(r"hashFiles\((.*)\)", OWN.read_text())
    named = re.findall(r"'([^']+)'", key)
    assert named
    assert [file for file in named if not (ROOT / file).is_file()] == []
