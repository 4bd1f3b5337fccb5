"""What a text means: ``POST /intent``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from rtap.errors import ConfigurationError
from rtap.intents.configured import language_of
from rtap.intents.understander import Understander
from rtap.transports.api_errors import ApiError
from rtap.transports.rest.description import failures
from rtap.transports.schemas import IntentReply, IntentRequest

if TYPE_CHECKING:
    from rtap.config import Config
    from rtap.intents.intent import Understanding


def intent_routes(config: Config) -> APIRouter:
    """Routes for the API's application."""
    routes = APIRouter(tags=["intents"])
    understander = Understander(config.intents)

    def understand(wanted: IntentRequest) -> Understanding:
        try:
            language = language_of(config, wanted.language)
            return understander.understand(wanted.text, language)
        except ConfigurationError as error:
            raise ApiError(422, "no_intents", str(error), param="language") from error

    @routes.post("/intent", responses=failures(400, 401, 408, 413, 415, 422))
    async def intent(wanted: IntentRequest) -> IntentReply:
        """What a text means, as command or question. It is only understood: nothing is done.

        Without an intent, `did_you_mean` is the sentence that is nearest, to ask for and not to act on.
        """
        return IntentReply.model_validate(await run_in_threadpool(understand, wanted))

    return routes
