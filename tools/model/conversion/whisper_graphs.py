"""Our two graphs of a Whisper checkpoint: a length-elastic encoder and a decoder step.

Encoder: log-mel of any even number of frames in, the cross-attention keys and values of every decoder layer
out, so that the decoder never sees the encoder's hidden states and computes no projection of them.

Decoder: any number of tokens per call (a prompt, or one step) against a cache whose buffers the caller owns:
``present_*`` may be bound to the very memory of ``past_*``, then a step writes one column instead of copying.
Several sequences (beams) may share one audio: cross-attention treats them as further queries of it.

Architecture: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022, section 2.2;
tensor names and layouts are those of transformers' WhisperForConditionalGeneration.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.graph_writer import MICROSOFT_DOMAIN, GraphWriter

LAYER_NORM_EPSILON = 1e-5
"""PyTorch's default, which Whisper was trained with."""


def write_encoder(checkpoint: Checkpoint, path: Path) -> None:
    """Write the encoder graph.

    Input ``input_features`` [audio, mels, frames]; outputs ``cross_key.N`` and ``cross_value.N``
    [audio, heads, frames / 2, head size] for every decoder layer N.
    """
    config = checkpoint.config
    with GraphWriter(path) as graph:
        graph.input("input_features", TensorProto.FLOAT, ["audio", config.num_mel_bins, "frames"])
        blocks = _Blocks(graph, checkpoint)
        hidden, branch = _convolutions(blocks)
        for layer in range(config.encoder_layers):
            prefix = f"encoder.layers.{layer}"
            heads = config.encoder_attention_heads
            hidden, branch = _encoder_layer(blocks, hidden, branch, prefix, heads)
        _, hidden = blocks.add_and_norm(hidden, branch, "encoder.layer_norm")
        heads, size = config.decoder_attention_heads, config.decoder_head_size
        for layer in range(config.decoder_layers):
            prefix = f"decoder.layers.{layer}.encoder_attn"
            for projection, name in (("k_proj", "cross_key"), ("v_proj", "cross_value")):
                projected = blocks.linear(hidden, f"{prefix}.{projection}")
                split = graph.constant("split_heads", np.array([0, -1, heads, size]))
                projected = graph.node("Reshape", [projected, split])
                output = graph.output(
                    f"{name}.{layer}", TensorProto.FLOAT, ["audio", heads, "positions", size]
                )
                graph.node("Transpose", [projected], output, perm=[0, 2, 1, 3])
        graph.save("whisper_encoder")


def _convolutions(blocks: _Blocks) -> tuple[str, str]:
    """Two convolutions that halve the frame rate, and the positions to be added, cut to that length.

    As matrix products over three neighbouring frames side by side: those become integer ones as all others,
    and the integer convolution of ONNX Runtime is slower than its fp32 one.
    """
    graph = blocks.graph
    frames = graph.node("Transpose", ["input_features"], perm=[0, 2, 1])
    before, after = (_shifted(graph, frames, by) for by in (1, -1))
    taps = graph.node("Concat", [before, frames, after], axis=-1)
    hidden = graph.node("Gelu", [blocks.convolution(taps, "encoder.conv1")])
    # Stride 2: frames 2n - 1, 2n and 2n + 1.
    width = blocks.checkpoint.config.d_model
    pairs = graph.constant("pairs", np.array([0, -1, 2 * width]))
    pairs = graph.node("Reshape", [hidden, pairs])
    halves = ["even_frames", "odd_frames"]
    graph.nodes("Split", [pairs], halves, axis=-1, num_outputs=2)
    taps = graph.node("Concat", [_shifted(graph, halves[1], 1), pairs], axis=-1)
    hidden = graph.node("Gelu", [blocks.convolution(taps, "encoder.conv2")])
    length = graph.node("Shape", [hidden], start=1, end=2)
    name = "encoder.embed_positions.weight"
    table = graph.constant(name, blocks.checkpoint.tensor(name))
    zero = graph.constant("zero", np.array([0]))
    return hidden, graph.node("Slice", [table, zero, length, zero])


def _shifted(graph: GraphWriter, frames: str, by: int) -> str:
    """[audio, frames, width] moved along the frames, with zeros where there is none."""
    pads = graph.constant(f"shift_by_{by}", np.array([0, by, 0, 0, -by, 0]))
    return graph.node("Pad", [frames, pads])


def _encoder_layer(
    blocks: _Blocks, hidden: str, branch: str, prefix: str, heads: int
) -> tuple[str, str]:
    """The residual stream and what is still to be added to it, before and after a layer."""
    graph = blocks.graph
    hidden, normed = blocks.add_and_norm(hidden, branch, f"{prefix}.self_attn_layer_norm")
    packed = blocks.packed_qkv(normed, f"{prefix}.self_attn")
    parts = [f"{prefix}.{part}" for part in ("query", "key", "value")]
    graph.nodes("Split", [packed], parts, axis=-1, num_outputs=3)
    attended = graph.node("MultiHeadAttention", parts, domain=MICROSOFT_DOMAIN, num_heads=heads)
    return blocks.feed_forward(
        hidden, blocks.linear(attended, f"{prefix}.self_attn.out_proj"), prefix
    )


def write_decoder(checkpoint: Checkpoint, path: Path) -> None:
    """Write the decoder graph.

    Inputs: ``input_ids`` [beams, tokens]; ``position_ids`` [tokens], counted from the start of the sequence;
    ``logit_positions`` [rows per beam], which of the tokens to project to the vocabulary;
    ``last_positions`` int32 [beams] and ``total_length`` int32 scalar: position of the last token, and
    length with the cache; ``past_key.N``/``past_value.N`` [beams, heads, cache, head size] with room for
    ``total_length``; ``cross_key.N``/``cross_value.N`` [audio, heads, positions, head size], where beams
    is a multiple of audio.

    Outputs: ``logits`` [beams * rows, vocabulary]; ``present_key.N``/``present_value.N`` as ``past_*``;
    ``cross_query.N`` [audio, beams / audio * tokens, width], from which cross-attention weights (word
    timestamps) can be recomputed without a second graph.
    """
    config = checkpoint.config
    with GraphWriter(path) as graph:
        blocks = _Blocks(graph, checkpoint)
        _declare_decoder_inputs(graph, checkpoint)
        table = graph.constant("embed_tokens", checkpoint.tensor("decoder.embed_tokens.weight"))
        name = "decoder.embed_positions.weight"
        positions = graph.constant(name, checkpoint.tensor(name))
        hidden = graph.node("Gather", [table, "input_ids"])
        branch = graph.node("Gather", [positions, "position_ids"])
        audio = graph.node("Shape", ["cross_key.0"], start=0, end=1)
        queries_shape = graph.node(
            "Concat",
            [audio, graph.constant("any_width", np.array([-1, config.d_model]))],
            axis=0,
        )
        tokens_shape = graph.node("Shape", [hidden])
        for layer in range(config.decoder_layers):
            shapes = (queries_shape, tokens_shape)
            hidden, branch = _decoder_layer(blocks, hidden, branch, layer, shapes)
        hidden = graph.node("Add", [hidden, branch])
        hidden = graph.node("Gather", [hidden, "logit_positions"], axis=1)
        hidden = blocks.layer_norm(hidden, "decoder.layer_norm")
        rows = graph.constant("rows", np.array([-1, config.d_model]))
        hidden = graph.node("Reshape", [hidden, rows])
        projection = table
        if not checkpoint.ties_embeddings:
            projection = graph.constant("proj_out", checkpoint.tensor("proj_out.weight"))
        logits = graph.output("logits", TensorProto.FLOAT, ["rows", config.vocab_size])
        graph.node("Gemm", [hidden, projection], logits, transB=1)
        graph.save("whisper_decoder")


def _declare_decoder_inputs(graph: GraphWriter, checkpoint: Checkpoint) -> None:
    config = checkpoint.config
    graph.input("input_ids", TensorProto.INT64, ["beams", "tokens"])
    graph.input("position_ids", TensorProto.INT64, ["tokens"])
    graph.input("logit_positions", TensorProto.INT64, ["rows_per_beam"])
    graph.input("last_positions", TensorProto.INT32, ["beams"])
    graph.input("total_length", TensorProto.INT32, [])
    heads, size = config.decoder_attention_heads, config.decoder_head_size
    for layer in range(config.decoder_layers):
        for kind in ("key", "value"):
            graph.input(f"past_{kind}.{layer}", TensorProto.FLOAT, ["beams", heads, "cache", size])
        for kind in ("key", "value"):
            shape: list[int | str] = ["audio", heads, "positions", size]
            graph.input(f"cross_{kind}.{layer}", TensorProto.FLOAT, shape)


def _decoder_layer(
    blocks: _Blocks, hidden: str, branch: str, layer: int, shapes: tuple[str, str]
) -> tuple[str, str]:
    """As :func:`_encoder_layer`; ``shapes`` are those of the queries by audio and of the tokens by beam."""
    queries_shape, tokens_shape = shapes
    graph, config = blocks.graph, blocks.checkpoint.config
    heads, size = config.decoder_attention_heads, config.decoder_head_size
    prefix = f"decoder.layers.{layer}"

    hidden, normed = blocks.add_and_norm(hidden, branch, f"{prefix}.self_attn_layer_norm")
    packed = blocks.packed_qkv(normed, f"{prefix}.self_attn")
    presents = [
        graph.output(f"present_{kind}.{layer}", TensorProto.FLOAT, ["beams", heads, "cache", size])
        for kind in ("key", "value")
    ]
    # The one fused attention of ONNX Runtime that is causal and appends to a caller's buffer in place.
    attended, *_ = graph.nodes(
        "GroupQueryAttention",
        [
            packed,
            "",
            "",
            f"past_key.{layer}",
            f"past_value.{layer}",
            "last_positions",
            "total_length",
        ],
        [f"{prefix}.self_attended", *presents],
        domain=MICROSOFT_DOMAIN,
        num_heads=heads,
        kv_num_heads=heads,
    )
    branch = blocks.linear(attended, f"{prefix}.self_attn.out_proj")

    hidden, normed = blocks.add_and_norm(hidden, branch, f"{prefix}.encoder_attn_layer_norm")
    query = blocks.linear(normed, f"{prefix}.encoder_attn.q_proj")
    output = graph.output(
        f"cross_query.{layer}", TensorProto.FLOAT, ["audio", "queries", config.d_model]
    )
    query = graph.node("Reshape", [query, queries_shape], output)
    attended = graph.node(
        "MultiHeadAttention",
        [query, f"cross_key.{layer}", f"cross_value.{layer}"],
        domain=MICROSOFT_DOMAIN,
        num_heads=heads,
    )
    attended = graph.node("Reshape", [attended, tokens_shape])
    return blocks.feed_forward(
        hidden, blocks.linear(attended, f"{prefix}.encoder_attn.out_proj"), prefix
    )


class _Blocks:
    """The parts that encoder and decoder layers share, reading weights from one checkpoint."""

    def __init__(self, graph: GraphWriter, checkpoint: Checkpoint) -> None:
        self.graph = graph
        self.checkpoint = checkpoint

    def layer_norm(self, hidden: str, prefix: str) -> str:
        return self.graph.node(
            "LayerNormalization",
            [hidden, *self._norm_constants(prefix)],
            axis=-1,
            epsilon=LAYER_NORM_EPSILON,
        )

    def _norm_constants(self, prefix: str) -> list[str]:
        return [
            self.graph.constant(f"{prefix}.{part}", self.checkpoint.tensor(f"{prefix}.{part}"))
            for part in ("weight", "bias")
        ]

    def linear(self, hidden: str, prefix: str) -> str:
        """Key projections have no bias in Whisper; all others do."""
        bias = None if prefix.endswith("k_proj") else self.checkpoint.tensor(f"{prefix}.bias")
        return self._matmul(hidden, prefix, self.checkpoint.tensor(f"{prefix}.weight"), bias)

    def convolution(self, taps: str, prefix: str) -> str:
        """Over three frames that lie side by side in the last axis."""
        weight, bias = (self.checkpoint.tensor(f"{prefix}.{part}") for part in ("weight", "bias"))
        weight = weight.transpose(0, 2, 1).reshape(weight.shape[0], -1)
        return self._matmul(taps, prefix, weight, bias)

    def packed_qkv(self, hidden: str, prefix: str) -> str:
        """Query, key and value projections as one multiplication, side by side in the last axis."""
        read = self.checkpoint.tensor
        weight = np.concatenate([read(f"{prefix}.{part}_proj.weight") for part in "qkv"])
        query_bias, value_bias = (read(f"{prefix}.{part}_proj.bias") for part in "qv")
        bias = np.concatenate([query_bias, np.zeros_like(query_bias), value_bias])
        return self._matmul(hidden, f"{prefix}.qkv_proj", weight, bias)

    def add_and_norm(self, hidden: str, branch: str, prefix: str) -> tuple[str, str]:
        """The residual stream with a branch added to it, and the same normalised.

        In one node: ONNX Runtime's own fusion leaves out all sums that are used again, as these are, and its
        kernel for the normalisation alone takes five times as long.
        """
        weight, bias = self._norm_constants(prefix)
        names = [f"{prefix}.normed", "", "", f"{prefix}.sum"]
        self.graph.nodes(
            "SkipLayerNormalization",
            [hidden, branch, weight, bias],
            names,
            domain=MICROSOFT_DOMAIN,
            epsilon=LAYER_NORM_EPSILON,
        )
        return names[3], names[0]

    def feed_forward(self, hidden: str, branch: str, prefix: str) -> tuple[str, str]:
        """The last part of a layer."""
        hidden, inner = self.add_and_norm(hidden, branch, f"{prefix}.final_layer_norm")
        inner = self.graph.node("Gelu", [self.linear(inner, f"{prefix}.fc1")])
        return hidden, self.linear(inner, f"{prefix}.fc2")

    def _matmul(
        self,
        hidden: str,
        prefix: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
    ) -> str:
        """PyTorch keeps [out, in]; MatMul wants [in, out]."""
        product = self.graph.node(
            "MatMul", [hidden, self.graph.constant(f"{prefix}.weight", weight.T)]
        )
        if bias is None:
            return product
        return self.graph.node("Add", [product, self.graph.constant(f"{prefix}.bias", bias)])
