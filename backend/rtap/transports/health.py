"""Port 8080: whether the service is healthy, for Docker and systemd, and its metrics, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Response

from rtap import __version__, logs
from rtap.config import OutputConfig
from rtap.telemetry import CONTENT_TYPE, Telemetry
from rtap.transports.admission.gate import Gate
from rtap.transports.lenient_requests import LenientRequests
from rtap.transports.schemas import HealthReply
from rtap.transports.service import Health

_log = logs.get("health")


def health_response(state: Health) -> Response:
    """The answer to ``GET /health``: 200, or 503 with the reason."""
    return Response(
        HealthReply.of(state).model_dump_json(),
        status_code=200 if state.healthy else 503,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def create_health_app(
    telemetry: Telemetry, health: Callable[[], Health], output: OutputConfig
) -> FastAPI:
    """The application for port 8080: ``/health`` and ``/metrics``. Neither wants an API key.

    Args:
        health: called in a thread for every request, so it may take its time. What it raises is a reason
            to be unhealthy.
        output: whose names and pages may ask.
    """
    # Its documentation pages would load scripts from the internet.
    app = FastAPI(title="RTAP health", version=__version__, docs_url=None, redoc_url=None)
    app.add_middleware(Gate, output=output, is_open=lambda _: True)
    app.add_middleware(LenientRequests)

    @app.get("/health", response_model=HealthReply, responses={503: {"model": HealthReply}})
    def report_health() -> Response:
        """Whether transcripts are to be had: 200, or 503 with the reason."""
        return health_response(_ask(health))

    @app.get("/metrics", response_class=Response)
    def report_metrics() -> Response:
        """All metrics in Prometheus' text format."""
        return Response(telemetry.exposition(), headers={"Content-Type": CONTENT_TYPE})

    return app


def _ask(health: Callable[[], Health]) -> Health:
    try:
        return health()
    except Exception as error:  # noqa: BLE001 (a check that fails is the worst of answers, not a 500)
        _log.error("health check failed", exc_info=error)
        return Health(
            healthy=False,
            model_loaded=False,
            reason=f"the health check itself failed ({type(error).__name__}): see the log",
        )
