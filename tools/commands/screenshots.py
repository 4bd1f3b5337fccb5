"""Save pictures of the GUI: the real program, driven through a virtual display and a virtual microphone.

The backend is `rtap serve` with the bundled model, and speech comes from tests/audio.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rtap.cli.guard import OneLineParser
from tools.console.command_line import run
from tools.gui import build, packages
from tools.gui.gui_error import GuiError
from tools.gui.scenes import VARIANTS, Photographer
from tools.gui.virtual_microphone import VirtualMicrophone, virtual_microphone


@contextlib.contextmanager
def _microphone(*, wanted: bool) -> Iterator[VirtualMicrophone | None]:
    """A virtual microphone, or None, with a word about it, where there can be none."""
    with contextlib.ExitStack() as stack:
        microphone = None
        if wanted:
            try:
                microphone = stack.enter_context(virtual_microphone())
            except (GuiError, FileNotFoundError) as error:
                print(
                    f"no virtual microphone, so the GUI plays a file itself: {error}",
                    file=sys.stderr,
                )
        yield microphone


def main(argv: Sequence[str]) -> int:
    """Command line."""
    parser = OneLineParser(prog="tools/screenshots", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("build/screenshots"), help="directory (build/screenshots)"
    )
    parser.add_argument(
        "--source-file", action="store_true", help="let the GUI play the file, without a microphone"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    arguments = parser.parse_args(argv)
    if advice := packages.advice():
        raise GuiError(advice)

    program = build.application()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pictures: list[Path] = []
    with _microphone(wanted=not arguments.source_file) as microphone:
        for variant in VARIANTS:
            photographer = Photographer(program, arguments.out, variant, microphone)
            photographer.take_all()
            pictures += photographer.pictures
    sound = "a file that the GUI played" if microphone is None else "a PulseAudio null sink"
    if arguments.json:
        print(json.dumps({"sound": sound, "pictures": [str(file) for file in pictures]}, indent=2))
        return 0
    for file in pictures:
        print(file)
    print(f"{len(pictures)} pictures; the microphone was {sound}")
    return 0


if __name__ == "__main__":
    run(main)
