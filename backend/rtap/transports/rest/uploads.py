"""Reads what clients upload, without ever holding more of it than is allowed.

Up to 1 MB stays in memory; what is larger goes to a file that has no name, so nothing is left of it
whatever happens to this process.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from rtap.errors import StorageError
from rtap.transports.api_errors import ApiError, bad_fields

if TYPE_CHECKING:
    from collections.abc import Collection

    from python_multipart.multipart import MultipartCallbacks

    from rtap.transports.admission.limits import ByteCount

Fields = TypeVar("Fields", bound=BaseModel)

FILE_FIELDS: Final = ("audio_file", "file", "audio")
_IN_MEMORY: Final = 1_000_000
_REMOVED: Final = "the upload was removed already: send it again"
_WRITE_SIZE: Final = 256 * 1024
_MOST_PARTS: Final = 32
_LONGEST_FIELD: Final = 4_096
_LONGEST_FIELDS: Final = {"prompt": 32_768}
"""Those of which more may come than is used."""
_INDEX: Final = re.compile(r"\[[0-9]{0,3}\]$")
"""What may stand behind the name of a field that is repeated."""
_STALLED_SECONDS: Final = 30.0
_LONGEST_SECONDS: Final = 600.0
_SLOWEST_RATE: Final = 4_000
"""Bytes per second: who sends fewer, after the first :data:`_GRACE_SECONDS`, loses the place to others."""
_GRACE_SECONDS: Final = 10.0

# Everything else is decided by the content: many clients say application/octet-stream, or video/ogg.
_NOT_AUDIO: Final = ("text/", "image/", "font/", "application/json", "application/pdf")


def check_declared_kind(content_type: str) -> None:
    """Refuse what says of itself that it is no audio.

    Raises:
        ApiError: 415.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith(_NOT_AUDIO):
        raise ApiError(
            415,
            "not_audio",
            f"the file is sent as {kind[:64]}: send audio, as audio/wav or application/octet-stream for "
            f"example",
        )


class Upload:
    """The bytes of one upload. :meth:`flush` and :meth:`open` may wait for the disk: call them in a thread.

    Args:
        directory: for what does not stay in memory; made when needed. None: the system's.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._pending = bytearray()
        self._file: IO[bytes] | None = None
        self._closed = False

    def add(self, data: bytes) -> None:
        """Take more bytes; call :meth:`flush` when :attr:`is_due` says so."""
        self._pending += data

    @property
    def is_due(self) -> bool:
        """Whether memory holds as much as it may."""
        return len(self._pending) > (_IN_MEMORY if self._file is None else _WRITE_SIZE)

    def flush(self) -> None:
        """Move what is in memory to the disk.

        Raises:
            StorageError: there is no room.
        """
        try:
            if self._file is None:
                if self._directory is not None:
                    self._directory.mkdir(parents=True, exist_ok=True)
                self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 (see close)
            self._file.write(self._pending)
        except OSError as error:
            # Not gettempdir(), which raises the same again where there is none.
            place = self._directory or tempfile.tempdir or "a temporary folder"
            raise StorageError(
                f"the upload cannot be kept in {place} ({error.strerror}): make room there, or set "
                f"CACHE_DIR to a folder that may be written"
            ) from error
        self._pending = bytearray()

    def open(self) -> IO[bytes]:
        """All of it, from the beginning, as a file with a descriptor; :meth:`close` closes it.

        Raises:
            StorageError: there is no room, or it was closed.
        """
        if self._closed:
            raise StorageError(_REMOVED)
        if self._file is None:
            # libsndfile wants a descriptor; this one is memory.
            self._file = os.fdopen(os.memfd_create("upload"), "w+b")
        self.flush()
        self._file.flush()
        self._file.seek(0)
        if self._closed:  # in the meantime, by another thread, which may not have seen the file yet
            self.close()
            raise StorageError(_REMOVED)
        return self._file

    def close(self) -> None:
        """Remove it."""
        self._closed = True
        self._pending = bytearray()
        if self._file is not None:
            self._file.close()


@dataclass(slots=True)
class Form:
    """What a multipart body held."""

    upload: Upload | None = None
    fields: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    """Fields that may be repeated, without the brackets that their names may end with."""

    def file(self, name: str = FILE_FIELDS[0]) -> Upload:
        """The file; whoever takes it closes it.

        Args:
            name: what its field is called towards the client.

        Raises:
            ApiError: 422: there is none.
        """
        if self.upload is None:
            raise ApiError(
                422, "bad_field", f"{name}: missing, send the audio in this field", param=name
            )
        return self.upload

    def parsed(self, model: type[Fields]) -> Fields:
        """What the fields say; an empty one says nothing, as forms send those that nobody filled in.

        Raises:
            ApiError: 422.
        """
        lists = {name: [value for value in values if value] for name, values in self.lists.items()}
        given = {name: value for name, value in {**self.fields, **lists}.items() if value}
        try:
            return model.model_validate(given)
        except ValidationError as error:
            raise bad_fields(error) from None

    def close(self) -> None:
        """Remove the file, if there is one."""
        if self.upload is not None:
            self.upload.close()


async def read_multipart(
    request: Request, count: ByteCount, directory: Path | None, lists: Collection[str] = ()
) -> Form:
    """Read a form with one file in ``audio_file``, ``file`` or ``audio``.

    Args:
        lists: fields that may be repeated, with or without ``[]`` or ``[0]`` behind their names.

    Raises:
        ApiError: not multipart, broken, too large, several files, a file that says that it is no audio,
            or a client that stopped sending.
        StorageError: no room on the disk.
        ClientDisconnect: the client went away.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise ApiError(
            415,
            "wrong_content_type",
            "send multipart/form-data with the audio in the field file, or JSON to /transcribe/base64",
        )
    parts = _Parts(directory, lists)
    try:
        parser = MultipartParser(options[b"boundary"], parts.callbacks())
        async for chunk in _body(request, count):
            parser.write(chunk)
            await parts.make_room()
        if not parts.is_complete:
            raise ApiError(400, "bad_request", "the form is cut off: send it again")
    except FormParserError as error:
        parts.form.close()
        raise ApiError(
            400, "bad_request", f"the form is broken ({error}): send it again"
        ) from error
    except BaseException:
        parts.form.close()
        raise
    return parts.form


async def read_body(request: Request, count: ByteCount, directory: Path | None) -> Upload:
    """Read the whole body; whoever calls this closes it.

    Raises:
        ApiError: it is too large, or the client stopped sending.
        StorageError: no room on the disk.
        ClientDisconnect: the client went away.
    """
    upload = Upload(directory)
    try:
        async for chunk in _body(request, count):
            upload.add(chunk)
            if upload.is_due:
                await asyncio.to_thread(upload.flush)
    except BaseException:
        upload.close()
        raise
    return upload


async def _body(request: Request, count: ByteCount) -> AsyncIterator[bytes]:
    stream = request.stream()
    started = asyncio.get_running_loop().time()
    received = 0
    count.check_declared(request.headers.get("content-length"))
    while True:
        try:
            async with asyncio.timeout_at(_next_deadline(started, received)):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise ApiError(
                408, "upload_stalled", "the upload takes too long: send it again, faster"
            ) from None
        if chunk is None:
            return
        count.add(len(chunk))
        received += len(chunk)
        yield chunk


def _next_deadline(started: float, received: int) -> float:
    """When more has to be there, in the loop's seconds."""
    return min(
        asyncio.get_running_loop().time() + _STALLED_SECONDS,
        started + _GRACE_SECONDS + received / _SLOWEST_RATE,
        started + _LONGEST_SECONDS,
    )


class _Parts:
    """Takes a form apart as it comes in. The parser calls back for every piece of a header or a part."""

    def __init__(self, directory: Path | None, lists: Collection[str]) -> None:
        self.form = Form()
        self.is_complete = False
        self._lists = lists
        self._directory = directory
        self._count = 0
        self._header = bytearray()
        self._value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._into: Upload | bytearray = bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._complete,
        }

    async def make_room(self) -> None:
        upload = self.form.upload
        if upload is not None and upload.is_due:
            await asyncio.to_thread(upload.flush)

    def _begin(self) -> None:
        self._count += 1
        if self._count > _MOST_PARTS:
            raise ApiError(400, "bad_request", f"the form has more than {_MOST_PARTS} parts")
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name not in FILE_FIELDS:
            self._into = bytearray()
            return
        if self.form.upload is not None:
            raise ApiError(
                422,
                "bad_field",
                f"{self._name}: there are several files: send one at a time",
                param=self._name,
            )
        check_declared_kind(self._headers.get(b"content-type", b"").decode("latin-1"))
        self._into = self.form.upload = Upload(self._directory)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if isinstance(self._into, Upload):
            self._into.add(data[start:end])
            return
        self._into += data[start:end]
        longest = _LONGEST_FIELDS.get(self._name, _LONGEST_FIELD)
        if len(self._into) > longest:
            raise self._bad(f"longer than {longest} bytes")

    def _end(self) -> None:
        if isinstance(self._into, Upload):
            return
        value = self._into.decode("utf-8", "replace")
        name = _INDEX.sub("", self._name)
        if name in self._lists:
            self.form.lists.setdefault(name, []).append(value)
            return
        if self._name in self.form.fields:
            raise self._bad("sent several times")
        self.form.fields[self._name] = value

    def _bad(self, fault: str) -> ApiError:
        name = self._name[:64]
        return ApiError(422, "bad_field", f"{name}: {fault}", param=name)

    def _complete(self) -> None:
        self.is_complete = True
