"""What can be said, what a text means, and having it done: ``GET /intents`` and ``POST /intent``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from rtap.errors import ConfigurationError
from rtap.intents.configured import language_of
from rtap.transports.api_errors import ApiError
from rtap.transports.rest.description import failures
from rtap.transports.schemas import (
    ActionFields,
    AnswerFields,
    Example,
    Examples,
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

    def examples(language: str | None) -> Examples:
        try:
            code = language_of(service.config, language)
            known = service.assistant.examples(code)
        except ConfigurationError as error:
            raise ApiError(422, "no_intents", str(error), param="language") from error
        sentences = tuple(Example(intent=name, text=text) for name, text in known.items())
        return Examples(language=code, examples=sentences)

    @routes.get("/intents", responses=failures(401, 422))
    async def intents(
        language: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Examples:
        """What can be said: a usual sentence for each command and question.

        `language` is a code or an English name; by default that of `stt.language`, or English.
        """
        return await run_in_threadpool(examples, language)

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
            **understood.model_dump(), question=handled.question, action=action, answer=said
        )

    return routes
