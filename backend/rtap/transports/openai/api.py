"""The audio routes of OpenAI's API, so that its clients work against this service as they are."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from rtap.transports.api_errors import ApiError
from rtap.transports.openai.description import openai_body, openai_success
from rtap.transports.openai.fields import (
    LISTS,
    LOADED_MODEL,
    TranscriptionFields,
    TranslationFields,
    options_of,
)
from rtap.transports.openai.models import model_cards, no_such_model
from rtap.transports.openai.replies import rendered
from rtap.transports.openai.sse import SegmentFeed, begin_stream
from rtap.transports.rest.description import failures
from rtap.transports.rest.file_jobs import gone
from rtap.transports.rest.upload_audio import warning_headers

if TYPE_CHECKING:
    from rtap.transports.rest.file_jobs import FileJobs
    from rtap.transports.rest.uploads import Upload
    from rtap.transports.service import Service
    from rtap.whisper.transcribe import TranscribeOptions

Task = Literal["transcribe", "translate"]

AUDIO_PATHS: Final = ("/v1/audio/transcriptions", "/v1/audio/translations")
"""Where files are uploaded to."""


class OpenAiApi:
    """``/v1/audio``. The models are at ``/v1/models``, see :mod:`rtap.transports.openai.models`."""

    def __init__(self, service: Service, jobs: FileJobs) -> None:
        self._service = service
        self._jobs = jobs

    def add_to(self, app: FastAPI) -> None:
        """Add the routes."""
        settings: dict[str, Any] = {
            "methods": ["POST"],
            "tags": ["OpenAI"],
            "response_class": Response,
            "responses": {
                200: openai_success(),
                **failures(400, 401, 404, 408, 413, 415, 422, 429, 503),
            },
        }
        app.add_api_route(
            AUDIO_PATHS[0],
            self.transcriptions,
            openapi_extra=openai_body(TranscriptionFields, LISTS),
            **settings,
        )
        app.add_api_route(
            AUDIO_PATHS[1],
            self.translations,
            openapi_extra=openai_body(TranslationFields),
            **settings,
        )

    async def transcriptions(self, request: Request) -> Response:
        """Transcribe an audio file, as OpenAI's API does."""
        return await self._answer(request, "transcribe", TranscriptionFields)

    async def translations(self, request: Request) -> Response:
        """Make English text of an audio file, as OpenAI's API does; the model must be able to."""
        return await self._answer(request, "translate", TranslationFields)

    async def _answer(
        self, request: Request, task: Task, model: type[TranslationFields]
    ) -> Response:
        warnings: list[str] = []
        with ExitStack() as held:
            held.enter_context(self._jobs.admission(request))
            try:
                upload, fields, options = await self._read(request, task, model)
                if fields.stream:
                    return await self._stream(request, upload, options, held.pop_all(), warnings)
                transcription = await self._jobs.transcribe(
                    request, upload, options, normalize=True, warnings=warnings
                )
            except ClientDisconnect:
                return gone()
        reply = rendered(transcription, fields, task)
        reply.headers.update(warning_headers(warnings))
        return reply

    async def _read(
        self, request: Request, task: Task, model: type[TranslationFields]
    ) -> tuple[Upload, TranslationFields, TranscribeOptions]:
        form = await self._jobs.read_form(request, LISTS)
        try:
            upload, fields = form.file("file"), form.parsed(model)
            await self._check_model(fields.model)
            return upload, fields, options_of(fields, task, self._service)
        except BaseException:
            form.close()
            raise

    async def _stream(
        self,
        request: Request,
        upload: Upload,
        options: TranscribeOptions,
        held: ExitStack,
        warnings: list[str],
    ) -> Response:
        feed = SegmentFeed()
        work = self._jobs.transcribe(
            request, upload, options, normalize=True, warnings=warnings, on_segment=feed.put
        )
        reply = await begin_stream(work, feed, held, request.state.request_id, options.task)
        reply.headers.update(warning_headers(warnings))
        return reply

    async def _check_model(self, name: str | None) -> None:
        """Refuse a model other than the loaded one: loading takes seconds, and all clients share it."""
        facts = self._service.model()
        loaded = None if facts is None else facts.name
        if name is None or name in LOADED_MODEL or name == loaded:
            return
        cards = await run_in_threadpool(model_cards, self._service)
        if name not in {card.id for card in cards}:
            raise no_such_model(name, cards)
        raise ApiError(
            422,
            "model_not_loaded",
            f"the model {name} is not loaded: load it with PUT /model, or ask for {loaded}",
            param="model",
        )
