"""Audio inside JSON: from a body with Base64 in it to the bytes of the file.

The audio is cut out before the rest is parsed, so that a body costs what its audio does, whatever it holds.
"""

from __future__ import annotations

import base64
import binascii
import mmap
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from rtap.transports.api_errors import ApiError, bad_fields
from rtap.transports.rest.uploads import Upload, check_declared_kind
from rtap.transports.schemas import Base64Request

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_REST_BYTES: Final = 65_536
"""Of the JSON, the audio apart."""
_SLICE: Final = 1 << 20
"""Characters that are decoded at a time: a multiple of 4."""
_FROM_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_BLANKS: Final = b" \r\n\t\v\f"
_ESCAPES: Final = (
    *((rb"\/", b"/"), (rb"\n", b""), (rb"\r", b""), (rb"\t", b"")),
    *((rb"\u002b", b"+"), (rb"\u002B", b"+"), (rb"\u002f", b"/"), (rb"\u002F", b"/")),
    *((rb"\u003d", b"="), (rb"\u003D", b"=")),
)
"""What writers of JSON make of Base64's characters and of line ends."""
_LONGEST_KIND: Final = 256
"""Of what a data: URL says of itself."""
_AUDIO_KEY: Final = b'"audio_base64"'
_BACKSLASH: Final = ord("\\")
_VALUE: Final = re.compile(rb'\s*:\s*"')


def check_is_json(request: Request) -> None:
    """Refuse other bodies.

    Raises:
        ApiError: 415.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise ApiError(415, "wrong_content_type", "send JSON, with Content-Type: application/json")


def read_base64(body: Upload, directory: Path | None) -> tuple[Upload, Base64Request]:
    """Take a body apart, which is closed. Whoever calls this closes the upload that it returns.

    Returns:
        The file, and what was asked for; its audio_base64 is left out.

    Raises:
        ApiError: 400 no JSON or no Base64, 413 too much beside the audio, 415 a data: URL of something else,
            422 a bad field.
        StorageError: no room on the disk.
    """
    try:
        audio, rest = _taken_apart(body)
    finally:
        body.close()
    request = _parsed(rest)
    upload = Upload(directory)
    try:
        _decode(audio, upload)
    except BaseException:
        upload.close()
        raise
    return upload, request.model_copy(update={"audio_base64": ""})


def _taken_apart(body: Upload) -> tuple[bytes, bytes]:
    file = body.open()
    if not file.seek(0, 2):
        return b"", b""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as document:
        return without_audio(document)


def without_audio(document: mmap.mmap | bytes) -> tuple[bytes, bytes]:
    """Take the audio out of JSON, without building anything of it.

    Returns:
        The audio as it stands between its quotation marks, of several the last, and the JSON with one
        character or none in its place.

    Raises:
        ApiError: 400 a string does not end, or the audio holds a quotation mark; 413 the rest is too large.
    """
    audio, rest, position = b"", bytearray(), 0
    while True:
        begin = document.find(b'"', position)
        if begin < 0:
            _keep(rest, document, position, len(document))
            return audio, bytes(rest)
        end = _end_of_string(document, begin + 1)
        _keep(rest, document, position, end)
        position = end
        if document[begin:end] != _AUDIO_KEY:
            continue
        value = _VALUE.match(document, end)
        if value is not None:
            _keep(rest, document, end, value.end())
            last = document.find(b'"', value.end())
            if last < 0:
                raise _cut_off()
            audio = document[value.end() : last]
            if audio.endswith(b"\\"):
                raise _no_base64("it holds a quotation mark or ends with a backslash")
            rest += (audio[:1] and b"0") + b'"'
            position = last + 1


def _keep(rest: bytearray, document: mmap.mmap | bytes, begin: int, end: int) -> None:
    if len(rest) + end - begin > MOST_REST_BYTES:
        raise ApiError(
            413,
            "too_large",
            f"the body has more than {MOST_REST_BYTES // 1024} kB beside audio_base64: send the file there, "
            f"and of the other fields those that /openapi.json lists",
        )
    rest += document[begin:end]


def _end_of_string(document: mmap.mmap | bytes, begin: int) -> int:
    """Where a string that is not the audio ends, behind its quotation mark, or where it is too large."""
    end = begin
    while (end := document.find(b'"', end)) >= 0:
        end += 1
        if end - begin > MOST_REST_BYTES:
            return end
        last = end - 2
        while last >= begin and document[last] == _BACKSLASH:
            last -= 1
        if (end - 2 - last) % 2 == 0:
            return end
    raise _cut_off()


def _cut_off() -> ApiError:
    return ApiError(400, "bad_json", "the body is no JSON (a string does not end): mend it")


def _parsed(document: bytes) -> Base64Request:
    try:
        return Base64Request.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            reason = first["ctx"]["error"]
            raise ApiError(400, "bad_json", f"the body is no JSON ({reason}): mend it") from None
        raise bad_fields(error) from None


def _decode(text: bytes, upload: Upload) -> None:
    if text[:5].lower() == b"data:":
        kind, comma, text = _of_data_url(text)
        if not comma or not kind.lower().endswith(";base64"):
            message = (
                "audio_base64 is a data: URL without Base64: begin it with data:audio/wav;base64,"
            )
            raise ApiError(400, "bad_base64", message)
        check_declared_kind(kind)
    if b"\\" in text:
        for escaped, plain in _ESCAPES:
            text = text.replace(escaped, plain)
    text = text.translate(_FROM_URL_SAFE, _BLANKS).rstrip(b"=")
    try:
        for begin in range(0, len(text), _SLICE):
            piece = text[begin : begin + _SLICE]
            upload.add(base64.b64decode(piece + b"=" * (-len(piece) % 4), validate=True))
            if upload.is_due:
                upload.flush()
    except binascii.Error as error:
        raise _no_base64(str(error)) from None


def _of_data_url(text: bytes) -> tuple[str, bytes, bytes]:
    kind, comma, data = text[5:].partition(b",")
    kind = kind[:_LONGEST_KIND].replace(rb"\/", b"/")
    return kind.decode("utf-8", "replace"), comma, data


def _no_base64(reason: str) -> ApiError:
    return ApiError(
        400,
        "bad_base64",
        f"audio_base64 is not Base64 ({reason}): encode the bytes of the file, all of them",
    )
