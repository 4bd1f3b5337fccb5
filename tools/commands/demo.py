"""Let the default model hear a person and spoken commands, and show what it understands.

The person speaks in eight recordings of Debian's alsa-utils. espeak-ng speaks the commands where it is
installed; otherwise they are recordings of it. The transcripts come through `rtap transcribe`, the command
that users have. The model is fetched and converted where it is missing; where it cannot be had, the bundled
one takes its place.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rtap.cli.guard import OneLineParser
from rtap.errors import RTAPException
from rtap.whisper.model_store import BUNDLED_MODEL, DEFAULT_MODEL
from tools.console.command_line import run
from tools.model.conversion.default_model import find_default_model
from tools.model.evaluation import people
from tools.process.run import complaint
from tools.root import ROOT

RECORDED = {
    "turn_on_the_heating.wav": "turn on the heating",
    "navigate_home.wav": "navigate home",
    "set_the_temperature.wav": "set the temperature to twenty one degrees",
}
"""The files in tests/audio and what is said in them."""
SPOKEN = (
    ("en-us", "turn on the heating"),
    ("en-gb+f2", "navigate home"),
    ("en-us+m3", "set the temperature to twenty one degrees"),
    ("en-gb-scotland", "open the rear left window"),
    ("en-us+f3", "call anna at home"),
    ("en-gb+m7", "play some jazz music"),
    ("en-us+m1", "what is the weather like tomorrow"),
    ("en-gb-x-rp+f5", "turn off the fog lights"),
    ("en-us+f1", "find the nearest charging station"),
    ("en-gb", "yes"),
)
"""Voices of espeak-ng and what they say."""
WORDS_PER_MINUTE = 150
IN_DIGITS = {"21": "twenty one"}
"""Numbers of the sentences above, as a model may write them."""
COLUMN = 44


class DemoError(RTAPException):
    """The demonstration could not be given."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One command and what became of it.

    Args:
        seconds: length of the audio.
        latency: seconds from the end of the audio to its text.
    """

    said: str
    heard: str
    seconds: float
    latency: float


def speak(place: Path) -> dict[Path, str]:
    """Files with commands, and what is said in them."""
    if shutil.which("espeak-ng") is None:
        return {ROOT / "tests/audio" / name: text for name, text in RECORDED.items()}
    files = {}
    for number, (voice, text) in enumerate(SPOKEN):
        file = place / f"{number:02d}.wav"
        _run(["espeak-ng", "-v", voice, "-s", str(WORDS_PER_MINUTE), "-w", str(file), text])
        files[file] = text
    return files


def listen(files: dict[Path, str], place: Path, model: str, threads: int) -> list[Heard]:
    """Transcribe files with ``rtap transcribe``.

    Raises:
        DemoError: it did not work.
    """
    options = ["--model", model, "--threads", str(threads), "--language", "en", "--format", "json"]
    names = [str(file) for file in files]
    output = place / "transcripts"
    _run(
        [
            sys.executable,
            "-P",
            "-m",
            "rtap",
            "transcribe",
            *options,
            "--output-dir",
            str(output),
            *names,
        ]
    )
    heard = []
    for file, text in files.items():
        document: dict[str, Any] = json.loads((output / file.with_suffix(".json").name).read_text())
        heard.append(
            Heard(text, document["text"], document["duration"], document["inference_time"])
        )
    return heard


def _run(command: Sequence[str]) -> None:
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
        raise DemoError(
            f"{Path(command[0]).name} failed with status {done.returncode}: {complaint(done.stderr)}"
        )


def error_rate(heard: Sequence[Heard]) -> float:
    """Word errors by words, pooled; "twenty one" and "21" are the same.

    Not by Whisper's normaliser, which is in transformers: the demonstration needs none of it.
    """
    from tools.model.evaluation.scoring import Counts, count

    counts = (count(_words(one.said), _words(one.heard)) for one in heard)
    return sum(counts, Counts()).error_rate or 0.0


def _words(text: str) -> list[str]:
    from tools.model.evaluation.normalization import normalizer_for

    plain = normalizer_for("en", published=False)
    return plain.words(re.sub(r"\d+", lambda found: IN_DIGITS.get(found[0], found[0]), text))


def _report(heard: Sequence[Heard]) -> dict[str, Any]:
    return {"word_error_rate": error_rate(heard), "transcripts": [asdict(one) for one in heard]}


def _print(title: str, heard: Sequence[Heard], errors: float) -> None:
    print(f"  {title:<{COLUMN}}{'heard':<{COLUMN}}audio   latency")
    for one in heard:
        text = one.heard or "(nothing)"
        times = f"{one.seconds:4.1f} s  {1000 * one.latency:5.0f} ms"
        print(f"  {one.said:<{COLUMN}}{text:<{COLUMN}}{times}")
    words = sum(len(one.said.split()) for one in heard)
    factor = sum(one.latency for one in heard) / sum(one.seconds for one in heard)
    print(
        f"  {len(heard)} recordings, {words} words, word error rate {100 * errors:.1f} %, "
        f"real-time factor {factor:.3f}\n"
    )


def main(argv: Sequence[str]) -> int:
    """Command line."""
    parser = OneLineParser(prog="tools/demo", description=__doc__)
    parser.add_argument("--model", help=f"name or directory ({DEFAULT_MODEL})")
    parser.add_argument("--threads", type=int, default=1, help="of the engine (1)")
    parser.add_argument("--json", action="store_true", help="print the transcripts as JSON")
    arguments = parser.parse_args(argv)
    model = arguments.model
    if model is None:
        found = find_default_model("demo")
        model = BUNDLED_MODEL if found is None else str(found.path)
    of_people = people.recordings()
    with tempfile.TemporaryDirectory(prefix="rtap-demo-") as place:
        spoken = speak(Path(place))
        heard = listen(of_people | spoken, Path(place), model, arguments.threads)
    groups = {"a person": heard[: len(of_people)], "a synthesiser": heard[len(of_people) :]}
    if arguments.json:
        reports = {name: _report(group) for name, group in groups.items() if group}
        print(json.dumps({"model": Path(model).name, **reports}, indent=2))
        return 0
    print(f"  {Path(model).name}\n")
    for name, group in groups.items():
        if group:
            _print(f"said by {name}", group, error_rate(group))
    _print_notes(of_people, spoken)
    return 0


def _print_notes(of_people: dict[Path, str], spoken: dict[Path, str]) -> None:
    if not of_people:
        print("  No person was heard, as alsa-utils is not to be had: apt-get install alsa-utils")
    if len(spoken) == len(RECORDED):
        print("  espeak-ng is not installed, so these were recordings: apt-get install espeak-ng")
    print("  Now speak yourself: .venv/bin/rtap listen --no-wake-word")


if __name__ == "__main__":
    run(main)
