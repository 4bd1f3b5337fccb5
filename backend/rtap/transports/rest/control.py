"""What a screen in the car switches: which model is used, whether the microphone and the voice are heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from rtap.errors import ModelError
from rtap.transports.api_errors import ApiError
from rtap.transports.rest.description import failures
from rtap.transports.schemas import (
    AnswerStopped,
    Listening,
    ListeningRequest,
    ModelRequest,
)

if TYPE_CHECKING:
    from rtap.transports.service import Service


def control_routes(service: Service) -> APIRouter:
    """Routes for the API's application."""
    routes = APIRouter(tags=["control"], responses=failures(401))

    @routes.put("/model", status_code=202, responses=failures(400, 404, 408, 413, 415, 422))
    async def use_model(wanted: ModelRequest) -> ModelRequest:
        """Load another model, until the service ends. `/health` is 503 meanwhile; live speech waits.

        The old model stays where the new one cannot be loaded: `/model/info` tells which one it is.
        """
        try:
            await run_in_threadpool(service.use_model, wanted.model_name)
        except ModelError as error:
            raise ApiError(404, "no_such_model", str(error)) from error
        return wanted

    @routes.get("/listening")
    async def listening() -> Listening:
        """Whether the service listens to its own microphone."""
        return _listening(service)

    @routes.put("/listening", responses=failures(400, 408, 409, 413, 415, 422))
    async def set_listening(wanted: ListeningRequest) -> Listening:
        """Switch the microphone on or off, until the service ends. Off, it is closed and nothing is heard."""
        if service.listening() is None:
            raise ApiError(
                409,
                "no_microphone",
                "this service has no microphone: set audio.source to microphone",
            )
        await run_in_threadpool(service.set_listening, enabled=wanted.enabled)
        return _listening(service)

    @routes.post("/listening/cancel")
    async def cancel_listening() -> Listening:
        """Wait for the wake word again: nobody is to be heard now. The microphone stays on.

        What was said to its end is still carried out. Without a microphone, nothing happens.
        """
        await run_in_threadpool(service.cancel_listening)
        return _listening(service)

    @routes.post("/answers/stop")
    async def stop_answer() -> AnswerStopped:
        """End the answer that is being spoken, and forget those that wait; without one, nothing happens.

        A question that was not spoken to its end may be answered at once.
        """
        return AnswerStopped(stopped=await run_in_threadpool(service.stop_answer))

    return routes


def _listening(service: Service) -> Listening:
    enabled = service.listening()
    is_available = enabled is not None
    return Listening(
        available=is_available,
        enabled=bool(enabled),
        wake_words=service.config.wakeword.spoken if is_available else (),
    )
