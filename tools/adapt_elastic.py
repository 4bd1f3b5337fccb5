"""Teach a Whisper checkpoint to take audio of its true length, instead of 30 s for every command.

Whisper was trained on audio padded to 30 s. Encoded shorter it loops, or loses the end. Here the checkpoint
learns from itself (audio-context finetuning, as FUTO published it): what its decoder thinks in a short
context shall be what it thinks in 30 s. DATA is a folder of audio files, some hundred clips of 1 to 15 s in
the language that matters, with or without a .txt of the same name beside each, or anything else that
tools/evaluate takes. Clips without a text get the checkpoint's own transcript.

The result is a checkpoint as transformers and tools/convert_whisper take it. It holds elastic.json with the
figures before and after on clips that were held out; where it hears them in the short context as well as
the original does in 30 s, tools/convert_whisper marks the model native, which is never padded again.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtap.errors import ConfigurationError
from rtap.guard import OneLineParser
from rtap.terminal import report, write_result
from rtap.whisper.languages import language_code
from rtap.whisper.model import FRAMES_PER_SECOND
from tools.adaptation.mark import MARK, write_mark
from tools.command_line import positive_number, run
from tools.export.checkpoint import Checkpoint
from tools.export.manifest import CREATED_BY
from tools.export.staging import StagedDirectory

if TYPE_CHECKING:
    from tools.adaptation.clips import Clip
    from tools.adaptation.result import Result
    from tools.adaptation.training import Course
    from tools.adaptation.whisper import Whisper


def adapt_checkpoint(
    checkpoint: Checkpoint,
    clips: Sequence[Clip],
    output: Path,
    course: Course,
    *,
    language: str = "en",
    validation: float = 0.1,
    device: str = "cpu",
) -> Result:
    """Write the adapted checkpoint to ``output``; it appears whole or not at all.

    Args:
        clips: two at least; they are shuffled before some are held out.
        language: code or English name.
        validation: share of the clips to hold out.

    Raises:
        ModelError: the checkpoint is damaged.
        ConfigurationError: the output exists, or the learning rate is too high.
        StorageError: the output cannot be written.
    """
    if output.exists():
        raise ConfigurationError(f"{output} exists already: remove it or choose another place")
    results: list[Result] = []

    def work(scratch: Path) -> None:
        student, result = _learn(checkpoint, clips, course, language, validation, device)
        _save(student, checkpoint, scratch)
        record = {
            "source": checkpoint.source,
            "created_by": CREATED_BY,
            "clips": len(clips),
            "steps": course.steps,
            "learning_rate": course.learning_rate,
            "batch": course.batch,
            "seed": course.seed,
            "held_out": result.to_json(),
        }
        write_mark(scratch, result.elastic, record)
        results.append(result)

    # Learning is one step, so an earlier run that was stopped has nothing to go on from.
    with StagedDirectory(output, secrets.token_hex(), replace=False) as staged:
        staged.step("checkpoint", work)
        staged.commit()
    return results[0]


def _learn(
    checkpoint: Checkpoint,
    clips: Sequence[Clip],
    course: Course,
    language: str,
    validation: float,
    device: str,
) -> tuple[Whisper, Result]:
    from tools.adaptation.agreement import compare, transcripts
    from tools.adaptation.lessons import Teacher
    from tools.adaptation.result import Result
    from tools.adaptation.training import adapt
    from tools.adaptation.whisper import Whisper
    from tools.evaluation.normalization import normalizer_for

    order = np.random.default_rng(course.seed).permutation(len(clips))
    held_out = min(max(1, round(validation * len(clips))), len(clips) - 1)
    judged, learnt = ([clips[i] for i in part] for part in np.split(order, [held_out]))
    original, student = (Whisper(checkpoint, language, device) for _ in range(2))
    normalizer = normalizer_for(language_code(language))
    _report(f"hearing {held_out} held-out clips")
    reference = transcripts(original, judged, full=True)
    before = transcripts(original, judged, full=False)
    losses = adapt(student, Teacher(original), learnt, judged, course, _report)
    _report(f"hearing {held_out} held-out clips again")
    result = Result(
        losses=losses,
        original_full=compare(reference, reference, judged, normalizer),
        original_short=compare(before, reference, judged, normalizer),
        adapted_short=compare(
            transcripts(student, judged, full=False), reference, judged, normalizer
        ),
        adapted_full=compare(
            transcripts(student, judged, full=True), reference, judged, normalizer
        ),
    )
    return student, result


def _save(student: Whisper, checkpoint: Checkpoint, output: Path) -> None:
    """Weights and configuration as transformers writes them, everything else as it was."""
    student.network.save_pretrained(output)
    for file in checkpoint.path.iterdir():
        is_text = file.suffix in (".json", ".txt") and not file.name.endswith(".index.json")
        if is_text and file.name not in ("config.json", MARK):
            shutil.copyfile(file, output / file.name)


def _report(line: str) -> None:
    print(f"adapt_elastic: {line} ...", file=sys.stderr, flush=True)


def _warn(line: str) -> None:
    report("warning", line, "adapt_elastic")


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/adapt_elastic", description=__doc__)
    parser.add_argument(
        "source", help="checkpoint directory, or a hub name such as openai/whisper-base"
    )
    parser.add_argument("data", type=Path, help="clips to learn from, and to judge by")
    parser.add_argument("output", type=Path, help="checkpoint directory to make")
    parser.add_argument(
        "--steps", type=positive_number, default=500, metavar="N", help="default: 500"
    )
    parser.add_argument(
        "--learning-rate",
        type=_share,
        default=1e-5,
        metavar="X",
        help="the highest; default: 1e-5, which suits tiny to small; 1e-4 for some million parameters",
    )
    parser.add_argument(
        "--batch", type=positive_number, default=8, metavar="N", help="clips in a step (default: 8)"
    )
    parser.add_argument(
        "--validation",
        type=_share,
        default=0.1,
        metavar="SHARE",
        help="of the clips, held out to judge by (default: 0.1)",
    )
    parser.add_argument(
        "--limit", type=positive_number, metavar="N", help="only N of the clips (default: all)"
    )
    parser.add_argument(
        "--language", default="en", metavar="CODE", help="of the clips (default: en)"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default: cpu")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--json", action="store_true", help="print elastic.json instead of a table")
    return parser


def _share(text: str) -> float:
    """For ``type=`` of an argument: a number between 0 and 1, neither of them."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1")
    return value


def main(argv: Sequence[str]) -> int:
    """Command line."""
    arguments = _parser().parse_args(argv)
    # What costs least is checked first: nothing is loaded for a mistyped path.
    checkpoint = Checkpoint.open(arguments.source)
    language = language_code(arguments.language)
    if arguments.output.exists():
        raise ConfigurationError(
            f"{arguments.output} exists already: remove it or choose another place"
        )
    _check_device(arguments.device)
    from tools.adaptation.clips import load_clips
    from tools.adaptation.training import Course

    longest = checkpoint.config.max_source_positions * 2 / FRAMES_PER_SECOND
    clips = load_clips(arguments.data, longest, arguments.limit, _warn)
    result = adapt_checkpoint(
        checkpoint,
        clips,
        arguments.output,
        Course(arguments.steps, arguments.learning_rate, arguments.batch, arguments.seed),
        language=language,
        validation=arguments.validation,
        device=arguments.device,
    )
    if arguments.json:
        write_result((arguments.output / MARK).read_text(encoding="utf-8"))
    else:
        write_result(
            f"{result}\n{arguments.output}: {result.elastic}, after {arguments.steps} steps on "
            f"{len(clips)} clips\n"
        )
    if result.elastic != "native":
        _warn("short contexts are still worse, and are checked: give more clips or --steps")
    return 0


def _check_device(device: str) -> None:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError("torch finds no CUDA device here: leave out --device cuda")


if __name__ == "__main__":
    run(main)
