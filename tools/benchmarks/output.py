"""Where a benchmark's report goes: the options that all subjects have, and what is done about them."""

from __future__ import annotations

import argparse
from pathlib import Path

from rtap import atomic_file
from rtap.cli.terminal import write_result
from rtap.errors import ConfigurationError
from tools.benchmarks.report import Report, to_json, to_markdown


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--json`` and ``--markdown``."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the Markdown there too"
    )


def check_file(target: Path | None, option: str) -> None:
    """Refuse what cannot be written, before anything is measured.

    Raises:
        ConfigurationError: it is a folder.
    """
    if target is not None and target.is_dir():
        raise ConfigurationError(f"{target} is a folder: give {option} the name of a file")


def write(report: Report, arguments: argparse.Namespace) -> None:
    """Print the report, and save it where that was asked for."""
    markdown = to_markdown(report)
    write_result(to_json(report) if arguments.json else markdown)
    if arguments.markdown is not None:
        atomic_file.write_text(arguments.markdown, markdown)
