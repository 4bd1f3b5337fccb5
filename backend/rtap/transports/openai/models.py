"""``/v1/models`` of OpenAI's API: the models that can be loaded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path

from rtap.transports.api_errors import ApiError
from rtap.transports.openai.fields import LOADED_MODEL
from rtap.transports.readiness import loaded_model
from rtap.transports.rest.description import failures
from rtap.transports.schemas import ModelCard, ModelList

if TYPE_CHECKING:
    from rtap.transports.service import Service


def model_routes(service: Service) -> APIRouter:
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

    return routes


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


def _model_card(service: Service, name: str) -> ModelCard:
    cards = {card.id: card for card in model_cards(service)}
    if name not in cards and name in LOADED_MODEL:
        name = loaded_model(service).name
    if name not in cards:
        raise no_such_model(name, cards.values())
    return cards[name]
