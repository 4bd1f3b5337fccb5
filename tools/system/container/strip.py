"""What is taken out of the container again: what no service needs.

The patterns are those of ``pathlib``, from the root of the layer. Licences stay, as they must.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tools.system.container.debug_symbols import cut_debug_symbols

SITE_PACKAGES: Final = "opt/venv/lib/python3.11/site-packages"
PYTHON_LIBRARY: Final = "usr/lib/python3.11"

FROM_DEBIAN: Final = (
    "bin/*",
    "boot",
    "etc/cron.*",
    "etc/default",
    "etc/issue*",
    "etc/logrotate.d",
    "etc/profile.d",
    "etc/skel",
    "etc/update-motd.d",
    "home",
    "lib/systemd",
    "lib/udev",
    "sbin/[!l]*",
    # python3.11 and espeak-ng stay.
    "usr/bin/[!ep]*",
    "usr/bin/e[!s]*",
    "usr/bin/pldd",
    "usr/games",
    "usr/include",
    "usr/lib/*/audit",
    "usr/lib/*/engines-3",
    "usr/lib/*/gconv",
    "usr/lib/*/perl*",
    "usr/lib/binfmt.d",
    f"{PYTHON_LIBRARY}/LICENSE.txt",
    f"{PYTHON_LIBRARY}/_sysconfigdata_*d_*",
    f"{PYTHON_LIBRARY}/config-*",
    f"{PYTHON_LIBRARY}/distutils",
    f"{PYTHON_LIBRARY}/ensurepip",
    f"{PYTHON_LIBRARY}/lib-dynload/_ctypes_test*",
    f"{PYTHON_LIBRARY}/lib-dynload/_test*",
    f"{PYTHON_LIBRARY}/lib-dynload/_xx*",
    f"{PYTHON_LIBRARY}/lib-dynload/xx*",
    f"{PYTHON_LIBRARY}/lib2to3",
    f"{PYTHON_LIBRARY}/pydoc_data",
    f"{PYTHON_LIBRARY}/test",
    f"{PYTHON_LIBRARY}/turtle*",
    "usr/local",
    "usr/sbin/*",
    "usr/share/X11",
    "usr/share/applications",
    "usr/share/base-files",
    "usr/share/binfmts",
    "usr/share/bug",
    "usr/share/doc-base",
    "usr/share/gcc",
    "usr/share/gdb",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/menu",
    "usr/share/perl5",
    "usr/share/pixmaps",
    "usr/share/readline",
    "usr/share/doc/*/[!c]*",
    "usr/share/doc/*/changelog*",
    "usr/src",
    "var/backups",
    "var/cache",
    "var/lib/dpkg",
    "var/local",
    "var/lock",
    "var/mail",
    "var/run",
    "var/spool",
    "var/tmp",
)
FROM_WHEELS: Final = (
    "**/*.a",
    "**/*.c",
    "**/*.cmake",
    "**/*.h",
    "**/*.hpp",
    "**/*.pxd",
    "**/*.pyi",
    "**/*.pyx",
    "**/__pycache__",
    "**/tests",
    "**/include",
    # The graph's operators are in the module that Python loads; this is for programs in C.
    "onnxruntime/capi/libonnxruntime.so.*",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "numpy/_pyinstaller",
    "numpy/distutils",
    "numpy/f2py",
    "lib",
    "lib64",
    # Forms of Silero's network that the detector does not run; it takes silero_vad_16k_sequence.onnx.
    "silero_vad/data/*.jit",
    "silero_vad/data/*.safetensors",
    "silero_vad/data/silero_vad.onnx",
    "silero_vad/data/silero_vad_16k_op*.onnx",
    "silero_vad/data/silero_vad_half.onnx",
    "silero_vad/data/silero_vad_op*.onnx",
)


def strip_debian(root: Path) -> None:
    """Strip the layer that comes from Debian; ``root`` is its root."""
    _remove(root, FROM_DEBIAN)


def strip_wheels(folder: Path) -> None:
    """Strip a folder of installed wheels."""
    _remove(folder, FROM_WHEELS)
    for library in sorted(folder.rglob("*.so*")):
        if library.is_file() and not library.is_symlink():
            cut_debug_symbols(library)


def _remove(root: Path, patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        for path in sorted(root.glob(pattern), reverse=True):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
