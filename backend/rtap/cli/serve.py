"""``rtap serve``: the whole service in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import os
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add ``serve`` to the command line."""
    parser = commands.add_parser(
        "serve",
        help="listen, transcribe and publish until stopped",
        description="Run the service: microphone and clients to text, on REST and WebSocket (port 8000), "
        "ZeroMQ (6552, 6553), the events' WebSocket (5802), Wyoming (10300), health and metrics (8080). "
        "SIGTERM, SIGHUP and Ctrl-C finish what is being said and exit with 0. A service that hangs exits "
        "with 1 (stt.hang_seconds).",
    )
    add_configuration(parser)
    parser.set_defaults(run=run)


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """Add the two options that choose a configuration."""
    parser.add_argument("--profile", metavar="NAME", help="default: RTAP_ENVIRONMENT, or default")
    parser.add_argument("--file", type=Path, metavar="FILE", help="a profile of your own")


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    from rtap import logs
    from rtap.app import RTAPApplication
    from rtap.config.loader import UnifiedConfigLoader
    from rtap.server import serve

    # A fault in native code, such as SIGBUS when a mapped file is cut off, leaves a word on where it was.
    faulthandler.enable()
    loader = UnifiedConfigLoader.from_environment(os.environ)
    config = loader.load(arguments.profile, arguments.file)
    logs.set_up(config.logging, sys.stderr)
    asyncio.run(serve(RTAPApplication(config)))
    return 0
