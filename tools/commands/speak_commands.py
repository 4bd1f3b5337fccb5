"""Have synthesisers speak commands of the service's grammar, to measure how many are understood.

The sentences are drawn from the templates, all intents as often; the voices were never trained with. OUT gets
a folder for each language, with 16 kHz WAV files and a manifest that says what is meant by each. Listen with
`tools/evaluate OUT --intents`, and with --noise and --snr as in a moving car.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

from rtap.cli.guard import OneLineParser
from rtap.cli.serve import add_configuration
from rtap.cli.terminal import write_result
from rtap.config.loader import UnifiedConfigLoader
from rtap.errors import ConfigurationError, StorageError
from rtap.languages import language_code
from tools.console.command_line import positive_number, run
from tools.model.cabin.synthesis import speak
from tools.model.speaking.recordings import Speak, plan, write
from tools.model.speaking.voices import VOICES, choose
from tools.root import ROOT
from tools.setup.environment import require

COUNT = 400


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/speak_commands", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="outside the repository")
    parser.add_argument(
        "--count",
        type=positive_number,
        default=COUNT,
        metavar="N",
        help=f"commands in all, as many for each voice; default: {COUNT}",
    )
    parser.add_argument(
        "--sentences",
        type=Path,
        metavar="FILE",
        help="speak these, one a line, instead of drawn ones; with one --language",
    )
    parser.add_argument(
        "--language",
        action="append",
        default=[],
        metavar="CODE",
        help=f"may be repeated; default: {', '.join(VOICES)}",
    )
    speakers = ", ".join(one.speaker for voices in VOICES.values() for one in voices)
    parser.add_argument(
        "--voice",
        action="append",
        default=[],
        metavar="NAME",
        help=f"may be repeated; default: {speakers}",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all that is drawn; default: 0"
    )
    add_configuration(parser)
    return parser


def main(argv: Sequence[str], say: Speak = speak) -> int:
    """Command line."""
    arguments = _parser().parse_args(argv)
    out: Path = arguments.out
    if out.resolve().is_relative_to(ROOT):
        raise ConfigurationError(f"{out} is in the repository: choose a folder outside it")
    if arguments.sentences is not None and len(arguments.language) != 1:
        raise ConfigurationError("--sentences are in one language: give it with --language")
    require("speaking", "scipy")
    voices = choose([language_code(one) for one in arguments.language], arguments.voice)
    config = UnifiedConfigLoader.from_environment(os.environ).load(
        arguments.profile, arguments.file
    )
    # hassil takes half a second, and is not wanted for a mistyped argument.
    from rtap.intents.configured import grammar
    from rtap.intents.matcher import Matcher
    from tools.model.speaking.commands import draw, read

    each = -(-arguments.count // sum(map(len, voices.values())))
    for language, speakers in voices.items():
        random = Random(f"{language} {arguments.seed}")
        matcher = Matcher(grammar(config.intents, language))
        if arguments.sentences is None:
            commands = draw(matcher, each * len(speakers), random)
        else:
            commands = read(arguments.sentences, matcher)
        tasks = plan(commands, speakers, random)
        folder = out / f"spoken_commands_{language}"
        try:
            write(tasks, folder, language, arguments.seed, say)
        except OSError as error:
            raise StorageError(
                f"{folder} cannot be written ({error.strerror}): make room, or choose another OUT"
            ) from error
        write_result(f"{folder}: {len(tasks)} commands in {len(speakers)} voices\n")
    return 0


if __name__ == "__main__":
    run(main)
