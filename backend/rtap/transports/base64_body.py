"""Audio inside JSON: from a body with Base64 in it to the bytes of the file."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from rtap.transports.api_errors import ApiError, bad_fields
from rtap.transports.schemas import Base64Request
from rtap.transports.uploads import Upload, check_declared_kind

if TYPE_CHECKING:
    from starlette.requests import Request

_SLICE = 1 << 20
"""Characters that are decoded at a time: a multiple of 4."""
_FROM_URL_SAFE = str.maketrans("-_", "+/")


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
        ApiError: 400 no JSON or no Base64, 415 a data: URL of something else, 422 a bad field.
        StorageError: no room on the disk.
    """
    try:
        request = _parsed(body.open().read())
    finally:
        body.close()
    upload = Upload(directory)
    try:
        _decode(request.audio_base64, upload)
    except BaseException:
        upload.close()
        raise
    return upload, request.model_copy(update={"audio_base64": ""})


def _parsed(document: bytes) -> Base64Request:
    try:
        return Base64Request.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            reason = first["ctx"]["error"]
            raise ApiError(400, "bad_json", f"the body is no JSON ({reason}): mend it") from None
        raise bad_fields(error) from None


def _decode(text: str, upload: Upload) -> None:
    if text[:5].lower() == "data:":
        kind, comma, text = text[5:].partition(",")
        if not comma or not kind.lower().endswith(";base64"):
            message = (
                "audio_base64 is a data: URL without Base64: begin it with data:audio/wav;base64,"
            )
            raise ApiError(400, "bad_base64", message)
        check_declared_kind(kind)
    if any(text.find(blank) >= 0 for blank in " \r\n\t"):
        text = "".join(text.split())
    text = text.rstrip("=").translate(_FROM_URL_SAFE)
    try:
        for begin in range(0, len(text), _SLICE):
            piece = text[begin : begin + _SLICE]
            upload.add(base64.b64decode(piece + "=" * (-len(piece) % 4), validate=True))
            if upload.is_due:
                upload.flush()
    except (binascii.Error, ValueError) as error:  # ValueError: what is not ASCII
        reason = f"audio_base64 is not Base64 ({error}): encode the bytes of the file, all of them"
        raise ApiError(400, "bad_base64", reason) from None
