"""How the HTTP API fails: every failure is JSON that says what to do, under an id that is in the log too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from rtap.audio.file import DearAudioError, NotAudioError
from rtap.errors import (
    AudioError,
    ConfigurationError,
    ModelChangedError,
    OverloadedError,
    QueueFullError,
    RTAPException,
    StorageError,
)
from rtap.transports.schemas import ErrorDetail, ErrorReply

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

_MOST_FAULTS: Final = 5
"""Bad fields that one message names."""


class ApiError(RTAPException):
    """A request that is refused or failed, with the status and the code that the client gets."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Make the error.

        Args:
            code: for programs.
            param: the field at fault.
            retry_after: seconds after which to try again.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.retry_after = retry_after

    @property
    def kind(self) -> str:
        """What OpenAI's API calls a failure of this status."""
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "server_error"
        return _KINDS.get(self.status, "invalid_request_error")

    @property
    def headers(self) -> dict[str, str]:
        """Those that belong to the status."""
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return headers


_KINDS: Final = {401: "authentication_error", 429: "rate_limit_error"}
_STATUSES: Final[tuple[tuple[type[RTAPException], int, str], ...]] = (
    (NotAudioError, 415, "not_audio"),
    (DearAudioError, 413, "too_long"),
    (AudioError, 400, "bad_audio"),
    (ConfigurationError, 422, "bad_option"),
    (QueueFullError, 429, "queue_full"),
    (OverloadedError, 503, "overloaded"),
    (StorageError, 503, "no_storage"),
    (ModelChangedError, 503, "not_ready"),
    (RTAPException, 500, "failed"),
)
"""The first that fits counts."""


def as_api_error(error: Exception) -> ApiError:
    """What a client is told of an exception; of those that nobody foresaw, nothing but that there was one."""
    if isinstance(error, ApiError):
        return error
    for kind, status, code in _STATUSES:
        if isinstance(error, kind):
            wait = (
                error.retry_after if isinstance(error, QueueFullError | OverloadedError) else None
            )
            return ApiError(status, code, str(error), retry_after=wait)
    return ApiError(
        500,
        "internal_error",
        "the service failed at this request: try again; its log says more under the request_id",
    )


def bad_fields(error: ValidationError | RequestValidationError) -> ApiError:
    """One sentence from pydantic's list. It holds no values: they may be long, or secret."""
    faults: Sequence[Mapping[str, Any]] = error.errors()
    told = [_fault(fault) for fault in faults[:_MOST_FAULTS]]
    if len(faults) > _MOST_FAULTS:
        told.append(f"and {len(faults) - _MOST_FAULTS} more")
    where = faults[0]["loc"]
    return ApiError(422, "bad_field", "; ".join(told), param=str(where[0])[:64] if where else None)


def _fault(fault: Mapping[str, Any]) -> str:
    # Where the client chose the name, as of an unknown field, it may be of any length.
    where = ".".join(str(part)[:64] for part in fault["loc"])
    message = str(fault["msg"])
    message = message[:1].lower() + message[1:]
    return f"{where}: {message}" if where else message


def error_document(error: ApiError, request_id: str | None) -> ErrorReply:
    """What a client is told of an error."""
    return ErrorReply(
        error=ErrorDetail(
            code=error.code,
            message=str(error),
            type=error.kind,
            param=error.param,
            request_id=request_id,
        )
    )


def error_reply(error: ApiError, request_id: str | None) -> JSONResponse:
    """The reply that tells of an error."""
    document = error_document(error, request_id)
    return JSONResponse(document.model_dump(), status_code=error.status, headers=error.headers)


def install(app: FastAPI) -> None:
    """Make an application fail as this module says."""

    async def told(request: HTTPConnection, error: Exception) -> JSONResponse:
        return error_reply(as_api_error(error), request.state.request_id)

    async def unrouted(request: HTTPConnection, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        path = request.url.path[:200]
        messages = {
            404: ("not_found", f"there is nothing at {path}: /openapi.json lists what there is"),
            405: ("method_not_allowed", f"{path} has another method: see /openapi.json"),
        }
        code, message = messages.get(error.status_code, ("bad_request", str(error.detail)))
        reply = error_reply(ApiError(error.status_code, code, message), request.state.request_id)
        reply.headers.update(error.headers or {})
        return reply

    async def invalid(request: HTTPConnection, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return error_reply(bad_fields(error), request.state.request_id)

    app.add_exception_handler(RTAPException, told)
    app.add_exception_handler(HTTPException, unrouted)
    app.add_exception_handler(RequestValidationError, invalid)
