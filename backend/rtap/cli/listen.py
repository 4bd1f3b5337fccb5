"""``rtap listen [FILE]``: what the microphone or a file says, as text on the terminal."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from rtap.cli.serve import add_configuration
from rtap.errors import ConfigurationError, PipelineError

if TYPE_CHECKING:
    from rtap.app import RTAPApplication
    from rtap.cli.display import Display
    from rtap.cli.listener import Listener
    from rtap.config import Config
    from rtap.events import Event
    from rtap.stages.capture import AudioSource

    Events = SimpleQueue[Event | None]

_REFRESH_SECONDS: Final = 0.1
_SHUTDOWN_SECONDS: Final = 1.0
_TOLD_AS_EVENTS: Final = ("rtap.pipeline.microphone", "rtap.stages.stt")
"""Loggers whose errors reach the user as events or exceptions."""


def add_parser(commands: Any) -> None:
    """Add ``listen`` to the command line."""
    parser = commands.add_parser(
        "listen",
        help="show on the terminal what is said",
        description="Show what the microphone hears, or a file says, as the service would understand it. "
        "No port is opened. Ctrl-C ends it, once what was said is text.",
    )
    parser.add_argument(
        "audio", nargs="?", type=Path, metavar="FILE", help="audio file; default: the microphone"
    )
    add_configuration(parser)
    parser.add_argument(
        "--fast",
        action="store_true",
        help="read FILE as fast as possible, without partial results; default: at the speed of sound",
    )
    parser.add_argument(
        "--wake-word",
        action=argparse.BooleanOptionalAction,
        help="wait for the wake word; default: as configured, and not for a FILE",
    )
    parser.add_argument(
        "--execute",
        action="store_true",
        help="have the car do what is said; default: commands are understood, and nothing is done",
    )
    parser.add_argument(
        "--json", action="store_true", help="every event as one JSON object, as on port 5802"
    )
    parser.set_defaults(run=run)


def _make_application(config: Config) -> RTAPApplication:
    from rtap.app import RTAPApplication

    return RTAPApplication(config)


def run(
    arguments: argparse.Namespace,
    make_application: Callable[[Config], RTAPApplication] = _make_application,
    environment: Mapping[str, str] = os.environ,
) -> int:
    """Listen until the file ends or Ctrl-C; 1 when an utterance could not be transcribed."""
    from rtap.cli.listener import Listener

    config = _configuration(arguments, environment)
    source = _open_source(config)
    display = _make_display(arguments, config, environment)
    application = make_application(config)
    events: Events = SimpleQueue()
    in_step = config.audio.source == "file" and not config.audio.real_time
    listener = Listener(
        config,
        application,
        source,
        events.put,
        in_step=in_step,
        intents="execute" if arguments.execute else "understand",
    )
    try:
        application.stt.start()
        application.assistant.start()
        _wait_for_model(application)
        return _show(listener, events, display)
    except KeyboardInterrupt:
        return 0  # the usual end, though an early one
    finally:
        display.close()
        application.stt.stop(_SHUTDOWN_SECONDS)
        application.assistant.stop(_SHUTDOWN_SECONDS)


def _configuration(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Config:
    from rtap.config.loader import UnifiedConfigLoader

    loader = UnifiedConfigLoader.from_environment(environment)
    config = loader.load(arguments.profile, arguments.file)
    audio, wakeword = config.audio, config.wakeword
    if arguments.audio is not None:
        real_time = not arguments.fast
        audio = replace(audio, source="file", file=arguments.audio, real_time=real_time)
        wakeword = replace(wakeword, enabled=False)
    elif arguments.fast:
        raise ConfigurationError("--fast is for a FILE: give one, or leave --fast out")
    elif audio.source == "none":
        audio = replace(audio, source="microphone")
    if arguments.wake_word is not None:
        wakeword = replace(wakeword, enabled=arguments.wake_word)
    return replace(config, audio=audio, wakeword=wakeword)


def _open_source(config: Config) -> AudioSource:
    """The source, which is looked at before a model is loaded."""
    from rtap.audio.file import AudioFile
    from rtap.stages.capture import make_source

    source = make_source(config.audio)
    assert source is not None
    path = config.audio.file
    if config.audio.source == "file" and path is not None and not path.is_fifo():
        with AudioFile.open(path, str(path)):
            pass
    return source


def _make_display(
    arguments: argparse.Namespace, config: Config, environment: Mapping[str, str]
) -> Display:
    """How events are shown; log lines go where they do not disturb that."""
    from rtap.cli.display import JsonDisplay, LineDisplay, LiveDisplay, NotesAbove

    if arguments.json:
        _set_up_logs(config, sys.stderr)
        return JsonDisplay()
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    if not is_terminal or environment.get("TERM") == "dumb":
        _set_up_logs(config, sys.stderr)
        return LineDisplay()
    display = LiveDisplay(_hint(config), in_colour=not environment.get("NO_COLOR"))
    _set_up_logs(config, NotesAbove(display, sys.stderr))
    return display


def _set_up_logs(config: Config, stream: TextIO) -> None:
    from rtap import logs

    is_debug = config.logging.level == "DEBUG"
    level: Literal["DEBUG", "WARNING"] = "DEBUG" if is_debug else "WARNING"
    logs.set_up(replace(config.logging, format="console", level=level), stream)
    for name in () if is_debug else _TOLD_AS_EVENTS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _hint(config: Config) -> str:
    if config.wakeword.enabled:
        return f'say "{config.wakeword.keyword.replace("_", " ")}" (Ctrl-C ends)'
    return "" if config.audio.source == "file" else "speak (Ctrl-C ends)"


def _wait_for_model(application: RTAPApplication) -> None:
    try:
        application.stt.probe().result()
    except PipelineError as error:
        # Which model is loaded, and how, is the user's to say.
        raise ConfigurationError(str(error)) from error


def _show(listener: Listener, events: Events, display: Display) -> int:
    """Listen in another thread, where Ctrl-C breaks off nothing; show here what it hears."""
    from rtap.events import ErrorOccurred

    failures = 0
    stops = [listener.give_up, listener.stop]
    with ThreadPoolExecutor(1, "listen") as executor:
        listening = executor.submit(listener.run)
        listening.add_done_callback(lambda _: events.put(None))
        while True:
            try:
                event = _next_event(events, listener, display)
                if event is None:
                    break
                failures += isinstance(event, ErrorOccurred)
                display.show(event)
            except KeyboardInterrupt:
                stops.pop()()
                if not stops:
                    break
            except BaseException:
                listener.give_up()  # the executor waits for it
                raise
    listening.result()
    return 1 if failures else 0


def _next_event(events: Events, listener: Listener, display: Display) -> Event | None:
    """The next event, None after the last; until it comes the display lives on."""
    while True:
        try:
            return events.get(timeout=_REFRESH_SECONDS)
        except Empty:
            display.refresh(listener.take_level())
