"""``rtap transcribe FILE...``: audio files to text, JSON or subtitles."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rtap import atomic_file
from rtap.audio.native_stderr import decoder_notes_hidden
from rtap.cli.arguments import positive_number
from rtap.cli.terminal import report, write_result
from rtap.errors import AudioError, ConfigurationError
from rtap.whisper.model_store import ModelStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rtap.audio.file import AudioFile
    from rtap.whisper.result import Transcription
    from rtap.whisper.transcribe import TranscribeOptions

    Subparsers = argparse._SubParsersAction[Any]  # noqa: SLF001 (it has no public name)
    Block = NDArray[np.float32]
    Progress = Callable[[float], None]

STANDARD_INPUT = "-"
AUTO = "auto"


class Engine(Protocol):
    """What this command needs of :class:`rtap.whisper.transcribe.Transcriber`."""

    def check(self, options: TranscribeOptions) -> None:
        """Raise ConfigurationError for options that the model cannot satisfy."""

    def transcribe(
        self,
        blocks: Iterable[Block],
        options: TranscribeOptions,
        on_progress: Progress | None = None,
    ) -> Transcription:
        """Transcribe 16 kHz blocks; progress comes as seconds of audio consumed."""


def add_parser(commands: Subparsers) -> None:
    """Add ``transcribe`` to the command line."""
    parser = commands.add_parser(
        "transcribe",
        help="turn audio files into text",
        description="Turn audio files (WAV, FLAC, OGG, MP3; up to 192 kHz and 8 channels) into text. "
        "Exit status: 0; 1 for a fault of the program; 2 when a file or an option cannot be used.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="audio file; - is standard input")
    parser.add_argument("--model", metavar="DIR|NAME", help="default: see `rtap models list`")
    parser.add_argument(
        "--language", default=AUTO, metavar="CODE", help="such as en; auto (default) detects it"
    )
    parser.add_argument(
        "--languages",
        type=_names,
        default=(),
        metavar="CODES",
        help="with auto, choose among these only, such as en,de",
    )
    parser.add_argument(
        "--task",
        choices=("transcribe", "translate"),
        default="transcribe",
        help="translate: into English",
    )
    parser.add_argument("--format", choices=("text", "json", "srt", "vtt"), default="text")
    parser.add_argument(
        "--output-dir",
        type=Path,
        metavar="DIR",
        help="write one file per FILE there, not to the screen",
    )
    parser.add_argument(
        "--word-timestamps",
        action="store_true",
        help="time every word: in JSON, or one line or subtitle per word",
    )
    parser.add_argument(
        "--timestamps", action="store_true", help="time every segment, in text and JSON too"
    )
    parser.add_argument(
        "--beam-size", type=positive_number, default=1, metavar="N", help="default: 1, greedy"
    )
    parser.add_argument(
        "--initial-prompt", metavar="TEXT", help="what was said before, for style and names"
    )
    parser.add_argument(
        "--hotwords",
        type=_names,
        default=(),
        metavar="WORDS",
        help="words to expect, such as Zwickau,ACC",
    )
    parser.add_argument(
        "--threads",
        type=positive_number,
        metavar="N",
        help="default: ONNX_NUM_THREADS or one per core",
    )
    parser.add_argument(
        "--no-vad", action="store_true", help="do not skip silence with the voice activity detector"
    )
    parser.set_defaults(run=run)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def load_engine(arguments: argparse.Namespace) -> Engine:
    """The real engine, with the model that the arguments or the user's settings name."""
    store = ModelStore.from_environment(os.environ)
    directory = store.resolve(arguments.model)
    if warning := store.choose(arguments.model).warning:
        report("note", warning)

    from rtap.stages.vad import Vad
    from rtap.whisper.load_model import load_model
    from rtap.whisper.transcribe import Transcriber

    vad = None if arguments.no_vad else Vad()
    return Transcriber(load_model(directory, arguments.threads, wait=False), vad)


def run(
    arguments: argparse.Namespace,
    load: Callable[[argparse.Namespace], Engine] = load_engine,
) -> int:
    """Transcribe every file; one that cannot be read does not keep back the others."""
    _check(arguments)
    options = _options(arguments)

    @cache
    def engine() -> Engine:
        # Not before the first file was opened: a mistyped path is answered without loading a model.
        loaded = load(arguments)
        loaded.check(options)
        return loaded

    status = 0
    for number, name in enumerate(arguments.files, start=1):
        label = f"{number}/{len(arguments.files)} {_title(name)}"
        try:
            transcription, seconds = _transcribe(name, label, engine, options)
        except AudioError as error:
            report("error", error)
            status = error.exit_status
        else:
            _deliver(arguments, name, transcription, seconds)
    return status


def _check(arguments: argparse.Namespace) -> None:
    files: Sequence[str] = arguments.files
    if arguments.languages and arguments.language != AUTO:
        raise ConfigurationError("--languages is for --language auto: leave one of the two out")
    if files.count(STANDARD_INPUT) > 1:
        raise ConfigurationError("standard input (-) can be read once: give it once")
    if arguments.output_dir is None:
        if len(files) > 1 and arguments.format in ("srt", "vtt"):
            raise ConfigurationError(
                "subtitles of several files need a file each: give --output-dir"
            )
        return
    writers: dict[Path, str] = {}
    for name in files:
        path = _output_path(arguments, name)
        if path in writers:
            raise ConfigurationError(
                f"{writers[path]} and {name} would both be written to {path}: transcribe them apart"
            )
        writers[path] = name


def _options(arguments: argparse.Namespace) -> TranscribeOptions:
    from rtap.languages import language_code
    from rtap.whisper.transcribe import TranscribeOptions

    return TranscribeOptions(
        language=None if arguments.language == AUTO else language_code(arguments.language),
        allowed_languages=tuple(language_code(language) for language in arguments.languages),
        task=arguments.task,
        beam_size=arguments.beam_size,
        initial_prompt=arguments.initial_prompt,
        hotwords=arguments.hotwords,
        timestamps=arguments.timestamps or arguments.format in ("srt", "vtt"),
        word_timestamps=arguments.word_timestamps,
    )


def _transcribe(
    name: str, label: str, engine: Callable[[], Engine], options: TranscribeOptions
) -> tuple[Transcription, float]:
    """The transcription, and the wall time that it took without loading the model, in seconds."""
    warnings: list[str] = []
    opened = time.perf_counter()
    with _open(name, warnings.append) as audio:
        opening = time.perf_counter() - opened
        loaded = engine()
        started = time.perf_counter()
        with _progress(label, audio.duration) as on_progress:
            transcription = loaded.transcribe(_quietly(audio.blocks()), options, on_progress)
        seconds = opening + time.perf_counter() - started
    for warning in warnings:
        report("warning", warning)
    return transcription, seconds


def _open(name: str, warn: Callable[[str], None]) -> AudioFile:
    from rtap.audio.file import AudioFile

    if name != STANDARD_INPUT:
        with decoder_notes_hidden():
            return AudioFile.open(Path(name), _title(name), warn)
    if sys.stdin is None or sys.stdin.isatty():
        raise AudioError("standard input is no audio: pipe a file into it, or give a file name")
    return AudioFile.open(sys.stdin.buffer, _title(name), warn)


def _quietly(blocks: Iterator[Block]) -> Iterator[Block]:
    while True:
        with decoder_notes_hidden():
            block = next(blocks, None)
        if block is None:
            return
        yield block


@contextlib.contextmanager
def _progress(label: str, duration: float | None) -> Iterator[Progress | None]:
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    total = None if duration is None else round(duration, 1)
    with tqdm(total=total, desc=label, unit="s", leave=False, dynamic_ncols=True) as bar:

        def show(seconds: float) -> None:
            bar.update(round(seconds, 1) - bar.n)

        yield show


def _title(name: str) -> str:
    """The name for messages; one that is not valid UTF-8 gets replacement characters."""
    if name == STANDARD_INPUT:
        return "standard input"
    return os.fsencode(name).decode("utf-8", "replace")


def _output_path(arguments: argparse.Namespace, name: str) -> Path:
    suffix = "txt" if arguments.format == "text" else arguments.format
    stem = "stdin" if name == STANDARD_INPUT else Path(name).stem
    return Path(arguments.output_dir) / f"{stem}.{suffix}"


def _deliver(
    arguments: argparse.Namespace, name: str, transcription: Transcription, seconds: float
) -> None:
    to_file = arguments.output_dir is not None
    alone = to_file or len(arguments.files) == 1
    text = _formatted(arguments, name, transcription, seconds, indent=2 if alone else None)
    if to_file:
        atomic_file.write_text(_output_path(arguments, name), text)
        return
    if not alone and arguments.format == "text":
        text = f"==> {_title(name)} <==\n{text}"
    write_result(text)


def _formatted(
    arguments: argparse.Namespace,
    name: str,
    transcription: Transcription,
    seconds: float,
    indent: int | None,
) -> str:
    from rtap.whisper.subtitles import SUBTITLES, to_json, to_text

    if arguments.format == "json":
        document = to_json(transcription, _title(name), seconds)
        return json.dumps(document, indent=indent, ensure_ascii=False) + "\n"
    if arguments.format == "text":
        return to_text(transcription, timestamps=arguments.timestamps or arguments.word_timestamps)
    return SUBTITLES[arguments.format](transcription)
