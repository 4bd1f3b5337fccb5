"""Show the whole chain on the spot: checkpoint, conversion, quantisation, check, transcript.

Needs no network and takes about a minute. The weights are random, so the transcripts are no sentences; what
counts is that every link works and that the graphs compute what the checkpoint computes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rtap.errors import ConfigurationError, RTAPException
from rtap.guard import OneLineParser
from rtap.whisper.model_directory import ModelDirectory
from tools.command_line import run

ROOT = Path(__file__).resolve().parent.parent
SPOKEN = {
    "turn_on_the_heating.wav": "turn on the heating",
    "navigate_home.wav": "navigate home",
    "set_the_temperature.wav": "set the temperature to twenty one degrees",
}
"""The files in tests/audio and what was said in them."""

CHECKPOINT_SIZE = "mini"
PARITY_STEPS = 100
TEXT_WIDTH = 88
TITLE_WIDTH = 38

NOTICE = """\
The weights of this model are RANDOM: nobody trained it, so the transcripts below are gibberish.
Real is everything else: the conversion of a Hugging Face checkpoint to ONNX graphs, their quantisation, the
comparison with the checkpoint, and the way from a WAV file through the graphs to a transcript.
`make model MODEL=openai/whisper-base` does the same with trained weights."""


class DemoError(RTAPException):
    """A link of the chain failed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain, done."""

    title: str
    seconds: float
    result: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One file and what came out."""

    file: str
    said: str
    transcript: Mapping[str, Any]


class Chain:
    """Runs the project's own commands one after the other, as a user would, and times them."""

    def __init__(self, place: Path, *, verbose: bool) -> None:
        """Work below ``place``."""
        self.place = place
        self.checkpoint = place / "checkpoint"
        self.full = place / "demo-fp32"
        self.small = place / "demo-int8"
        self.steps: list[Step] = []
        self._verbose = verbose

    def make_checkpoint(self) -> None:
        """A random checkpoint stands in for a trained one."""
        with self._step("make a random checkpoint") as result:
            _tool("random_checkpoint", self.checkpoint, "--size", CHECKPOINT_SIZE)
            result.append(_megabytes(_directory_bytes(self.checkpoint)))

    def convert(self) -> None:
        """Checkpoint to graphs."""
        with self._step("convert it to ONNX graphs") as result:
            _tool("convert_whisper", self.checkpoint, self.full, "--no-verify")
            manifest = ModelDirectory.open(self.full).manifest
            result.append(
                f"{manifest.parameters / 1e6:.1f} M parameters, {_megabytes(manifest.bytes)}"
            )

    def quantize(self) -> None:
        """Fp32 graphs to int8 graphs."""
        with self._step("quantise to int8") as result:
            _tool("quantize", self.full, self.small, "--precision", "int8")
            result.append(_megabytes(ModelDirectory.open(self.small).manifest.bytes))

    def verify(self) -> None:
        """Same tokens from the graphs and from torch."""
        with self._step("compare with the checkpoint") as result:
            arguments = [
                "--checkpoint",
                str(self.checkpoint),
                "--steps",
                str(PARITY_STEPS),
                "--json",
            ]
            parity = json.loads(_tool("verify_model", self.full, *arguments))
            for part in parity["decoder"]:
                result.append(
                    f"{part['equal_tokens']}/{part['steps']} tokens equal at {part['seconds']} s"
                )

    def transcribe(self) -> list[Heard]:
        """Spoken files to text, through the command that users have."""
        heard = []
        for name, said in SPOKEN.items():
            with self._step(f"transcribe {name}") as result:
                arguments = ["--model", str(self.small), "--language", "en", "--format", "json"]
                output = _command("rtap", "transcribe", ROOT / "tests/audio" / name, *arguments)
                transcript = json.loads(output)
                heard.append(Heard(name, said, transcript))
                result.append(
                    f"{transcript['duration']:.1f} s of speech in "
                    f"{1000 * transcript['inference_time']:.0f} ms, RTF {transcript['rtf']:.2f}"
                )
        return heard

    @contextmanager
    def _step(self, title: str) -> Iterator[list[str]]:
        """Time a link; its result is what the body appends."""
        result: list[str] = []
        if self._verbose:
            print(f"  {title:<{TITLE_WIDTH}}", end="", flush=True)
        begin = time.monotonic()
        try:
            yield result
        except BaseException:
            if self._verbose:
                print("failed", flush=True)
            raise
        step = Step(title, time.monotonic() - begin, ", ".join(result))
        self.steps.append(step)
        if self._verbose:
            print(f"{step.seconds:6.1f} s   {step.result}", flush=True)


def _tool(name: str, *arguments: str | Path) -> str:
    return _command(f"tools.{name}", *arguments)


def _command(module: str, *arguments: str | Path) -> str:
    """Run one of our modules in a process of its own; what it says is shown only when it fails.

    Raises:
        DemoError: it did not exit with status 0.
    """
    command = [sys.executable, "-P", "-m", module, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        complaint = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise DemoError(f"{module} failed with status {done.returncode}: {complaint[0]}")
    return done.stdout


def _directory_bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


@contextmanager
def _workplace(keep: Path | None) -> Iterator[Path]:
    """A temporary directory, or the one that the user wants to look into afterwards.

    Raises:
        ConfigurationError: the one named is in use.
    """
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="rtap-demo-") as scratch:
            yield Path(scratch)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise ConfigurationError(
            f"{keep} is not an empty directory: name another one, or remove it"
        )
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


def _screen_text(text: str) -> str:
    """One line of a transcript, whatever bytes random weights strung together."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.strip())
    return line if len(line) <= TEXT_WIDTH else line[: TEXT_WIDTH - 4] + " ..."


def _print_transcripts(heard: Sequence[Heard]) -> None:
    for one in heard:
        text = _screen_text(str(one.transcript["text"]))
        print(f"  said    {one.said}\n  heard   {text or '(nothing)'}\n")


def main(argv: Sequence[str]) -> int:
    """Command line."""
    parser = OneLineParser(prog="tools/demo", description=__doc__)
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="leave the checkpoint and the models here"
    )
    parser.add_argument("--json", action="store_true", help="print steps and transcripts as JSON")
    arguments = parser.parse_args(argv)
    verbose = not arguments.json

    if verbose:
        print(f"{NOTICE}\n")
    with _workplace(arguments.keep) as place:
        chain = Chain(place, verbose=verbose)
        chain.make_checkpoint()
        chain.convert()
        chain.quantize()
        chain.verify()
        heard = chain.transcribe()
    seconds = sum(step.seconds for step in chain.steps)
    if arguments.json:
        document = {
            "random_weights": True,
            "seconds": seconds,
            "steps": [asdict(step) for step in chain.steps],
            "transcripts": [asdict(one) for one in heard],
        }
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    print(f"  {'together':<{TITLE_WIDTH}}{seconds:6.1f} s\n")
    _print_transcripts(heard)
    print(
        "The transcripts are gibberish because the weights are random; every link of the chain works."
    )
    return 0


if __name__ == "__main__":
    run(main)
