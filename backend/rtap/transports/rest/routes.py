"""Information about the service, and the two ways to have a file transcribed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from rtap import __version__
from rtap.transports.admission.limits import base64_count
from rtap.transports.health import health_response
from rtap.transports.readiness import loaded_model
from rtap.transports.rest.base64_body import check_is_json, read_base64
from rtap.transports.rest.description import (
    failures,
    form_body,
    json_body,
)
from rtap.transports.rest.file_jobs import FileJobs, gone
from rtap.transports.rest.upload_audio import warning_headers
from rtap.transports.rest.uploads import read_body
from rtap.transports.schemas import (
    HealthReply,
    ModelInfo,
    ServiceInfo,
    TranscribeFields,
    TranscriptionReply,
)

if TYPE_CHECKING:
    from rtap.transports.rest.uploads import Upload
    from rtap.transports.service import Service
    from rtap.whisper.result import Transcription


def add_information(app: FastAPI, service: Service) -> None:
    """Add ``/``, ``/health`` and ``/model/info``."""

    @app.get("/", tags=["service"])
    async def root() -> ServiceInfo:
        """What this service is."""
        return ServiceInfo(version=__version__)

    @app.get(
        "/health",
        tags=["service"],
        response_model=HealthReply,
        responses={503: {"model": HealthReply, "description": "Not healthy, with the reason"}},
    )
    async def health() -> Response:
        """Whether transcripts are to be had. Wants no API key, as watchdogs have none."""
        state = await run_in_threadpool(service.health)
        return health_response(state)

    @app.get("/model/info", tags=["service"], responses=failures(401, 503))
    async def model_info() -> ModelInfo:
        """The model that is loaded."""
        facts = loaded_model(service)
        return ModelInfo(
            model_name=facts.name,
            model_path=facts.path,
            onnx_runtime_version=facts.onnx_runtime_version,
            num_threads=facts.num_threads,
            precision=facts.precision,
            parameters=facts.parameters,
            languages=facts.languages,
            version=__version__,
            system=service.telemetry.system,
            warning=facts.warning or None,
        )


class Transcriptions:
    """``POST /transcribe`` and ``POST /transcribe/base64``."""

    def __init__(self, service: Service, jobs: FileJobs) -> None:
        self._service = service
        self._jobs = jobs

    def add_to(self, app: FastAPI) -> None:
        """Add the routes."""
        declared = failures(400, 401, 408, 413, 415, 422, 429, 503)
        settings: dict[str, Any] = {
            "methods": ["POST"],
            "tags": ["transcription"],
            "response_model": TranscriptionReply,
            "responses": declared,
        }
        app.add_api_route("/transcribe", self.transcribe, openapi_extra=form_body(), **settings)
        app.add_api_route(
            "/transcribe/base64", self.transcribe_base64, openapi_extra=json_body(), **settings
        )

    async def transcribe(self, request: Request) -> Response:
        """Transcribe an audio file, uploaded as a form."""
        return await self._answer(request, self._read_form)

    async def transcribe_base64(self, request: Request) -> Response:
        """Transcribe an audio file in Base64."""
        return await self._answer(request, self._read_base64)

    async def _answer(self, request: Request, read: Callable[[Request], Any]) -> Response:
        started = time.perf_counter()
        warnings: list[str] = []
        with self._jobs.admission(request):
            try:
                upload, fields = await read(request)
                transcription = await self._transcribe(request, upload, fields, warnings)
            except ClientDisconnect:
                return gone()
        reply = TranscriptionReply.of(
            transcription,
            total_time=time.perf_counter() - started,
            request_id=request.state.request_id,
            warnings=tuple(warnings),
            words=fields.word_timestamps,
        )
        return Response(
            reply.model_dump_json(),
            media_type="application/json",
            headers=warning_headers(warnings),
        )

    async def _read_form(self, request: Request) -> tuple[Upload, TranscribeFields]:
        form = await self._jobs.read_form(request)
        try:
            return form.file(), form.parsed(TranscribeFields)
        except BaseException:
            form.close()
            raise

    async def _read_base64(self, request: Request) -> tuple[Upload, TranscribeFields]:
        count = base64_count(self._service.config.limits)
        check_is_json(request)
        body = await read_body(request, count, self._jobs.spool_directory)
        return await self._jobs.in_thread(lambda: read_base64(body, self._jobs.spool_directory))

    async def _transcribe(
        self, request: Request, upload: Upload, fields: TranscribeFields, warnings: list[str]
    ) -> Transcription:
        try:
            options = replace(
                self._service.options(fields.language, fields.task),
                word_timestamps=fields.word_timestamps,
                trim_silence=fields.trim_silence,
            )
        except BaseException:
            upload.close()
            raise
        return await self._jobs.transcribe(
            request, upload, options, normalize=fields.normalize, warnings=warnings
        )
