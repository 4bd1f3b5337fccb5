"""Draw the boot splash: the screen's microphone, in the screen's colours, for psplash.

Makes the picture, the progress bar's frame and the header with the colours from the night colours in
Theme.qml, so that the screen takes over from the splash without a change of colour. Run it when those change.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.errors import ConfigurationError
from tools.console.command_line import run
from tools.gui.splash import BAR, COLORS, PICTURE, write_files
from tools.system.yocto.layer import LAYER

FILES: Final = LAYER / "recipes-core/psplash/files"


def main(argv: Sequence[str]) -> int:
    """Command line."""
    parser = OneLineParser(prog="tools/splash_image", description=__doc__)
    parser.add_argument("--output", metavar="FOLDER", type=Path, default=FILES)
    folder: Path = parser.parse_args(argv).output
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder: make it first")
    write_files(folder)
    write_result(f"{folder}: {PICTURE}, {BAR}, {COLORS}\n")
    return 0


if __name__ == "__main__":
    run(main)
