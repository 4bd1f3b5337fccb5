"""tools.console.build_options: what the options of several tools say and default to."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from rtap import __version__
from tools.console import build_options
from tools.root import ROOT


def test_defaults_and_what_help_says_of_them() -> None:
    parser = ArgumentParser()
    build_options.add_container(parser)
    build_options.add_output(parser, build_options.BUILD / "release", "it is replaced")
    build_options.add_version(parser)
    build_options.add_mirror(parser)
    given = parser.parse_args([])
    assert given.container == ROOT / "build/container"
    assert given.output == ROOT / "build/release"
    assert (given.version, given.mirror) == (__version__, None)
    text = " ".join(parser.format_help().split())
    assert "default: build/container" in text
    assert "it is replaced; default: build/release" in text


def test_values() -> None:
    parser = ArgumentParser()
    build_options.add_output(parser, build_options.BUILD)
    assert parser.parse_args(["--output", "elsewhere"]).output == Path("elsewhere")
