"""Puts together all that listens on port 8000: REST, OpenAI's API, ``/stream`` and the page ``/try``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from rtap import __version__
from rtap.transports.admission.gate import Gate
from rtap.transports.admission.limits import RateLimiter
from rtap.transports.api_errors import install
from rtap.transports.lenient_requests import LenientRequests
from rtap.transports.openai.api import AUDIO_PATHS, OpenAiApi
from rtap.transports.openai.models import model_routes
from rtap.transports.rest.control import control_routes
from rtap.transports.rest.description import DESCRIPTION, declare_security, failures
from rtap.transports.rest.file_jobs import FileJobs
from rtap.transports.rest.intents import intent_routes
from rtap.transports.rest.request_scope import RequestScope
from rtap.transports.rest.routes import Transcriptions, add_information
from rtap.transports.rest.try_page import try_page
from rtap.transports.rest.vehicle import vehicle_routes
from rtap.transports.stream.server import StreamServer

if TYPE_CHECKING:
    from rtap.transports.service import Service

    Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_OPEN_PATHS: Final = frozenset({"/", "/health", "/openapi.json", "/try"})
"""They and what is below ``/try`` want no API key: watchdogs have none, and the others hold no secrets."""
_UPLOAD_PATHS: Final = frozenset({"/transcribe", "/transcribe/base64", *AUDIO_PATHS})
"""They bound their bodies themselves."""


def _is_open(path: str) -> bool:
    return path in _OPEN_PATHS or path.startswith("/try/")


class Api(NamedTuple):
    """The application for port 8000, and what is done before its server stops."""

    app: FastAPI
    finish: Callable[[float], Awaitable[None]]
    """Ends all streams, and waits until what was said in them is text, for so many seconds at most."""


def create_api(service: Service, lifespan: Lifespan | None = None) -> Api:
    """Everything that listens on port 8000.

    Args:
        lifespan: entered when the server starts and left when it ends; the service itself may be
            already running, or be started there.
    """
    limiter = RateLimiter(service.config.limits.requests_per_minute)
    jobs = FileJobs(service, limiter)
    streams = StreamServer(service)

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        try:
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield
        finally:
            streams.close()
            jobs.close()

    # The documentation pages would load scripts from the internet; /openapi.json does not.
    app = FastAPI(
        title="Whisper ONNX Transcription Backend",
        description=DESCRIPTION,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=running,
        responses=failures(403, 500),
        license_info={"name": "MIT"},
    )
    install(app)
    # The one that is added last comes first.
    app.add_middleware(
        Gate,
        output=service.config.output,
        is_open=_is_open,
        is_upload=_UPLOAD_PATHS.__contains__,
    )
    app.add_middleware(RequestScope, telemetry=service.telemetry)
    app.add_middleware(LenientRequests)
    if proxies := service.config.output.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(proxies))
    add_information(app, service)
    app.include_router(model_routes(service))
    app.include_router(control_routes(service))
    app.include_router(intent_routes(service))
    app.include_router(vehicle_routes(service))
    app.include_router(try_page())
    Transcriptions(service, jobs).add_to(app)
    OpenAiApi(service, jobs).add_to(app)
    streams.add_to(app, limiter)
    declare_security(app)
    return Api(app, streams.finish)
