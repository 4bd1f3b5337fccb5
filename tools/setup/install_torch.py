"""Install torch as a build for the processor, whatever index pip is configured with.

The registry's torch for x86-64 brings 2.7 GB of CUDA libraries along, which nothing here uses. So a build
that is marked as one for the processor is asked for first, where pip looks anyway, then on PyTorch's own
index; one without the mark is taken only if it asks for no CUDA packages. ``TORCH=cuda`` takes whatever pip's
index has.
Started by tools/setup/setup.sh once torch's other dependencies, which are locked, are in place.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from packaging.requirements import Requirement

CPU_INDEX: Final = "https://download.pytorch.org/whl/cpu"
_CUDA_PREFIXES: Final = ("nvidia", "cuda", "triton", "pytorch-triton")
_QUIET: Final = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]


def install(wanted: str, *, with_cuda: bool = False) -> int:
    """The exit status: 0 when torch is there.

    Args:
        wanted: such as ``torch==2.13.0``.
        with_cuda: take what pip's index has, with all that it asks for.
    """
    if with_cuda:
        if _installed()[1] == "cpu":  # pip takes it for what is wanted
            _pip("uninstall", "--yes", "torch")
        return _pip("install", wanted).returncode
    if _installed()[0] == wanted.partition("==")[2]:
        return 0
    marked = f"{wanted}+cpu"
    # Few retries: where there is no network, pip would wait for a minute.
    for place in ([], ["--extra-index-url", CPU_INDEX, "--retries", "1", "--timeout", "15"]):
        if _pip("install", "--no-deps", *place, marked, quiet=True).returncode == 0:
            return 0
    found = _pip(
        "install", "--no-deps", "--dry-run", "--quiet", "--report", "-", wanted, quiet=True
    )
    if found.returncode:
        print(found.stderr.strip() or found.stdout.strip())
        return found.returncode
    [torch] = json.loads(found.stdout)["install"]
    if cuda := cuda_packages(torch["metadata"].get("requires_dist", [])):
        print(
            f"pip's index has {wanted} only with {len(cuda)} CUDA packages ({cuda[0]} and others), and a "
            f"build for the processor is not to be had from {CPU_INDEX}: connect to the network, or take "
            f"that one, 2.7 GB, by `TORCH=cuda tools/setup/setup.sh`"
        )
        return 1
    return _pip("install", "--no-deps", wanted).returncode


def cuda_packages(requirements: Sequence[str]) -> list[str]:
    """Those of a distribution's requirements that CUDA needs, on this machine."""
    parsed = [Requirement(text) for text in requirements]
    return [
        one.name
        for one in parsed
        if one.name.startswith(_CUDA_PREFIXES)
        and (one.marker is None or one.marker.evaluate({"extra": ""}))
    ]


def _installed() -> tuple[str, str]:
    """Torch's version and its mark, such as ("2.13.0", "cpu"); empty: there is none."""
    try:
        number, _, mark = version("torch").partition("+")
    except PackageNotFoundError:
        return "", ""
    return number, mark


def _pip(command: str, *arguments: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Its output goes on as it comes, unless it is to be quiet: then it is kept."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "pip", command, *_QUIET, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=quiet,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(install(sys.argv[1], with_cuda=os.environ.get("TORCH") == "cuda"))
