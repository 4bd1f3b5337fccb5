"""What a screen in the car switches: which model is used, and whether the microphone is heard.

``/v1/models`` is as in OpenAI's API.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool

from rtap.errors import ModelError
from rtap.transports.api_errors import ApiError
from rtap.transports.openai.fields import LOADED_MODEL
from rtap.transports.readiness import loaded_model
from rtap.transports.rest.description import failures
from rtap.transports.schemas import (
    Listening,
    ListeningRequest,
    ModelCard,
    ModelList,
    ModelRequest,
)

if TYPE_CHECKING:
    from rtap.transports.service import Service


def model_cards(service: Service) -> list[ModelCard]:
    """The models that can be loaded; looks at the disk."""
    return [
        ModelCard(id=one.name, created=int(one.path.stat().st_mtime))
        for one in service.models()
        if one.directory is not None
    ]


def no_such_model(name: str, cards: Iterable[ModelCard]) -> ApiError:
    """What OpenAI's clients are told of a model that is not among these."""
    there = ", ".join(card.id for card in cards)
    return ApiError(
        404,
        "model_not_found",
        f"no model {name[:64]}: there {f'are {there}' if there else 'is none'}, "
        f"and whisper-1 stands for the one that is loaded",
        param="model",
    )


def control_routes(service: Service) -> APIRouter:
    """Routes for the API's application."""
    routes = APIRouter(tags=["control"], responses=failures(401))

    @routes.get("/v1/models")
    def models() -> ModelList:
        """The models that can be loaded."""
        return ModelList(data=tuple(model_cards(service)))

    # The name may hold slashes, as those of other collections do: that is answered as what it is.
    @routes.get("/v1/models/{model:path}", responses=failures(404, 422, 503))
    def model(model: Annotated[str, Path(max_length=255)]) -> ModelCard:
        """One of the models that can be loaded; `whisper-1` and OpenAI's other names are the loaded one."""
        return _model_card(service, model)

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

    return routes


def _model_card(service: Service, name: str) -> ModelCard:
    cards = {card.id: card for card in model_cards(service)}
    if name not in cards and name in LOADED_MODEL:
        name = loaded_model(service).name
    if name not in cards:
        raise no_such_model(name, cards.values())
    return cards[name]


def _listening(service: Service) -> Listening:
    enabled = service.listening()
    return Listening(available=enabled is not None, enabled=bool(enabled))
