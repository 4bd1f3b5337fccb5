"""Trains small differences of a network instead of its weights, so that what was learnt is a small file.

The method is LoRA (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021): a matrix W becomes
W + B @ A with B [out, rank] and A [rank, in], and only B and A learn. Here they do in all that meets the
length of the audio: the encoder's linear layers, and the keys and values that the decoder makes of its
output. Of the biases and normalisations of these layers the difference itself is kept, which is small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import parametrize

if TYPE_CHECKING:
    from transformers import WhisperForConditionalGeneration


class _Difference(nn.Module):
    """W -> W + B @ A; B starts at zero, so the network starts as it was."""

    def __init__(self, outputs: int, inputs: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, inputs) / math.sqrt(inputs))
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.up @ self.down


class LowRank:
    """The differences of one network, which is changed by making this."""

    def __init__(self, network: WhisperForConditionalGeneration, rank: int) -> None:
        network.requires_grad_(False)
        self._differences: dict[str, tuple[nn.Linear, _Difference]] = {}
        self._vectors: dict[str, tuple[nn.Parameter, Tensor]] = {}
        for name, module in network.model.named_modules():
            if isinstance(module, nn.Linear) and _hears(name):
                outputs, inputs = module.weight.shape
                difference = _Difference(outputs, inputs, min(rank, outputs, inputs))
                parametrize.register_parametrization(
                    module, "weight", difference.to(module.weight.device)
                )
                self._differences[f"{name}.weight"] = module, difference
        for name, parameter in network.model.named_parameters():
            if _is_vector(name):
                parameter.requires_grad_(True)
                self._vectors[name] = parameter, parameter.detach().clone()

    def parameters(self) -> Iterator[nn.Parameter]:
        """All that learns."""
        for _, difference in self._differences.values():
            yield from difference.parameters()
        for parameter, _ in self._vectors.values():
            yield parameter

    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """What an adapter's file holds, by the names of :mod:`tools.model.conversion.adapter`."""
        found: dict[str, NDArray[Any]] = {}
        for name, (_, difference) in self._differences.items():
            found[f"{name}.lora_a"] = _array(difference.down)
            found[f"{name}.lora_b"] = _array(difference.up)
        for name, (parameter, before) in self._vectors.items():
            found[f"{name}.delta"] = _array(parameter - before)
        return found

    @torch.no_grad()
    def scale(self, share: float) -> None:
        """Keep so much of what was learnt, from 0 to 1."""
        for _, difference in self._differences.values():
            difference.up.mul_(share)
        for parameter, before in self._vectors.values():
            parameter.copy_(before + share * (parameter - before))

    def merge(self) -> None:
        """Make the network an ordinary one again, with the differences in its weights."""
        for module, _ in self._differences.values():
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def _hears(name: str) -> bool:
    """Whether a layer meets the length of the audio."""
    return name.startswith("encoder.") or name.endswith(
        ("encoder_attn.k_proj", "encoder_attn.v_proj")
    )


def _is_vector(name: str) -> bool:
    """Biases and normalisations of the layers above; the convolutions see three frames at a time only."""
    layer, _, kind = name.rpartition(".")
    is_norm = layer.startswith("encoder.") and "layer_norm" in layer
    is_bias = kind == "bias" and _hears(layer) and "conv" not in layer
    return is_norm or is_bias


def _array(tensor: Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return found
