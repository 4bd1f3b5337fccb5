"""A model of a few bytes, in the form of ``make model``'s; nothing can be understood with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

NAME = "sample-model"


def write_sample_model(folder: Path) -> Path:
    """Write the model ``sample-model``.

    Returns:
        Its folder.
    """
    model = folder / NAME
    model.mkdir(parents=True, exist_ok=True)
    files = {"config.json": b"{}\n", "encoder.onnx.data": b"weights\n"}
    for name, content in files.items():
        (model / name).write_bytes(content)
    records = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    (model / "manifest.json").write_text(json.dumps({"name": NAME, "files": records}) + "\n")
    return model
