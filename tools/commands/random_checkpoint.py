"""Make a seeded random Whisper checkpoint, in Hugging Face layout.

Real weights are not needed to prove that a conversion computes the same numbers, that decoding follows its
rules, or how fast a size of model runs. The weights are scaled so that greedy decoding wanders through the
vocabulary and depends on the audio, where transformers' own initialisation repeats one token for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from tools.console.command_line import run
from tools.model.conversion.random_checkpoint import SIZES, make_checkpoint
from tools.setup.environment import require


def main(argv: Sequence[str]) -> int:
    """Command line."""
    parser = OneLineParser(prog="tools/random_checkpoint", description=__doc__)
    parser.add_argument("output", type=Path, help="directory to make")
    parser.add_argument("--size", choices=sorted(SIZES), default="tiny", help="default: tiny")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--tokenizer-ranks",
        type=Path,
        metavar="FILE",
        help="OpenAI's multilingual.tiktoken, for the real vocabulary; "
        "without it, a byte-level one of the same size is made",
    )
    arguments = parser.parse_args(argv)
    require("making a checkpoint", "torch", "transformers")
    from tools.model.conversion.tokenizer_from_ranks import byte_tokenizer, tokenizer_from_ranks

    size = SIZES[arguments.size]
    if arguments.tokenizer_ranks is None:
        tokenizer = byte_tokenizer(num_languages=size.languages)
    else:
        tokenizer = tokenizer_from_ranks(
            arguments.tokenizer_ranks, multilingual=True, num_languages=size.languages
        )
    make_checkpoint(arguments.output, size, seed=arguments.seed, tokenizer=tokenizer)
    write_result(f"{arguments.output}: random {arguments.size} checkpoint, seed {arguments.seed}\n")
    return 0


if __name__ == "__main__":
    run(main)
