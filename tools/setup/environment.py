"""The two sizes of .venv: what running and converting take, and everything; see tools/setup/setup.sh.

A tool that needs more than the first asks for it here, as soon as it knows that it does.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.root import ROOT

COMMAND: Final = "make setup"


def require(what: str, *modules: str) -> None:
    """Install everything where modules are missing, after one sentence on standard error.

    Args:
        what: needs the modules: "comparing with the checkpoint".
        modules: such as "torch".

    Raises:
        ConfigurationError: they are missing, and can't be installed here; the message has the command.
    """
    missing = [module for module in modules if not is_there(module)]
    if not missing:
        return
    names = " and ".join(missing)
    if not _is_ours():
        raise ConfigurationError(f"{what} takes {names}, not installed here: run `{COMMAND}`")
    print(
        f"{Path(sys.argv[0]).stem}: {what} takes {names}: installed now, once, with all that tests and "
        f"training take, 1.8 GB",
        file=sys.stderr,
        flush=True,
    )
    setup = subprocess.run(
        [str(ROOT / "tools/setup/setup.sh")],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        check=False,
    )
    importlib.invalidate_caches()
    if setup.returncode or not all(map(is_there, modules)):
        raise ConfigurationError(
            f"{what} takes {names}, which could not be installed: connect to the network, then "
            f"run `{COMMAND}`"
        )


def is_there(module: str) -> bool:
    """Whether a module can be imported; it is not."""
    try:
        return find_spec(module) is not None
    except ValueError:  # a test has put something without a specification in its place
        return sys.modules.get(module) is not None


def _is_ours() -> bool:
    """Whether this runs in the .venv of this checkout, which tools/setup/setup.sh adds to."""
    return Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
