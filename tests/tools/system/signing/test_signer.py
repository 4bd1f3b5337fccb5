from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.system.signing.keys import make_gpg_key, make_minisign_key, stop_gpg
from tools.system.signing import signer as signing
from tools.system.signing.signature import verify_signature
from tools.system.signing.signer import Signer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "release"
    path.mkdir()
    (path / "SHA256SUMS").write_text(f"{'0' * 64}  a\n")
    return path


def test_minisign(folder: Path, tmp_path: Path) -> None:
    secret, public = make_minisign_key(tmp_path, "maker")
    made = Signer.find(str(secret), None).sign(folder, "product-1.0")
    assert made == folder / "SHA256SUMS.minisig"
    assert "trusted comment: product-1.0" in made.read_text()
    assert verify_signature(folder, str(public)) == ["minisign"]


def test_same_sums_same_minisign_signature(folder: Path, tmp_path: Path) -> None:
    signer = Signer.find(str(make_minisign_key(tmp_path, "maker")[0]), None)
    first = signer.sign(folder, "x").read_bytes()
    assert signer.sign(folder, "x").read_bytes() == first


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "gnupg"
    monkeypatch.setenv("GNUPGHOME", str(path))
    yield path
    stop_gpg(path)


def test_gpg(folder: Path, home: Path) -> None:
    fingerprint = make_gpg_key(home, "maker@example.org")
    made = Signer.find(None, "maker@example.org").sign(folder, "product-1.0")
    assert made == folder / "SHA256SUMS.asc"
    assert verify_signature(folder, fingerprint) == ["GPG"]


def test_unknown_gpg_key(home: Path) -> None:
    make_gpg_key(home, "maker@example.org")
    with pytest.raises(ConfigurationError, match="--list-secret-keys"):
        Signer.find(None, "nobody@example.org")


def test_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "_MINISIGN_KEY", tmp_path / "none.key")
    with pytest.raises(ConfigurationError, match=r"minisign -G.*--key FILE.*--unsigned"):
        Signer.find(None, None)


def test_file_that_is_no_key(folder: Path, tmp_path: Path) -> None:
    make_minisign_key(tmp_path, "unused")  # skips without minisign
    bad = tmp_path / "bad.key"
    bad.write_text("no key")
    with pytest.raises(ConfigurationError, match="minisign did not sign"):
        Signer.find(str(bad), None).sign(folder, "x")
