"""The rank files of OpenAI's own tokenizers, out of the PyPI package openai-whisper, fetched once.

They are the real vocabularies; nothing of the package's code is used, so it is no dependency.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

import pytest

from tools.root import CACHE

VERSION: Final = "20250625"
SDIST: Final = f"openai_whisper-{VERSION}.tar.gz"
SHA256: Final = {
    SDIST: "37a91a3921809d9f44748ffc73c0a55c9f366c85a3ef5c2ae0cc09540432eb96",
    "multilingual.tiktoken": "b34b360dbb493e781e479794586d661700670d65564001f23024971d1f2fa126",
    "gpt2.tiktoken": "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
}
FETCH: Final = [
    *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
    *("--no-deps", "--no-binary", ":all:", f"openai-whisper=={VERSION}"),
]
_TIMEOUT = 120.0


def rank_file(name: str) -> Path:
    """Path of ``multilingual.tiktoken`` or ``gpt2.tiktoken``; skips the test where it can't be had."""
    path = CACHE / name
    if not _is_genuine(path):
        _extract(_sdist(), name)
    return path


def _sdist() -> Path:
    path = CACHE / SDIST
    if _is_genuine(path):
        return path
    how = f"run `{' '.join(['python', *FETCH[1:], '-d', CACHE.name])}` where there is a network"
    CACHE.mkdir(exist_ok=True)
    try:
        subprocess.run(
            [*FETCH, "-d", str(CACHE)], check=True, capture_output=True, timeout=_TIMEOUT, text=True
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no reason given"]
        pytest.skip(f"openai-whisper's rank files can't be fetched ({lines[-1]}): {how}")
    except subprocess.TimeoutExpired:
        pytest.skip(f"openai-whisper's rank files can't be fetched (too slow): {how}")
    if not _is_genuine(path):
        pytest.fail(f"{path} is not the openai-whisper {VERSION} that was pinned: delete it")
    return path


def _extract(sdist: Path, name: str) -> None:
    member = f"openai_whisper-{VERSION}/whisper/assets/{name}"
    with tarfile.open(sdist) as archive:
        file = archive.extractfile(member)
        assert file is not None, f"{sdist} has no {member}"
        # Renamed into place, so that tests that run at the same time never see half a file.
        part = CACHE / f"{name}.part"
        part.write_bytes(file.read())
    part.replace(CACHE / name)
    assert _is_genuine(CACHE / name)


def _is_genuine(path: Path) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[path.name]
