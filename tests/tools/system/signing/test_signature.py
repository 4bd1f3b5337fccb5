"""Signatures: the right key, another key, a changed file, and all that may be missing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.system.signing.keys import gpg, make_gpg_key, make_minisign_key, stop_gpg
from tools.system.signing import signature
from tools.system.signing.signature import verify_signature
from tools.system.signing.verification_error import NotVerifiableError, VerificationError


@pytest.fixture(autouse=True)
def no_default_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(signature, "DEFAULT_KEY", tmp_path / "default.pub")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "release"
    path.mkdir()
    (path / "SHA256SUMS").write_text(f"{'0' * 64}  a\n")
    return path


@pytest.fixture
def public(folder: Path, tmp_path: Path) -> Path:
    """The folder is signed with minisign."""
    secret, public = make_minisign_key(tmp_path, "maker")
    command = ["minisign", "-S", "-s", str(secret), "-m", str(folder / "SHA256SUMS")]
    subprocess.run(command, capture_output=True, check=True)
    return public


def refusal(folder: Path, key: str | None) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify_signature(folder, key)
    return caught.value


def assert_wrong(error: VerificationError) -> None:
    """Not merely unknown: no option gets round it."""
    assert not isinstance(error, NotVerifiableError)
    assert "--no-verify" not in str(error)


class TestMinisign:
    def test_right_key_as_a_file(self, folder: Path, public: Path) -> None:
        assert verify_signature(folder, str(public)) == ["minisign"]

    def test_right_key_as_text(self, folder: Path, public: Path) -> None:
        text = public.read_text().splitlines()[1]
        assert verify_signature(folder, text) == ["minisign"]

    def test_key_of_the_checkout(self, folder: Path, public: Path, tmp_path: Path) -> None:
        public.rename(tmp_path / "default.pub")
        assert verify_signature(folder, None) == ["minisign"]

    def test_another_key(self, folder: Path, public: Path, tmp_path: Path) -> None:
        _, other = make_minisign_key(tmp_path, "other")
        error = refusal(folder, str(other))
        assert_wrong(error)
        assert "do not use it" in str(error)

    def test_changed_sums(self, folder: Path, public: Path) -> None:
        (folder / "SHA256SUMS").write_text(f"{'1' * 64}  a\n")
        assert_wrong(refusal(folder, str(public)))

    def test_damaged_signature(self, folder: Path, public: Path) -> None:
        (folder / "SHA256SUMS.minisig").write_text("damaged")
        assert_wrong(refusal(folder, str(public)))

    def test_key_beside_the_release_proves_nothing(self, folder: Path, public: Path) -> None:
        public.rename(folder / "minisign.pub")
        error = refusal(folder, None)
        assert isinstance(error, NotVerifiableError)
        assert "--key" in str(error)
        assert "--no-verify" in str(error)

    def test_program_is_not_installed(
        self, folder: Path, public: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(folder))
        error = refusal(folder, str(public))
        assert isinstance(error, NotVerifiableError)
        assert "apt-get install minisign" in str(error)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty GPG keyring, which is the user's."""
    path = tmp_path / "gnupg"
    path.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(path))
    yield path
    stop_gpg(path)


@pytest.fixture
def maker(folder: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The folder is signed with GPG: the key's fingerprint and its public file."""
    path = tmp_path / "maker"
    fingerprint = make_gpg_key(path, "maker@example.org")
    target = str(folder / "SHA256SUMS.asc")
    gpg(path, "--output", target, "--armor", "--detach-sign", str(folder / "SHA256SUMS"))
    public = tmp_path / "maker.asc"
    gpg(path, "--armor", "--output", str(public), "--export", fingerprint)
    yield fingerprint, public
    stop_gpg(path)


class TestGpg:
    def test_key_as_a_file(self, folder: Path, home: Path, maker: tuple[str, Path]) -> None:
        assert verify_signature(folder, str(maker[1])) == ["GPG"]

    def test_file_with_another_key(
        self, folder: Path, home: Path, maker: tuple[str, Path], tmp_path: Path
    ) -> None:
        other = tmp_path / "other.asc"
        make_gpg_key(home, "other@example.org")
        gpg(home, "--armor", "--output", str(other), "--export")
        assert_wrong(refusal(folder, str(other)))

    def test_fingerprint_of_a_known_key(
        self, folder: Path, home: Path, maker: tuple[str, Path]
    ) -> None:
        gpg(home, "--import", str(maker[1]))
        assert verify_signature(folder, maker[0].lower()) == ["GPG"]
        assert_wrong(refusal(folder, "0" * 40))

    def test_known_key_that_is_not_trusted(
        self, folder: Path, home: Path, maker: tuple[str, Path]
    ) -> None:
        gpg(home, "--import", str(maker[1]))
        error = refusal(folder, None)
        assert_wrong(error)
        assert f"--key {maker[0]}" in str(error)

    def test_unknown_key(self, folder: Path, home: Path, maker: tuple[str, Path]) -> None:
        error = refusal(folder, None)
        assert isinstance(error, NotVerifiableError)
        assert "--no-verify" in str(error)

    def test_own_key_is_trusted(self, folder: Path, home: Path) -> None:
        make_gpg_key(home, "me@example.org")
        sums = folder / "SHA256SUMS"
        gpg(home, "--output", f"{sums}.sig", "--detach-sign", str(sums))
        assert verify_signature(folder, None) == ["GPG"]

    def test_second_signature_in_the_same_file(self, folder: Path, home: Path) -> None:
        """Which of the two would count is anybody's guess."""
        names = ("one@example.org", "two@example.org")
        keys = [make_gpg_key(home, name) for name in names]
        both = [word for key in keys for word in ("--local-user", key)]
        sums = folder / "SHA256SUMS"
        gpg(home, *both, "--output", f"{sums}.sig", "--detach-sign", str(sums))
        for key in keys:
            assert_wrong(refusal(folder, key))

    def test_changed_sums(self, folder: Path, home: Path, maker: tuple[str, Path]) -> None:
        (folder / "SHA256SUMS").write_text(f"{'1' * 64}  a\n")
        assert_wrong(refusal(folder, str(maker[1])))

    def test_file_without_a_key(
        self, folder: Path, home: Path, maker: tuple[str, Path], tmp_path: Path
    ) -> None:
        empty = tmp_path / "empty.asc"
        empty.write_text("nothing")
        with pytest.raises(ConfigurationError, match="holds no GPG public key"):
            verify_signature(folder, str(empty))


def test_one_wrong_signature_of_two_is_enough(
    folder: Path, public: Path, home: Path, tmp_path: Path
) -> None:
    (folder / "SHA256SUMS.asc").write_text("damaged")
    with pytest.raises((VerificationError, ConfigurationError)):
        verify_signature(folder, str(public))


def test_no_signature(folder: Path) -> None:
    error = refusal(folder, None)
    assert isinstance(error, NotVerifiableError)
    assert "SHA256SUMS.minisig" in str(error)


def test_key_that_does_not_exist(folder: Path, public: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file, and it is no key either"):
        verify_signature(folder, "/no/such.pub")
