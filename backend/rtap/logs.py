"""Structured log lines, one per event, and nothing in them that was said in the car.

:func:`set_up` sends everything, that of libraries included, through one formatter, which takes texts, audio
and keys out of it. A line has ``timestamp``, ``level``, ``component`` and ``message``, and where they are
known ``stage``, ``latency_ms``, ``session_id`` and whatever else it was given.
"""

from __future__ import annotations

import json
import logging
import math
import numbers
import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, TextIO
from urllib.parse import unquote_plus

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict

from rtap.config import LoggingConfig

REDACTED: Final = "<redacted>"

_FIRST_KEYS: Final = (
    "timestamp",
    "level",
    "component",
    "stage",
    "latency_ms",
    "session_id",
    "message",
)
_AUDIO_KEYS: Final = frozenset({"audio", "audio_base64", "pcm", "samples", "waveform"})
_TEXT_KEYS: Final = frozenset(
    {"hotwords", "hypothesis", "partial", "prompt", "segments", "text", "transcript", "words"}
)
_SECRET_KEYS: Final = frozenset({"access_key", "api_key", "authorization", "x-api-key"})
# As they stand in the request lines and headers that web servers log.
_SECRET: Final = re.compile(
    r"(api_key=|x-api-key:\s*|authorization:\s*(?:bearer\s+)?)[^\s&\"']+", re.IGNORECASE
)
_SECRET_NAMES: Final = ("access_key", "api_key")
_WORD: Final = re.compile(r"[^\s&\"']+")
"""Of a request line: one parameter of its query, or what stands around it."""
_OWN_HANDLING: Final = ("uvicorn", "uvicorn.access", "uvicorn.error")
"""Loggers that uvicorn gives handlers of its own."""
_ECHOING: Final = ("python_multipart",)
"""Loggers that warn of each broken request, which the client is told and anybody can send without end."""


def get(component: str) -> BoundLogger:
    """The logger of one component: ``get("pipeline").info("done", stage="stt", latency_ms=2.3)``.

    :mod:`rtap.whisper` alone uses ``logging`` itself: the tools load models too, without :func:`set_up`.
    """
    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(f"rtap.{component}"),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=True,
        component=component,
    )
    return logger


def context(**values: str) -> AbstractContextManager[None]:
    """Add values, such as ``request_id``, to all lines of this task or thread, libraries' included."""
    return structlog.contextvars.bound_contextvars(**values)


def set_up(config: LoggingConfig, stream: TextIO) -> None:
    """Send all log lines of the process to a stream. May be called again, to change how.

    Libraries stay at INFO even where DEBUG is configured: web servers log whole messages there, and those
    hold what was said.
    """
    debug = config.level == "DEBUG"
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            processors=[
                _add_origin,
                structlog.contextvars.merge_contextvars,
                _Exceptions(with_trace=debug),
                ProcessorFormatter.remove_processors_meta,
                _Redaction(transcripts=config.transcripts),
                _as_json if config.format == "json" else _as_line,
            ]
        )
    )
    root = logging.getLogger()
    for other in root.handlers[:]:
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel("INFO" if debug else config.level)
    logging.getLogger("rtap").setLevel(config.level)
    for name in _OWN_HANDLING:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    for name in _ECHOING:
        logging.getLogger(name).setLevel(logging.ERROR)


def _add_origin(_logger: object, _method: str, event: EventDict) -> EventDict:
    """When, how grave and by whom: of our lines and of libraries' alike."""
    record: logging.LogRecord = event["_record"]
    when = datetime.fromtimestamp(record.created, UTC)
    event["timestamp"] = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event["level"] = record.levelname
    event.setdefault("component", record.name.removeprefix("rtap."))
    event["message"] = event.pop("event")
    return event


class _Exceptions:
    """Names an exception in one field, and adds its trace only for those who debug."""

    def __init__(self, *, with_trace: bool) -> None:
        self._with_trace = with_trace

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        event.pop("stack_info", None)
        error = _exception(event.pop("exc_info", None))
        if error is not None:
            event["exception"] = f"{type(error).__name__}: {error}"
            if self._with_trace:
                event["trace"] = "".join(traceback.format_exception(error))
        return event


def _exception(info: object) -> BaseException | None:
    """The exception that ``exc_info`` means, which may be one, a tuple with one, or True."""
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1] if isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None


class _Redaction:
    """Takes out what is nobody's business, and anything of which it cannot tell."""

    def __init__(self, *, transcripts: bool) -> None:
        self._hidden = _AUDIO_KEYS | _SECRET_KEYS | (frozenset() if transcripts else _TEXT_KEYS)

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        return self._mapping(event)

    def _mapping(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        return {
            str(key): REDACTED if str(key).lower() in self._hidden else self._value(value)
            for key, value in values.items()
        }

    def _value(self, value: object) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(one) for one in value]
        return _plain(value)


def _plain(value: object) -> str | float | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum | PurePath | BaseException | str):
        return _WORD.sub(_without_secret, _SECRET.sub(rf"\1{REDACTED}", str(value)))
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        return number if math.isfinite(number) else str(number)  # JSON knows no NaN
    # An array is audio, an event holds a text, bytes are anything.
    return f"<{type(value).__name__}>"


def _without_secret(word: re.Match[str]) -> str:
    """A parameter without its value, where its name is a secret's however it is percent-encoded."""
    text = word[0]
    if "%" not in text:
        return text  # it was found as it stands
    parts = text.split("=")
    for number, part in enumerate(parts[:-1], start=1):
        name = re.split(r"[?;]", part)[-1]
        if unquote_plus(name).strip().lower().endswith(_SECRET_NAMES):
            return f"{'='.join(parts[:number])}={REDACTED}"
    return text


def _as_json(_logger: object, _method: str, event: EventDict) -> str:
    known = {key: event[key] for key in _FIRST_KEYS if key in event}
    return json.dumps({**known, **event})


def _as_line(_logger: object, _method: str, event: EventDict) -> str:
    """For people: the time of day, the message, then the rest."""
    rest = {key: value for key, value in event.items() if key not in _FIRST_KEYS}
    trace = rest.pop("trace", "")
    rest = {key: event[key] for key in ("stage", "latency_ms", "session_id") if key in event} | rest
    fields = "".join(f" {key}={_printable(value)}" for key, value in rest.items())
    time = event["timestamp"][11:]
    start = f"{time} {event['level']:<8} {event['component']}: {_printable(event['message'])}"
    return f"{start}{fields}" + (f"\n{trace.rstrip()}" if trace else "")


def _printable(value: object) -> str:
    """One line without control characters: a client's words must not look like lines of ours."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(value)
    )
