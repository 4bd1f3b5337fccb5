"""Makes small model directories that are valid but hold no graphs."""

import json
from pathlib import Path

from rtap.whisper.model_directory import MANIFEST_NAME, FileRecord, Manifest, file_sha256


def make_model(path: Path, precision: str = "int8") -> Path:
    path.mkdir(parents=True)
    config = path / "config.json"
    config.write_text(json.dumps({"model_type": "whisper"}))
    record = FileRecord(config.stat().st_size, file_sha256(config))
    manifest = Manifest(
        name=path.name,
        source="openai/whisper-base",
        layout="rtap",
        precision=precision,  # type: ignore[arg-type]
        elastic="guarded",
        parameters=72_600_000,
        opset=17,
        created_by="rtap 0.1.0",
        files={config.name: record},
        parity={"tokens": {"identical": 100}},
    )
    (path / MANIFEST_NAME).write_text(manifest.to_json())
    return path
