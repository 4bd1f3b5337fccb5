"""The file that says how a checkpoint takes short audio."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtap.errors import ModelError
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.elastic_mark import MARK, elastic_of, write_mark
from tools.model.conversion.sources import open_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    tiny_checkpoint(tmp_path / "tiny")
    return open_checkpoint(str(tmp_path / "tiny"))


def test_without_a_mark_it_was_trained_on_30_seconds(checkpoint: Checkpoint) -> None:
    assert elastic_of(checkpoint) == "guarded"


def test_is_read_back_with_its_figures(checkpoint: Checkpoint) -> None:
    write_mark(checkpoint.path, "native", {"steps": 7, "source": "größer"})
    assert elastic_of(checkpoint) == "native"
    document = json.loads((checkpoint.path / MARK).read_text(encoding="utf-8"))
    assert document == {"elastic": "native", "steps": 7, "source": "größer"}


@pytest.mark.parametrize(
    "text", ['{"elastic": "no"}', '{"elastic": "yes"}', '{"elastic": ["native"]}', "{}", "[]", "{"]
)
def test_damaged(checkpoint: Checkpoint, text: str) -> None:
    (checkpoint.path / MARK).write_text(text)
    with pytest.raises(ModelError, match=MARK):
        elastic_of(checkpoint)
