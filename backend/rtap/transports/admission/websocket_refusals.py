"""How a client of a WebSocket is refused: by an HTTP reply before the handshake, by a message after it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rtap.transports.api_errors import ApiError, error_reply
from rtap.transports.schemas import StreamError

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

_TRY_AGAIN_LATER: Final = 1013
_POLICY_VIOLATION: Final = 1008


def close_reason(message: str) -> str:
    """As much of a message as a close frame can hold."""
    return message.encode()[:123].decode(errors="ignore")


async def deny(websocket: WebSocket, error: ApiError) -> None:
    """Refuse before the connection is a WebSocket: an HTTP reply as for any other request."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        request_id = getattr(websocket.state, "request_id", None)
        await websocket.send_denial_response(error_reply(error, request_id))
    else:
        await websocket.close(_POLICY_VIOLATION, close_reason(str(error)))


async def refuse(websocket: WebSocket, error: ApiError) -> None:
    """Say why in a message, as browsers show neither a reply's body nor its status, and close."""
    message = StreamError(
        timestamp=time.time(), code=error.code, message=str(error), retry_after=error.retry_after
    )
    await websocket.send_text(message.model_dump_json())
    code = _TRY_AGAIN_LATER if error.status == 503 else _POLICY_VIOLATION
    await websocket.close(code, close_reason(str(error)))
