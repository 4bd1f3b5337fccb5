"""Make the bundled model from nothing: speech, training, export, test sets.

Each step keeps what it made in the working folder and goes on from there when it is started again. Speech
takes about an hour of one core, nearly all of it for the neural voices; training takes hours on a CPU and
minutes on a GPU; the rest minutes.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.errors import ConfigurationError
from tools.console.command_line import positive_number, run
from tools.model.cabin.grammar import Grammar
from tools.model.cabin.recipe import NAME, Recipe
from tools.model.cabin.schedule import Schedule
from tools.root import CACHE, ROOT
from tools.setup.environment import require

BUNDLED = ROOT / "backend/rtap/models" / NAME
CARD = "README.md"
STEPS = ("speech", "train", "export", "tests")


def _report(line: str) -> None:
    print(f"train_cabin_model: {line}", file=sys.stderr, flush=True)


def main(argv: Sequence[str]) -> int:
    """Command line."""
    parser = OneLineParser(prog="tools/train_cabin_model", description=__doc__)
    parser.add_argument(
        "step",
        choices=(*STEPS, "all"),
        help="speech: synthesise the corpus; train: teach the network; export: convert, quantise and put it "
        "into the working folder; tests: make the test sets; all: one after the other",
    )
    parser.add_argument(
        "--work", type=Path, default=CACHE / "cabin", help="working folder (.cache/cabin)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (0)")
    parser.add_argument(
        "--fast", type=int, default=30_000, help="utterances by espeak-ng, flite, festival (30000)"
    )
    parser.add_argument(
        "--neural", type=int, default=4_000, help="utterances by Kokoro, 0 goes without it (4000)"
    )
    parser.add_argument(
        "--neural-weight", type=int, default=3, help="times that each of them is heard (3)"
    )
    parser.add_argument("--steps", type=int, default=18_000, help="of training, 48 s each (18000)")
    parser.add_argument(
        "--processes", type=positive_number, default=os.cpu_count() or 1, help="(one per core)"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="(cpu)")
    parser.add_argument(
        "--install", action="store_true", help="let export replace the model that is bundled"
    )
    arguments = parser.parse_args(argv)
    require("training", "torch", "transformers", "scipy")
    recipe = Recipe(Grammar.read(), arguments.work, arguments.seed)
    recipe.work.mkdir(parents=True, exist_ok=True)
    steps = STEPS if arguments.step == "all" else (arguments.step,)
    if "speech" in steps:
        recipe.make_speech(arguments.fast, arguments.neural, arguments.processes, _report)
    if "train" in steps:
        schedule = Schedule(arguments.steps)
        _train(recipe, schedule, arguments.neural_weight, arguments.device, arguments.processes)
    if "export" in steps:
        _export(recipe, install_it=arguments.install)
    if "tests" in steps:
        for place in recipe.make_tests(arguments.processes, _report):
            write_result(f"{place}\n")
    return 0


def _train(
    recipe: Recipe, schedule: Schedule, neural_weight: int, device: str, processes: int
) -> None:
    """Train in one process per core: two threads of one process are only half as much again as one."""
    from torch.multiprocessing.spawn import spawn

    if processes == 1 or device == "cuda":
        _train_here(0, recipe, schedule, neural_weight, device, None)
        return
    with tempfile.TemporaryDirectory(dir=recipe.work) as place:
        meeting = f"file://{place}/meeting"
        arguments = (recipe, schedule, neural_weight, device, (meeting, processes))
        spawn(_train_here, arguments, nprocs=processes)


def _train_here(
    rank: int,
    recipe: Recipe,
    schedule: Schedule,
    neural_weight: int,
    device: str,
    group: tuple[str, int] | None,
) -> None:
    import torch

    from tools.model.cabin.network import Shape

    torch.set_num_threads(1)
    if group is not None:
        meeting, size = group
        torch.distributed.init_process_group(
            "gloo", init_method=meeting, rank=rank, world_size=size
        )
    report = _report if rank == 0 else _say_nothing
    recipe.train(Shape(), schedule, neural_weight=neural_weight, device=device, report=report)
    if group is not None:
        torch.distributed.destroy_process_group()


def _say_nothing(line: str) -> None:
    """The other processes report the same."""


def _export(recipe: Recipe, *, install_it: bool) -> None:
    from tools.model.cabin.export import export
    from tools.model.cabin.network import Shape

    trainer = recipe.trainer(Shape(), "cpu")
    if not trainer.resume():
        raise ConfigurationError(
            f"{recipe.work} has no checkpoint: run `tools/train_cabin_model train`"
        )
    _, small = export(trainer.network, recipe.tokenizer(), recipe.work, NAME)
    write_result(
        f"{recipe.work / NAME}: {small.bytes / 1e6:.1f} MB, int8, after {trainer.step} steps\n"
    )
    if install_it:
        install(recipe.work / NAME)
        write_result(f"{BUNDLED}: replaced, now measure it and renew {CARD}\n")


def install(model: Path) -> None:
    """Replace the bundled model; the card beside it was written by hand, and stays."""
    for old in set(BUNDLED.glob("*")) - {BUNDLED / CARD}:
        old.unlink()
    shutil.copytree(model, BUNDLED, dirs_exist_ok=True)


if __name__ == "__main__":
    run(main)
