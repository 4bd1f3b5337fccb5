"""Measure how many words a model gets wrong, which commands are understood, and how fast it is; of several
models side by side.

DATA is a manifest (JSON lines with "audio", "text", and where known "language", "speaker", "noise" and
"set"), a folder with a manifest.jsonl or of such folders, a LibriSpeech folder, or a folder of audio files
each beside a .txt of the same name. Where the text is empty nobody speaks: whatever is heard there is counted
as false text, not as word errors. Lines of a keywords.jsonl have "must_contain", a list of phrases, instead
of the text: a file is heard right when all of them are in what was heard.
With --intents, a line's "intent" and "slots" say what is meant ({"intent": "SetFan", "slots": {"level": 3}};
"" is no command), or such an object in a .json of the audio's name; else the sentences do, by the text.
Exit status 2 when a file could not be decoded; the others are counted all the same.
"""

from __future__ import annotations

import argparse
import math
import os
import shlex
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rtap import atomic_file
from rtap.cli.guard import OneLineParser
from rtap.cli.serve import add_configuration
from rtap.cli.terminal import report, write_result
from rtap.config import Config
from rtap.config.loader import UnifiedConfigLoader
from rtap.errors import AudioError, ConfigurationError
from rtap.intents.names import NameFiles
from rtap.languages import language_code
from rtap.whisper.model_store import ModelStore
from tools.console.command_line import positive_number, run
from tools.model.evaluation.comparison import comparison
from tools.model.evaluation.data import Utterance, load_data, with_language
from tools.model.evaluation.document import to_json
from tools.model.evaluation.measurement import Subject
from tools.model.evaluation.noise import CLEAN, NoiseMixer, in_noise
from tools.model.evaluation.pieces import cut, open_others
from tools.model.evaluation.recognition import load_engine
from tools.model.evaluation.report import to_markdown
from tools.model.evaluation.task import NO_PREFERENCE, Load, Normalizers, Task, measure
from tools.model.evaluation.transcripts import SUFFIX
from tools.setup.environment import require

if TYPE_CHECKING:
    from tools.model.evaluation.understanding import Understanding

AUTO = "auto"
MOST_HOURS = 100
DEFAULT_LANGUAGE = "en"
_PADDED, _NO_VAD = "+padded", "+no-vad"


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/evaluate", description=__doc__)
    parser.add_argument("data", nargs="+", type=Path, metavar="DATA", help="what to measure on")
    parser.add_argument(
        "--model",
        action="append",
        metavar="DIR|NAME|FILE",
        help="may be given several times; with +padded, +no-vad or +no-preference at its end, as if that "
        f"option were given for it alone; FILE: transcripts ({SUFFIX}) as --transcripts keeps them; "
        "default: the one that `rtap transcribe` takes",
    )
    parser.add_argument(
        "--padded",
        action="store_true",
        help="encode everything in 30 s of context, whatever the model can take",
    )
    parser.add_argument(
        "--no-vad", action="store_true", help="no voice activity detector before the model"
    )
    parser.add_argument(
        "--transcripts",
        type=Path,
        metavar="DIR",
        help="keep there what was heard, file by file, and hear nothing twice",
    )
    parser.add_argument(
        "--threads", type=positive_number, default=1, metavar="N", help="default: 1"
    )
    parser.add_argument(
        "--language",
        default=DEFAULT_LANGUAGE,
        metavar="CODE",
        help=f"where the data name none; default: {DEFAULT_LANGUAGE}; {AUTO} detects it everywhere",
    )
    parser.add_argument(
        "--noise",
        type=Path,
        metavar="DIR",
        help="mix noise into all speech: a stretch of a file of this folder, another one for each utterance",
    )
    parser.add_argument(
        "--snr",
        type=_levels,
        metavar="DB,...",
        help=f"decibels of speech over noise, such as {CLEAN},15,10,5,0: everything once at each level; of "
        "the speech, its pauses left out (after ITU-T P.56), over the noise beside it",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="of the noise: the same utterance gets the same noise with it; default: 0",
    )
    _add_intents(parser)
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
        help="normalizer.json of a Whisper checkpoint: colour and color are the same in English then",
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
        help="show the N worst utterances in the Markdown, with one model; with --intents also N that were "
        "not understood as meant, for each reason",
    )
    return parser


def _add_intents(parser: OneLineParser) -> None:
    group = parser.add_argument_group("intents")
    group.add_argument(
        "--intents",
        action="store_true",
        help="also count intents and slots, and wrong actions: what is done for another command, with other "
        "slots, or without a command; nothing is done by intents that are declared with acts: false, nor "
        "where hearing was so uncertain that the speaker is asked first",
    )
    group.add_argument(
        "--grammar",
        action="append",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="understand with the sentences in FOLDER/LANGUAGE/*.yaml alone, in Home Assistant's format; may "
        "be repeated; default: as the service does with its configuration",
    )
    group.add_argument(
        "--hours",
        type=_hours,
        metavar="N",
        help="instead of whole recordings, hear N hours of pieces of 1 to 6 s, cut at random from what is no "
        "command; speech at the levels of --snr in turn",
    )
    group.add_argument(
        "--no-preference",
        action="store_true",
        help="do not let the decoder prefer the sentences that are understood, as it does with "
        "stt.prefer_commands",
    )
    add_configuration(parser)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= MOST_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours up to {MOST_HOURS}")
    return hours


def _levels(text: str) -> tuple[float | None, ...]:
    try:
        levels = tuple(None if one.strip() == CLEAN else float(one) for one in text.split(","))
    except ValueError:
        levels = (math.nan,)
    if not all(level is None or math.isfinite(level) for level in levels):
        raise argparse.ArgumentTypeError(f"{text!r} has no levels: give decibels, such as 15,10,5")
    if len(set(levels)) < len(levels):
        raise argparse.ArgumentTypeError(f"{text!r} has a level twice: leave one out")
    return levels


def _task(arguments: argparse.Namespace, command: str) -> Task:
    """What costs least is checked first: nothing is loaded for a mistyped path."""
    language = None if arguments.language == AUTO else language_code(arguments.language)
    if (arguments.noise is None) != (arguments.snr is None):
        raise ConfigurationError("--noise and --snr go together: give both, or neither")
    utterances = with_language(load_data(arguments.data, arguments.limit), language or "")
    languages = {one.language for one in utterances}
    if arguments.spelling is not None and (arguments.no_normalize or "en" not in languages):
        raise ConfigurationError(
            "--spelling is for Whisper's English normaliser: leave it out, or use that one"
        )
    if not arguments.no_normalize:
        require("Whisper's normaliser, without --no-normalize", "transformers")
    normalizers = Normalizers(arguments.spelling, published=not arguments.no_normalize)
    for one in sorted(languages):
        normalizers.of(one)
    understanding = _understanding(arguments, languages)
    mixer = None
    if arguments.noise is not None:
        mixer = NoiseMixer.open(arguments.noise, arguments.seed)
    if understanding is not None and arguments.hours is not None:
        utterances = _pieces(utterances, understanding, arguments)
    elif mixer is not None:
        utterances = in_noise(utterances, arguments.snr)
    return Task(
        command=command,
        language=language,
        utterances=utterances,
        mixer=mixer,
        normalizers=normalizers,
        threads=arguments.threads,
        transcripts=arguments.transcripts,
        understanding=understanding,
    )


def _understanding(
    arguments: argparse.Namespace, languages: Collection[str]
) -> Understanding | None:
    asked_for = {"--grammar": arguments.grammar, "--hours": arguments.hours}
    if not arguments.intents:
        if given := next((name for name, value in asked_for.items() if value), None):
            raise ConfigurationError(f"{given} is about intents: give --intents too")
        return None
    if "" in languages:
        raise ConfigurationError("--intents needs the language that is spoken: give --language")
    # hassil takes half a second, and is not wanted without intents.
    from tools.model.evaluation.understanding import Understanding

    config = _config(arguments)
    if not arguments.grammar:
        return Understanding.of_service(config, languages)
    names = NameFiles(config.intents.contacts, config.intents.places)
    return Understanding.of_folders(arguments.grammar, languages, names)


def _config(arguments: argparse.Namespace) -> Config:
    loader = UnifiedConfigLoader.from_environment(os.environ)
    return loader.load(arguments.profile, arguments.file)


def _pieces(
    utterances: Sequence[Utterance], understanding: Understanding, arguments: argparse.Namespace
) -> list[Utterance]:
    recordings = open_others(utterances, understanding.is_command)
    return cut(recordings, arguments.hours, arguments.snr or (None,), arguments.seed)


def _subjects(arguments: argparse.Namespace) -> list[Subject]:
    store = ModelStore.from_environment(os.environ)
    subjects: list[Subject] = []
    for given in arguments.model or [None]:
        subject = _subject(given, arguments, store)
        if subject in subjects:
            raise ConfigurationError(f"--model {given} is given twice: leave one out")
        if any(subject.name == other.name for other in subjects):
            subject = replace(subject, name=str(given))
        subjects.append(subject)
    return subjects


def _subject(given: str | None, arguments: argparse.Namespace, store: ModelStore) -> Subject:
    padded, vad = arguments.padded, not arguments.no_vad
    prefers = (
        arguments.intents and not arguments.no_preference and _config(arguments).stt.prefer_commands
    )
    while given is not None and given.endswith((_PADDED, _NO_VAD, NO_PREFERENCE)):
        padded, vad = padded or given.endswith(_PADDED), vad and not given.endswith(_NO_VAD)
        prefers = prefers and not given.endswith(NO_PREFERENCE)
        given = given.rpartition("+")[0]
    if given is not None and given.endswith(SUFFIX):
        path = Path(given)
        if not path.is_file():
            raise ConfigurationError(f"there is no file {path}: mend the path to the transcripts")
        return Subject(path.stem, path, None)
    directory = store.resolve(given)
    name = directory.manifest.name + _PADDED * padded + _NO_VAD * (not vad)
    name += NO_PREFERENCE * (arguments.intents and not prefers)
    return Subject(name, directory.path, directory, vad=vad, padded=padded, prefers=prefers)


def main(argv: Sequence[str], load: Load = load_engine) -> int:
    """Command line: status 2 when a file could not be decoded."""
    arguments = _parser().parse_args(argv)
    target: Path | None = arguments.markdown
    if target is not None and target.is_dir():
        raise ConfigurationError(f"{target} is a folder: give --markdown the name of a file")
    task = _task(arguments, shlex.join(["tools/evaluate", *argv]))
    measurements = [measure(subject, task, load) for subject in _subjects(arguments)]
    if len(measurements) == 1:
        markdown = _encodable(to_markdown(measurements[0], arguments.errors))
    else:
        markdown = _encodable(comparison(measurements))
    write_result(_encodable(to_json(measurements)) if arguments.json else markdown)
    if target is not None:
        atomic_file.write_text(target, markdown)
    failures = [failure for one in measurements for failure in one.failures]
    for failure in failures:
        report("error", failure.reason, "evaluate")
    return AudioError.exit_status if failures else 0


def _encodable(text: str) -> str:
    """Names of files that are not valid UTF-8 become question marks, instead of an error at the end."""
    return text.encode("utf-8", "replace").decode("utf-8")


if __name__ == "__main__":
    run(main)
