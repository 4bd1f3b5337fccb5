"""Measure how many words a model gets wrong, and how fast it is.

DATA is a manifest (JSON lines with "audio", "text", and where known "speaker", "noise" and "set"), a folder
with a manifest.jsonl, a LibriSpeech folder, or a folder of audio files each beside a .txt of the same name.
Where the text is empty nobody speaks: whatever is heard there is counted as false text, not as word errors.
Exit status 2 when a file could not be decoded; the others are counted all the same.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rtap import atomic_file
from rtap.errors import AudioError, ConfigurationError
from rtap.guard import OneLineParser
from rtap.model_store import ModelStore
from rtap.terminal import report, write_result
from rtap.whisper.languages import language_code
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.transcribe import TranscribeOptions
from tools.command_line import positive_number, run
from tools.evaluation.data import load_data
from tools.evaluation.document import to_json
from tools.evaluation.measurement import Measurement
from tools.evaluation.normalization import Normalizer, normalizer_for, read_spelling
from tools.evaluation.recognition import hear_all, load_engine
from tools.evaluation.report import to_markdown
from tools.evaluation.scoring import score

if TYPE_CHECKING:
    from rtap.commands.transcribe import Engine

AUTO = "auto"
DEFAULT_LANGUAGE = "en"


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/evaluate", description=__doc__)
    parser.add_argument("data", nargs="+", type=Path, metavar="DATA", help="what to measure on")
    parser.add_argument(
        "--model", metavar="DIR|NAME", help="default: the one that `rtap transcribe` takes"
    )
    parser.add_argument(
        "--threads", type=positive_number, default=1, metavar="N", help="default: 1"
    )
    parser.add_argument(
        "--language",
        default=DEFAULT_LANGUAGE,
        metavar="CODE",
        help=f"default: {DEFAULT_LANGUAGE}; {AUTO} detects it",
    )
    parser.add_argument(
        "--limit", type=positive_number, metavar="N", help="only the first N utterances of each set"
    )
    parser.add_argument(
        "--no-normalize",
        action="store_true",
        help="before comparing, only lower-case and take punctuation out; otherwise Whisper's "
        "normaliser makes 21 and twenty one the same, and drops fillers such as um",
    )
    parser.add_argument(
        "--spelling",
        type=Path,
        metavar="FILE",
        help="normalizer.json of a Whisper checkpoint: colour and color are the same then",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the Markdown there too"
    )
    parser.add_argument(
        "--errors",
        type=positive_number,
        default=0,
        metavar="N",
        help="show the N worst utterances in the Markdown",
    )
    return parser


def _normalizer(arguments: argparse.Namespace, language: str | None) -> Normalizer:
    if arguments.spelling is None:
        return normalizer_for(language, published=not arguments.no_normalize)
    if language != "en" or arguments.no_normalize:
        raise ConfigurationError(
            "--spelling is for Whisper's English normaliser: leave it out, or use that one"
        )
    return normalizer_for(language, read_spelling(arguments.spelling))


def _measure(
    arguments: argparse.Namespace, load: Callable[[ModelDirectory, int], Engine], command: str
) -> Measurement:
    """What costs least is checked first: nothing is loaded for a mistyped path."""
    language = None if arguments.language == AUTO else language_code(arguments.language)
    options = TranscribeOptions(language=language)
    normalizer = _normalizer(arguments, language)
    utterances = load_data(arguments.data, arguments.limit)
    directory = ModelStore.from_environment(os.environ).resolve(arguments.model)
    engine = load(directory, arguments.threads)
    engine.check(options)
    heard, failures = hear_all(engine, utterances, options)
    return Measurement(
        command=command,
        model=directory,
        language=language,
        threads=arguments.threads,
        normalizer=normalizer.name,
        scored=[score(one, normalizer) for one in heard],
        failures=failures,
    )


def main(argv: Sequence[str], load: Callable[[ModelDirectory, int], Engine] = load_engine) -> int:
    """Command line: status 2 when a file could not be decoded."""
    arguments = _parser().parse_args(argv)
    target: Path | None = arguments.markdown
    if target is not None and target.is_dir():
        raise ConfigurationError(f"{target} is a folder: give --markdown the name of a file")
    measurement = _measure(arguments, load, shlex.join(["tools/evaluate", *argv]))
    markdown = _encodable(to_markdown(measurement, arguments.errors))
    write_result(_encodable(to_json(measurement)) if arguments.json else markdown)
    if target is not None:
        atomic_file.write_text(target, markdown)
    for failure in measurement.failures:
        report("error", failure.reason, "evaluate")
    return AudioError.exit_status if measurement.failures else 0


def _encodable(text: str) -> str:
    """Names of files that are not valid UTF-8 become question marks, instead of an error at the end."""
    return text.encode("utf-8", "replace").decode("utf-8")


if __name__ == "__main__":
    run(main)
