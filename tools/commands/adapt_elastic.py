"""Teach a Whisper checkpoint to take audio of its true length, instead of 30 s for every command.

Whisper was trained on audio padded to 30 s. Encoded shorter it loops, or loses the end. Here the checkpoint
learns from itself (audio-context finetuning, as FUTO published it): what its decoder thinks in a short
context shall be what it thinks in 30 s. DATA is a folder of audio files, some hundred clips of 1 to 15 s in
the language that matters, with or without a .txt of the same name beside each, or anything else that
tools/evaluate takes. Clips without a text get the checkpoint's own transcript. Half of the clips are heard
in the synthesised noise of a car.

The result is a checkpoint as transformers and tools/convert_whisper take it. It holds elastic.json with the
figures before and after on clips that were held out; where it hears them in the short context as well as
the original does in 30 s, tools/convert_whisper marks the model native, which is never padded again.
With --rank only differences of the weights are learnt, and adapter.safetensors beside the checkpoint holds
them in some megabytes: tools/convert_whisper --adapter merges it into the original.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import report, write_result
from rtap.errors import ConfigurationError
from rtap.languages import language_code
from rtap.whisper.model import FRAMES_PER_SECOND
from tools.console.command_line import positive_number, report_step, run
from tools.model.conversion.adapter import write_adapter
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.elastic_mark import ADAPTED_MARGIN, MARK, write_mark
from tools.model.conversion.manifest import CREATED_BY
from tools.model.conversion.sources import open_checkpoint
from tools.model.conversion.staging import StagedDirectory
from tools.setup.environment import require

if TYPE_CHECKING:
    from rtap.whisper.decode import Decoded
    from tools.model.adaptation.agreement import Agreement
    from tools.model.adaptation.clips import Clip
    from tools.model.adaptation.low_rank import LowRank
    from tools.model.adaptation.result import Result
    from tools.model.adaptation.training import Course
    from tools.model.adaptation.whisper import Whisper

_report_step = partial(report_step, "adapt_elastic")

ADAPTER: Final = "adapter.safetensors"
"""The file with the differences, beside the checkpoint that has them in it."""
_MOST_HELD_OUT: Final = 60
"""Clips. Each is heard four times, twice in 30 s, which takes longer than a step of learning."""
_RATE_OF_WEIGHTS: Final = 1e-5
_RATE_OF_DIFFERENCES: Final = 8e-4


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
        student, result, differences = _learn(
            checkpoint, clips, course, language, validation, device
        )
        _save(student, checkpoint, scratch)
        record = {
            "source": checkpoint.source,
            "created_by": CREATED_BY,
            "clips": len(clips),
            "steps": course.steps,
            "learning_rate": course.learning_rate,
            "batch": course.batch,
            "seed": course.seed,
            "rank": course.rank,
            "keep": course.keep,
            "noisy": course.noisy,
            "held_out": result.to_json(),
        }
        write_mark(scratch, result.elastic, {"margin": ADAPTED_MARGIN, **record})
        if differences is not None:
            metadata = {
                "checkpoint": checkpoint.digest,
                "source": checkpoint.source,
                "elastic": result.elastic,
                "margin": str(ADAPTED_MARGIN),
                "record": json.dumps(record),
            }
            write_adapter(scratch / ADAPTER, differences.tensors(), metadata)
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
) -> tuple[Whisper, Result, LowRank | None]:
    from tools.model.adaptation.agreement import compare, likelihoods, transcripts
    from tools.model.adaptation.lessons import Teacher
    from tools.model.adaptation.result import Result
    from tools.model.adaptation.training import adapt
    from tools.model.adaptation.whisper import Whisper
    from tools.model.evaluation.normalization import normalizer_for

    order = np.random.default_rng(course.seed).permutation(len(clips))
    held_out = min(max(1, round(validation * len(clips))), len(clips) - 1, _MOST_HELD_OUT)
    judged, learnt = ([clips[i] for i in part] for part in np.split(order, [held_out]))
    original, student = (Whisper(checkpoint, language, device) for _ in range(2))
    normalizer = normalizer_for(language_code(language))
    _report_step(f"hearing {held_out} held-out clips")
    reference = transcripts(original, judged, full=True)
    before = transcripts(original, judged, full=False)
    losses, differences = adapt(student, Teacher(original), learnt, judged, course, _report_step)
    _report_step(f"hearing {held_out} held-out clips again")

    def agreement(heard: Sequence[Decoded]) -> Agreement:
        return compare(
            [original.text(one) for one in heard],
            [original.text(one) for one in reference],
            judged,
            normalizer,
            likelihoods(reference),
        )

    result = Result(
        losses=losses,
        original_full=agreement(reference),
        original_short=agreement(before),
        adapted_short=agreement(transcripts(student, judged, full=False)),
        adapted_full=agreement(transcripts(student, judged, full=True)),
    )
    return student, result, differences


def _save(student: Whisper, checkpoint: Checkpoint, output: Path) -> None:
    """Weights and configuration as transformers writes them, everything else as it was."""
    student.network.save_pretrained(output)
    for file in checkpoint.path.iterdir():
        is_text = file.suffix in (".json", ".txt") and not file.name.endswith(".index.json")
        if is_text and file.name not in ("config.json", MARK):
            shutil.copyfile(file, output / file.name)


def _warn(line: str) -> None:
    report("warning", line, "adapt_elastic")


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/adapt_elastic", description=__doc__)
    parser.add_argument(
        "source", help="checkpoint directory, or a hub name such as openai/whisper-base"
    )
    parser.add_argument(
        "data",
        type=Path,
        nargs="+",
        help="clips to learn from, and to judge by: one folder or several",
    )
    parser.add_argument("output", type=Path, help="checkpoint directory to make")
    parser.add_argument(
        "--steps", type=positive_number, default=500, metavar="N", help="default: 500"
    )
    parser.add_argument(
        "--learning-rate",
        type=_share,
        metavar="X",
        help="the highest; default: 1e-5, which suits all weights of tiny to small, or 8e-4 with --rank; "
        "1e-4 for all of some million parameters",
    )
    parser.add_argument(
        "--rank",
        type=positive_number,
        metavar="N",
        help="learn differences of this rank instead of all weights; 32 makes 4 MB for whisper-base",
    )
    parser.add_argument(
        "--keep",
        type=_part,
        default=0.7,
        metavar="SHARE",
        help="with --rank: part of the learnt differences that is kept, so that voices unlike those of the "
        "clips are heard as before (default: 0.7)",
    )
    parser.add_argument(
        "--noisy",
        type=_part,
        default=0.5,
        metavar="SHARE",
        help="of the clips, heard in the noise of a car (default: 0.5)",
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


def _part(text: str) -> float:
    """For ``type=`` of an argument: a number from 0 to 1."""
    return float(text) if text in ("0", "1") else _share(text)


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
    checkpoint = open_checkpoint(arguments.source)
    language = language_code(arguments.language)
    if arguments.output.exists():
        raise ConfigurationError(
            f"{arguments.output} exists already: remove it or choose another place"
        )
    require("learning", "torch", "transformers", "scipy")
    _check_device(arguments.device)
    from tools.model.adaptation.clips import load_clips
    from tools.model.adaptation.training import Course

    longest = checkpoint.config.max_source_positions * 2 / FRAMES_PER_SECOND
    clips = load_clips(arguments.data, longest, arguments.limit, _warn)
    result = adapt_checkpoint(
        checkpoint,
        clips,
        arguments.output,
        Course(
            arguments.steps,
            arguments.learning_rate
            or (_RATE_OF_DIFFERENCES if arguments.rank else _RATE_OF_WEIGHTS),
            arguments.batch,
            arguments.seed,
            arguments.rank,
            arguments.keep if arguments.rank else 1.0,
            arguments.noisy,
        ),
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
