"""The configuration of the image: who runs what in it, and what it asks of its host.

`backend/Dockerfile` says the same for those who build with a registry; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from rtap.process import large_pages
from rtap.whisper.model_store import AUTO
from tools.system.container.architecture import Architecture
from tools.system.container.layers import Layer
from tools.system.container.root_files import CACHE, USER_ID

_SECOND: Final = 1_000_000_000
"""Docker counts in nanoseconds."""

ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": "/app",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
        "RTAP_ENVIRONMENT": "container",
        "MODEL_NAME": AUTO,
        "MODELS_DIR": "/app/models",
        "CACHE_DIR": f"/{CACHE}",
        # Three of a Raspberry Pi's four cores: the fourth draws the screen.
        "ONNX_NUM_THREADS": "3",
        **large_pages.ENVIRONMENT,
        "LOG_LEVEL": "INFO",
        "AUDIO_DEVICE": "default",
    }
)
"""Can be overridden with `docker run --env`. MODEL_NAME is that of a model that was put in; otherwise the
default model is taken where it is mounted at MODELS_DIR, and the one in rtap's wheel where it is not."""
PORTS: Final = (5802, 6552, 6553, 8000, 8080, 10300)
ENTRYPOINT: Final = ("rtap",)
COMMAND: Final = ("serve",)
"""Not uvicorn: `rtap serve` has the health port too, and ends when only a new process can help."""
HEALTH_COMMAND: Final = ("/usr/bin/python3.11", "-I", "-S", "/app/health.py")
HEALTH_INTERVAL_SECONDS: Final = 30
HEALTH_TIMEOUT_SECONDS: Final = 10
HEALTH_START_SECONDS: Final = 120
"""Failures so soon after the start do not count."""
HEALTH_RETRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """Which state of the project an image is made from."""

    version: str
    """rtap's."""
    revision: str
    """The commit, with ``-dirty`` behind it when the checkout differs from it."""
    seconds: int
    """Time of the commit, or SOURCE_DATE_EPOCH."""

    @property
    def created(self) -> str:
        """The time as RFC 3339 has it."""
        return datetime.fromtimestamp(self.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def labels(origin: Origin) -> dict[str, str]:
    """The image's labels."""
    prefix = "org.opencontainers.image"
    return {
        f"{prefix}.title": "whisper-backend",
        f"{prefix}.description": "Offline speech recognition for cars",
        f"{prefix}.licenses": "MIT",
        f"{prefix}.version": origin.version,
        f"{prefix}.revision": origin.revision,
        f"{prefix}.created": origin.created,
    }


def image_config(
    architecture: Architecture, origin: Origin, model: str, layers: Sequence[Layer]
) -> dict[str, Any]:
    """The document whose SHA-256 is the image's ID."""
    environment = dict(ENVIRONMENT) | {"MODEL_NAME": model}
    config = {
        # The number, so that a host which knows no user of that name can own the cache for it. Not with the
        # group behind it: the user would then be in no other group, and sound cards want the group audio.
        "User": str(USER_ID),
        "ExposedPorts": {f"{port}/tcp": {} for port in PORTS},
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Entrypoint": list(ENTRYPOINT),
        "Cmd": list(COMMAND),
        "Healthcheck": {
            "Test": ["CMD", *HEALTH_COMMAND],
            "Interval": HEALTH_INTERVAL_SECONDS * _SECOND,
            "Timeout": HEALTH_TIMEOUT_SECONDS * _SECOND,
            "StartPeriod": HEALTH_START_SECONDS * _SECOND,
            "Retries": HEALTH_RETRIES,
        },
        "Volumes": {f"/{CACHE}": {}},
        "WorkingDir": "/app",
        "StopSignal": "SIGTERM",
        "Labels": labels(origin),
    }
    document = {
        "architecture": architecture.name,
        "os": "linux",
        "created": origin.created,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        "history": [
            {
                "created": origin.created,
                "created_by": "tools/build_container",
                "comment": layer.name,
            }
            for layer in layers
        ],
    }
    return document | ({"variant": architecture.variant} if architecture.variant else {})
