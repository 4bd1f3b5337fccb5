"""Which model the service works with: the chosen one, or the last one that could be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtap import logs
from rtap.errors import ModelError, RTAPException
from rtap.stages.vad import Vad
from rtap.transports.service import ModelFacts
from rtap.whisper.model_store import require_precision

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtap.config import SttConfig
    from rtap.telemetry import Telemetry
    from rtap.whisper.engine import WhisperEngine
    from rtap.whisper.model_store import ModelStore, StoredModel

_log = logs.get("app")


class ModelLoader:
    """Loads models for the worker's thread, and is told from others which one to load.

    Args:
        on_refused: gets why the chosen model could not be loaded, where an earlier one takes its place.
    """

    def __init__(
        self,
        config: SttConfig,
        store: ModelStore,
        telemetry: Telemetry,
        on_refused: Callable[[RTAPException], None] = lambda _: None,
    ) -> None:
        self._config = config
        self._store = store
        self._telemetry = telemetry
        self._on_refused = on_refused
        self._chosen = config.model_name
        self._proven: str | None = None
        """The last choice that could be loaded."""
        self._facts: ModelFacts | None = None

    @property
    def facts(self) -> ModelFacts | None:
        """The model that was loaded last; None before the first."""
        return self._facts

    def models(self) -> list[StoredModel]:
        """All that can be loaded."""
        return self._store.list_models()

    def choose(self, name: str) -> None:
        """Say which model :meth:`load` is to load next.

        Raises:
            ModelError: there is none of this name, or it is damaged.
        """
        # By name only: a client has no business with directories.
        known = {model.name: model for model in self.models()}
        if name not in known:
            raise ModelError(f"no model {name}: there are {', '.join(known)}")
        if known[name].directory is None:
            raise ModelError(known[name].problem)
        self._chosen = name

    def load(self, device: str) -> WhisperEngine:
        """Load the chosen model, or the last one that could be loaded.

        Raises:
            RTAPException: there is no earlier one that could take its place.
        """
        try:
            engine = self._open(self._chosen, device)
        except RTAPException as error:
            if self._proven in {None, self._chosen}:
                raise
            _log.error("model refused", error=str(error))
            self._on_refused(error)
            assert self._proven is not None
            engine = self._open(self._proven, device)
            self._chosen = self._proven
        self._proven = self._chosen
        return engine

    def _open(self, name: str, device: str) -> WhisperEngine:
        import onnxruntime

        from rtap.whisper.engine import WhisperEngine
        from rtap.whisper.load_model import load_model
        from rtap.whisper.sessions import resolve_providers

        threads = self._config.num_threads
        choice = self._store.choose(name)
        directory = self._store.resolve(name)
        manifest = directory.manifest
        require_precision(manifest, self._config.compute_dtype)
        model = load_model(directory, threads, resolve_providers(device))
        self._facts = ModelFacts(
            name=manifest.name,
            path=str(directory.path),
            precision=manifest.precision,
            parameters=manifest.parameters,
            languages=tuple(sorted(model.tokenizer.languages)),
            num_threads=threads,
            onnx_runtime_version=onnxruntime.__version__,
        )
        self._telemetry.model(
            manifest.name, manifest.precision, manifest.parameters, onnxruntime.__version__
        )
        _log.info("model loaded", model=manifest.name, precision=manifest.precision)
        if choice.warning:
            _log.warning(choice.warning)
        return WhisperEngine(model, Vad)
