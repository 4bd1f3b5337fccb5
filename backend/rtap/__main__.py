"""The command line: parses it, runs one command, and turns what goes wrong into one line and a status.

Heavy modules (ONNX Runtime, soundfile) are imported by the commands that need them, so that ``--help``
and a mistyped option answer at once.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from rtap import __version__
from rtap.cli.guard import OneLineParser, guarded
from rtap.errors import ConfigurationError

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def build_parser() -> argparse.ArgumentParser:
    """All commands; the namespace it returns has ``run``, the function to call with it."""
    from rtap.cli import (
        answers,
        config,
        doctor,
        intents,
        listen,
        models,
        serve,
        transcribe,
        vehicle,
    )

    parser = OneLineParser(
        prog="rtap",
        description="Offline voice assistant for cars: speech to text, nothing leaves the car.",
    )
    parser.add_argument("--version", action="version", version=f"rtap {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    transcribe.add_parser(commands)
    models.add_parser(commands)
    serve.add_parser(commands)
    listen.add_parser(commands)
    intents.add_parser(commands)
    vehicle.add_parser(commands)
    answers.add_parser(commands)
    doctor.add_parser(commands)
    config.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status; see :func:`rtap.cli.guard.guarded`."""

    def command() -> int:
        _speak_utf8(sys.stdout)
        _set_up_logging()
        arguments = build_parser().parse_args(argv)
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)

    return guarded("rtap", command)


def _set_up_logging() -> None:
    level = os.environ.get("RTAP_LOG_LEVEL") or "WARNING"
    if level.upper() not in _LOG_LEVELS:
        raise ConfigurationError(f"RTAP_LOG_LEVEL is {level}: use one of {', '.join(_LOG_LEVELS)}")
    logging.basicConfig(level=level.upper(), format="rtap: %(levelname)s: %(message)s")


def _speak_utf8(stream: TextIO | Any) -> None:
    # Transcripts hold any script, whatever the locale; file names may hold what is not even Unicode.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    sys.exit(main())
