"""Makes an encoder's activations easier to round: large channels lend their size to the weights.

With one scale for all channels of an activation, the few that are 10 times as large as the others take the
steps from them. Dividing such a channel by a factor, and multiplying the weights that read it by the same,
changes nothing in real numbers, and both are rounded less (Xiao et al., "SmoothQuant", 2023, section 4).
What divides is the normalisation before. Factors are rounded to quarters of an octave, so that processors$
that add in another order find the same ones.

How large channels are is looked up on made-up speech: that depends on the weights, and hardly on what is
said. So nobody needs recordings to convert a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from rtap.audio.format import SAMPLE_RATE
from rtap.whisper.features import LogMel
from rtap.whisper.model import FRAMES_PER_SECOND
from rtap.whisper.sessions import CPU

_FEATURES = "input_features"
_POSITIONS = "encoder.embed_positions.weight"
_SPOKEN = (3, 5)
"""Seconds of the made-up sentences."""
_SILENCE = 5
"""Seconds after each."""
_SMALLEST = 1e-6
_STEPS_PER_OCTAVE = 4
_FOLDER = "session.model_external_initializers_file_folder_path"


@dataclass(frozen=True, slots=True)
class _Normalised:
    """An activation, and the constants that are to be changed together."""

    output: str
    norm: tuple[str, str]
    """Names of weight and bias [width]."""
    readers: tuple[str, ...]
    """Names of the weights [width, out] of the products that read it."""


def smooth(graph: onnx.GraphProto, source: Path) -> None:
    """Change the normalisations of an encoder and the weights after them; any other graph stays as it is.

    Args:
        graph: of the fp32 model, its constants loaded.
        source: its file, which is run.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    places = list(_normalised(graph, constants))
    if not places or graph.input[0].name != _FEATURES:
        return
    outputs = [place.output for place in places]
    longest = 2 * constants[_POSITIONS].dims[0]
    largest = _largest_by_channel(source, outputs, longest)
    for place in places:
        weights = [numpy_helper.to_array(constants[name]) for name in place.readers]
        factors = _factors(largest[place.output], weights)
        for name, weight in zip(place.readers, weights, strict=True):
            _store(constants[name], weight * factors[:, np.newaxis])
        for name in place.norm:
            values: NDArray[np.float32] = numpy_helper.to_array(constants[name])
            _store(constants[name], values / factors)


def _normalised(
    graph: onnx.GraphProto, constants: Mapping[str, onnx.TensorProto]
) -> Iterator[_Normalised]:
    """Those that nothing but products with constants reads."""
    for norm in graph.node:
        if norm.op_type != "SkipLayerNormalization":
            continue
        output = norm.output[0]
        readers = [node for node in graph.node if output in node.input]
        names = tuple(node.input[1] for node in readers if node.op_type == "MatMul")
        if len(names) == len(readers) and all(name in constants for name in names):
            yield _Normalised(output, (norm.input[2], norm.input[3]), names)


def _largest_by_channel(
    source: Path, outputs: Sequence[str], longest: int
) -> dict[str, NDArray[np.float32]]:
    """The largest size of each activation's channels [width] over the made-up sentences."""
    model = onnx.load(source, load_external_data=False)
    for name in outputs:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    # The weights stay where they are: a large model does not fit into one message.
    options.add_session_config_entry(_FOLDER, str(source.resolve().parent))
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=list(CPU))
    log_mel = LogMel(session.get_inputs()[0].shape[1])
    largest: dict[str, NDArray[np.float32]] = {}
    for seconds in _SPOKEN:
        frames = min((seconds + _SILENCE) * FRAMES_PER_SECOND, longest)
        mel = log_mel(_made_up_speech(seconds), frames)[np.newaxis]
        for name, activation in zip(outputs, session.run(outputs, {_FEATURES: mel}), strict=True):
            found = np.abs(activation).max(axis=(0, 1))
            largest[name] = np.maximum(largest.get(name, found), found)
    return largest


def _factors(
    largest: NDArray[np.float32], weights: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Factors [width] that leave activation and weights about equally uneven, 1 in the middle."""
    read = np.max([np.abs(weight).max(axis=1) for weight in weights], axis=0)
    ratio = np.maximum(largest, _SMALLEST) / np.maximum(read, _SMALLEST)
    exponents = np.log2(ratio) / 2
    exponents = np.rint(_STEPS_PER_OCTAVE * (exponents - np.median(exponents))) / _STEPS_PER_OCTAVE
    factors: NDArray[np.float32] = np.exp2(exponents).astype(np.float32)
    return factors


def _store(tensor: onnx.TensorProto, array: NDArray[np.float32]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), tensor.name))


def _made_up_speech(seconds: int) -> NDArray[np.float32]:
    """Voiced syllables with hissing ones between them, three a second, in a little noise."""
    random = np.random.default_rng(seconds)
    time = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    noise = random.standard_normal(time.size)
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    voice = np.sum([np.sin(harmonic * phase) / harmonic for harmonic in range(1, 25)], axis=0)
    voiced, hissed = (np.maximum(0, np.sin(2 * np.pi * 3 * time + turn)) for turn in (0, 2))
    sentence = np.sin(np.pi * time / seconds)
    audio = 0.1 * voice * voiced * sentence + (0.003 + 0.03 * hissed) * noise
    speech: NDArray[np.float32] = audio.astype(np.float32)
    return speech
