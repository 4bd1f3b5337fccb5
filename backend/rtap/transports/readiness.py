"""Whether there is a model to work with, asked before any work is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rtap.transports.api_errors import ApiError

if TYPE_CHECKING:
    from rtap.transports.service import ModelFacts, Service

_LOADING_SECONDS: Final = 5.0


def check_ready(service: Service) -> None:
    """Refuse work that would have to wait for a model.

    Raises:
        ApiError: 503 with the reason.
    """
    stt = service.stt
    if stt.failure is not None:
        raise ApiError(503, "not_ready", stt.failure)
    if not stt.ready.is_set():
        raise _loading()


def _loading() -> ApiError:
    """There is no model yet, but there will be."""
    message = "the speech model is being loaded: try again in a few seconds"
    return ApiError(503, "not_ready", message, retry_after=_LOADING_SECONDS)


def loaded_model(service: Service) -> ModelFacts:
    """The model that is loaded.

    Raises:
        ApiError: 503 with the reason; there is none.
    """
    facts = service.model()
    if facts is None:
        check_ready(service)
        raise _loading()
    return facts
