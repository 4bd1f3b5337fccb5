"""What a text means, and having it done: ``POST /intent``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from rtap.errors import ConfigurationError
from rtap.intents.configured import language_of
from rtap.transports.api_errors import ApiError
from rtap.transports.rest.description import failures
from rtap.transports.schemas import (
    ActionFields,
    AnswerFields,
    IntentReply,
    IntentRequest,
    Understood,
)

if TYPE_CHECKING:
    from rtap.assistant.assistant import Handled
    from rtap.transports.service import Service


def intent_routes(service: Service) -> APIRouter:
    """Routes for the API's application."""
    routes = APIRouter(tags=["intents"])

    def handle(wanted: IntentRequest) -> Handled:
        try:
            return service.assistant.handle(
                wanted.text,
                language_of(service.config, wanted.language),
                execute=wanted.execute,
                utterance_id=wanted.utterance_id,
                conversation=wanted.conversation,
            )
        except ConfigurationError as error:
            raise ApiError(422, "no_intents", str(error), param="language") from error

    @routes.post("/intent", responses=failures(400, 401, 408, 413, 415, 422))
    async def intent(wanted: IntentRequest) -> IntentReply:
        """What a text means, as command or question. The car does it only where `execute` is true.

        Without an intent, `did_you_mean` is the sentence that is nearest, to ask for and not to act on.
        """
        handled = await run_in_threadpool(handle, wanted)
        result = handled.result
        action = None if result is None else ActionFields.model_validate(result)
        answer = handled.answer
        said = None if answer is None else AnswerFields.model_validate(answer)
        understood = Understood.model_validate(handled.understanding)
        return IntentReply(
            **understood.model_dump(), action=action, answer=said, question=handled.question
        )

    return routes
