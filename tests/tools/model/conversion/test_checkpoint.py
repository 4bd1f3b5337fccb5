"""Checkpoints as users have them: every format on disk, every kind of damage, and the hub's refusals."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import requests
import torch
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from safetensors.torch import load_file, save_file
from transformers import WhisperForConditionalGeneration as Whisper

from rtap.errors import ModelError, StorageError
from tests.tools.model.conversion.ctranslate2_files import tiny_ctranslate2
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.model.conversion.convert import convert
from tools.model.conversion.sources import open_checkpoint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "whisper-tiniest"


@pytest.fixture
def model(path: Path) -> Whisper:
    return tiny_checkpoint(path)


def save_again(model: Whisper, path: Path, **options: Any) -> None:
    for file in [*path.glob("*.safetensors*"), *path.glob("*.bin*")]:
        file.unlink()
    model.save_pretrained(path, **options)


def without_prefix(model: Whisper, path: Path) -> None:
    tensors = load_file(path / "model.safetensors")
    renamed = {name.removeprefix("model."): tensor for name, tensor in tensors.items()}
    assert renamed.keys() != tensors.keys()
    save_file(renamed, path / "model.safetensors", metadata={"format": "pt"})


FORMATS: dict[str, tuple[Callable[[Whisper, Path], None], int]] = {
    "safetensors": (lambda _model, _path: None, 1),
    "safetensors, sharded": (
        lambda model, path: save_again(model, path, max_shard_size="100KB"),
        2,
    ),
    "torch": (lambda model, path: save_again(model, path, safe_serialization=False), 1),
    "torch, sharded": (
        lambda model, path: save_again(
            model, path, safe_serialization=False, max_shard_size="100KB"
        ),
        2,
    ),
    "without the prefix": (without_prefix, 1),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_tensors(kind: str, model: Whisper, path: Path) -> None:
    rewrite, least_files = FORMATS[kind]
    rewrite(model, path)
    opened = open_checkpoint(str(path))
    assert len(opened.weight_files()) >= least_files
    for name, parameter in model.model.named_parameters():
        np.testing.assert_array_equal(opened.tensor(name), parameter.detach().numpy(), name)
    assert opened.parameters() == sum(parameter.numel() for parameter in model.parameters())
    assert opened.name == opened.source == path.name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("options", [{}, {"safe_serialization": False}], ids=["safe", "torch"])
def test_half_precision_is_widened(
    dtype: torch.dtype, options: dict[str, Any], model: Whisper, path: Path
) -> None:
    save_again(model.to(dtype), path, **options)
    opened = open_checkpoint(str(path))
    for name, parameter in model.model.named_parameters():
        found = opened.tensor(name)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, parameter.detach().float().numpy(), name)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_computes_the_same(dtype: torch.dtype, model: Whisper, path: Path) -> None:
    save_again(model.to(dtype), path)
    manifest = convert(open_checkpoint(str(path)), path.with_name("graphs"))
    assert manifest.parity["passed"]


def test_untied_projection_is_the_one_that_the_graph_uses(path: Path) -> None:
    model = tiny_checkpoint(path, tie_word_embeddings=False)
    opened = open_checkpoint(str(path))
    assert not opened.ties_embeddings
    tied = sum(parameter.numel() for parameter in model.model.parameters())
    assert opened.parameters() == tied + model.proj_out.weight.numel()
    # With the token table in its place, every logit would be another.
    assert convert(opened, path.with_name("graphs")).parity["passed"]


def test_a_stored_projection_that_is_tied_is_not_counted(model: Whisper, path: Path) -> None:
    tensors = load_file(path / "model.safetensors")
    tensors["proj_out.weight"] = torch.zeros_like(tensors["model.decoder.embed_tokens.weight"])
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})
    opened = open_checkpoint(str(path))
    assert opened.ties_embeddings
    assert opened.parameters() == sum(parameter.numel() for parameter in model.parameters())


def without(tensor: str) -> Callable[[Path], None]:
    def remove(path: Path) -> None:
        tensors = load_file(path / "model.safetensors")
        del tensors[tensor]
        save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})

    return remove


def truncated(name: str) -> Callable[[Path], None]:
    return lambda path: os.truncate(path / name, (path / name).stat().st_size // 2)


def configured(**changes: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps(config | changes))

    return change


def sharded_then(damage: Callable[[Path], None]) -> Callable[[Path], None]:
    def rewrite(path: Path) -> None:
        save_again(Whisper.from_pretrained(path), path, max_shard_size="100KB")
        damage(path)

    return rewrite


def as_torch_then(damage: Callable[[Path], None]) -> Callable[[Path], None]:
    def rewrite(path: Path) -> None:
        save_again(Whisper.from_pretrained(path), path, safe_serialization=False)
        damage(path)

    return rewrite


def written(name: str, text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        (path / name).write_text(text)

    return write


def pickled_program(path: Path) -> None:
    """Weights are no place for code: unpickling it would run it."""
    (path / "model.safetensors").unlink()
    torch.save({"model.encoder.conv1.weight": Path("/")}, path / "pytorch_model.bin")


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing tensor": (
        without("model.encoder.layers.0.fc1.bias"),
        r"has no tensor encoder\.layers\.0\.fc1\.bias",
    ),
    "missing projection": (
        configured(tie_word_embeddings=False),
        r"has no tensor proj_out\.weight",
    ),
    "truncated safetensors": (truncated("model.safetensors"), "download the checkpoint again"),
    "empty safetensors": (written("model.safetensors", ""), "download the checkpoint again"),
    "truncated torch": (
        as_torch_then(truncated("pytorch_model.bin")),
        r"pytorch_model\.bin cannot be read",
    ),
    "code in torch file": (pickled_program, r"pytorch_model\.bin cannot be read"),
    "no weights": (lambda path: (path / "model.safetensors").unlink(), "holds no weights"),
    "missing shard": (
        sharded_then(lambda path: next(path.glob("model-00002*")).unlink()),
        r"model-00002.* is missing",
    ),
    "truncated index": (
        sharded_then(truncated("model.safetensors.index.json")),
        r"index\.json cannot be read",
    ),
    "index of another shape": (
        sharded_then(written("model.safetensors.index.json", "[1]")),
        r"index\.json cannot be read",
    ),
    "another architecture": (
        configured(model_type="wav2vec2"),
        r"'wav2vec2' model: give a WhisperForConditionalGeneration",
    ),
    "no architecture": (configured(model_type=None), "None"),
    "another activation": (configured(activation_function="relu"), "other than gelu"),
    "uneven heads": (configured(decoder_attention_heads=3), "not a multiple"),
    "no heads": (configured(decoder_attention_heads=0), "size below 1"),
    "null width": (configured(d_model=None), r"config\.json is damaged"),
    "no config": (lambda path: (path / "config.json").unlink(), r"config\.json is missing"),
    "truncated config": (truncated("config.json"), r"config\.json cannot be read"),
    "config is a list": (written("config.json", "[]"), "not a JSON object"),
    "config of another size": (
        configured(d_model=64),
        r"config\.json makes it \[64, 80, 3\]: copy config\.json and the weights",
    ),
    "damaged preprocessor": (
        written("preprocessor_config.json", "{"),
        r"preprocessor_config\.json cannot be read",
    ),
    "no tokenizer": (
        lambda path: (path / "tokenizer.json").unlink(),
        r"neither tokenizer\.json nor vocab\.json",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.usefixtures("model")
def test_damage_is_told_and_nothing_appears(kind: str, path: Path) -> None:
    damage, message = DAMAGE[kind]
    damage(path)
    output = path.with_name("graphs")
    with pytest.raises(ModelError, match=message):
        convert(open_checkpoint(str(path)), output, verify=False)
    assert not output.exists()


@pytest.mark.parametrize("source", ["/nowhere/whisper", "./whisper-base", "a/b/c", "~/none"])
def test_directories_that_do_not_exist_are_not_looked_for_on_the_hub(source: str) -> None:
    with pytest.raises(ModelError, match="no checkpoint directory at"):
        open_checkpoint(source)


def test_a_file_is_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.bin").touch()
    with pytest.raises(ModelError, match=r"no checkpoint directory at weights\.bin"):
        open_checkpoint("weights.bin")


class Hub:
    """Stands in for huggingface_hub: hands out a directory, or raises."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.error: Exception | None = None
        self.cached: Path | None = None
        self.fetched: list[str] = []

    def list_repo_files(self, name: str) -> list[str]:
        if self.error is not None:
            raise self.error
        return [file.name for file in self.directory.iterdir()]

    def snapshot_download(
        self, name: str, allow_patterns: list[str] | None = None, *, local_files_only: bool = False
    ) -> str:
        if local_files_only:
            if self.cached is None:
                raise LocalEntryNotFoundError("nothing in the cache")
            return str(self.cached)
        self.fetched += allow_patterns or ["everything"]
        return str(self.directory)


@pytest.fixture
def hub(path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    stand_in = Hub(path)
    for name in ("list_repo_files", "snapshot_download"):
        monkeypatch.setattr(huggingface_hub, name, getattr(stand_in, name))
    return stand_in


def response(status: int) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    return made


@pytest.mark.usefixtures("model")
def test_the_hub_gives_one_format_of_weights(hub: Hub) -> None:
    (hub.directory / "pytorch_model.bin").touch()
    (hub.directory / "flax_model.msgpack").touch()
    opened = open_checkpoint("someone/whisper-tiniest-de")
    assert (opened.source, opened.name) == ("someone/whisper-tiniest-de", "whisper-tiniest-de")
    assert opened.tensor("encoder.conv1.weight").shape == (32, 80, 3)
    assert set(hub.fetched) == {"*.json", "*.txt", "model.safetensors"}


def test_the_hub_gives_faster_whispers_layout(hub: Hub) -> None:
    tiny_ctranslate2(hub.directory)
    opened = open_checkpoint("someone/faster-whisper-tiniest")
    assert opened.tensor("encoder.conv1.weight").shape == (32, 80, 3)
    assert set(hub.fetched) == {"*.json", "*.txt", "model.bin"}


def test_the_hub_gives_every_shard(model: Whisper, hub: Hub) -> None:
    save_again(model, hub.directory, max_shard_size="100KB")
    open_checkpoint("someone/whisper-tiniest")
    shards = {file.name for file in hub.directory.glob("model-*.safetensors")}
    assert len(shards) > 1
    assert shards <= set(hub.fetched)


REFUSALS: dict[str, tuple[Exception, str]] = {
    "unknown": (
        RepositoryNotFoundError("404", response=response(404)),
        "there is no directory and no hub model called 'someone/whisper': try",
    ),
    "gated": (GatedRepoError("403", response=response(403)), "registered users only"),
    "no network": (requests.ConnectionError("unreachable"), "connect to the network"),
    "switched off": (OfflineModeIsEnabled("HF_HUB_OFFLINE is set"), "connect to the network"),
    "overloaded": (HfHubHTTPError("503", response=response(503)), "connect to the network"),
}


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.usefixtures("model")
def test_the_hub_refuses(kind: str, hub: Hub) -> None:
    hub.error, message = REFUSALS[kind]
    with pytest.raises(ModelError, match=message) as caught:
        open_checkpoint("someone/whisper")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("model")
def test_without_network_an_earlier_download_serves(hub: Hub) -> None:
    hub.error = requests.ConnectionError("unreachable")
    hub.cached = hub.directory
    assert open_checkpoint("someone/whisper").config.d_model == 32


@pytest.mark.usefixtures("model")
def test_an_earlier_download_without_weights_does_not(hub: Hub, tmp_path: Path) -> None:
    hub.error = requests.ConnectionError("unreachable")
    hub.cached = tmp_path
    with pytest.raises(ModelError, match="connect to the network"):
        open_checkpoint("someone/whisper")


def test_hub_model_in_a_format_that_is_not_read(hub: Hub) -> None:
    hub.directory.mkdir()
    (hub.directory / "ggml-base.bin").touch()
    with pytest.raises(ModelError, match="holds no weights that can be read"):
        open_checkpoint("someone/whisper-ggml")


def test_a_full_disk_is_not_taken_for_a_missing_network(hub: Hub) -> None:
    hub.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(StorageError, match="the disk is full"):
        open_checkpoint("someone/whisper")


@pytest.mark.parametrize("name", ["not a name", "whisper--base", "-x/whisper"])
def test_names_that_no_hub_has(name: str) -> None:
    # The real package checks the name before it would connect.
    with pytest.raises(ModelError, match="no hub model called"):
        open_checkpoint(name)
