"""What is taken out, and what has to stay."""

from __future__ import annotations

from pathlib import Path

from tools.system.container.strip import strip_debian, strip_wheels


def make(root: Path, *names: str) -> None:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def left(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_debian_keeps_python_libraries_and_licences(tmp_path: Path) -> None:
    kept = {
        "etc/os-release",
        "lib/aarch64-linux-gnu/libc.so.6",
        "sbin/ldconfig",
        "usr/bin/espeak-ng",
        "usr/bin/python3.11",
        "usr/lib/aarch64-linux-gnu/libportaudio.so.2",
        "usr/lib/python3.11/json/__init__.py",
        "usr/lib/python3.11/lib-dynload/_ctypes.so",
        "usr/share/alsa/alsa.conf",
        "usr/share/common-licenses/GPL-3",
        "usr/share/doc/libc6/copyright",
    }
    removed = {
        "bin/tar",
        "sbin/start-stop-daemon",
        "usr/bin/env",
        "usr/bin/ldd",
        "usr/bin/pldd",
        "usr/lib/aarch64-linux-gnu/gconv/UTF-16.so",
        "usr/lib/python3.11/ensurepip/__init__.py",
        "usr/lib/python3.11/lib-dynload/_testcapi.so",
        "usr/lib/python3.11/test/test_a.py",
        "usr/share/doc/libc6/NEWS.gz",
        "usr/share/doc/libc6/changelog.gz",
        "usr/share/locale/de/LC_MESSAGES/dpkg.mo",
        "usr/share/man/man1/python3.11.1.gz",
        "var/lib/dpkg/status",
    }
    make(tmp_path, *kept, *removed)
    strip_debian(tmp_path)
    assert left(tmp_path) == kept


def test_wheels_keep_code_data_and_licences(tmp_path: Path) -> None:
    kept = {
        "numpy-2.dist-info/METADATA",
        "numpy-2.dist-info/licenses/LICENSE.txt",
        "numpy/testing/__init__.py",
        "numpy/typing/__init__.py",
        "onnxruntime/ThirdPartyNotices.txt",
        "onnxruntime/capi/libonnxruntime_providers_shared.so",
        "onnxruntime/capi/onnxruntime_pybind11_state.so",
        "silero_vad/__init__.py",
        "silero_vad/data/silero_vad_16k_sequence.onnx",
    }
    removed = {
        "lib64/libggml.so.0",
        "numpy/_core/include/numpy/arrayobject.h",
        "numpy/_core/lib/libnpymath.a",
        "numpy/__init__.pyi",
        "numpy/f2py/__init__.py",
        "numpy/ma/tests/test_core.py",
        "numpy/typing/tests/test_typing.py",
        "onnxruntime/capi/libonnxruntime.so.1.27.0",
        "onnxruntime/transformers/optimizer.py",
        "silero_vad/data/silero_vad.jit",
        "silero_vad/data/silero_vad.onnx",
        "silero_vad/data/silero_vad_16k.safetensors",
        "silero_vad/data/silero_vad_16k_op15.onnx",
        "silero_vad/data/silero_vad_half.onnx",
        "silero_vad/data/silero_vad_op18_ifless.onnx",
        "silero_vad/data/silero_vad_openvino_16k.onnx",
        "zmq/__pycache__/x.cpython-311.pyc",
    }
    make(tmp_path, *kept, *removed)
    strip_wheels(tmp_path)
    assert left(tmp_path) == kept


def test_links_go_and_what_they_point_to_stays(tmp_path: Path) -> None:
    make(tmp_path, "outside/file")
    (tmp_path / "layer/usr").mkdir(parents=True)
    (tmp_path / "layer/usr/local").symlink_to(tmp_path / "outside")
    strip_debian(tmp_path / "layer")
    assert left(tmp_path) == {"outside/file"}
    assert not (tmp_path / "layer/usr/local").is_symlink()
