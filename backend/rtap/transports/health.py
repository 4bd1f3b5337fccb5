"""Port 8080: whether the service is healthy, for Docker and systemd, and its metrics, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI, Response

from rtap import __version__, logs
from rtap.config import OutputConfig
from rtap.telemetry import CONTENT_TYPE, Telemetry
from rtap.transports.gate import Gate
from rtap.transports.lenient_requests import LenientRequests
from rtap.transports.schemas import HealthReply

_log = logs.get("health")


@dataclass(frozen=True, slots=True)
class Health:
    """How the service is."""

    healthy: bool
    model_loaded: bool
    reason: str = ""
    """What is wrong and what to do about it; empty when healthy."""
    checks: Mapping[str, str] = field(default_factory=dict)
    """Each part that was looked at, and ``ok`` or what is wrong with it."""
    warning: str = ""
    """What works and may still disappoint; empty where nothing does."""

    def reply(self) -> HealthReply:
        """What ``GET /health`` says of it, at this moment."""
        return HealthReply(
            status="healthy" if self.healthy else "unhealthy",
            model_loaded=self.model_loaded,
            timestamp=time.time(),
            reason=None if self.healthy else self.reason or "no reason was given: see the log",
            checks=dict(self.checks),
            warning=self.warning or None,
        )

    @property
    def status_code(self) -> int:
        """HTTP status of that reply: 200 or 503."""
        return 200 if self.healthy else 503


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
        state = _ask(health)
        return Response(
            state.reply().model_dump_json(),
            status_code=state.status_code,
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

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
