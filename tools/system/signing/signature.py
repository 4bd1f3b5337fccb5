"""Checks the signature of SHA256SUMS, which stands for all files that are named there.

A key is a minisign public key, as a file or as its text, or a file with GPG public keys, or the fingerprint
of a key in the user's own GPG keyring. A key that lies beside a release proves nothing, so none is
looked for there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.root import ROOT
from tools.system.signing.checksums import NAME
from tools.system.signing.verification_error import NotVerifiableError, VerificationError

MINISIGN: Final = f"{NAME}.minisig"
GPG: Final = (f"{NAME}.asc", f"{NAME}.sig", f"{NAME}.gpg")
DEFAULT_KEY: Final = ROOT / "conf/release.pub"
"""The minisign key of those who release this product, where the checkout has one."""

_MINISIGN_TEXT: Final = re.compile(r"RW[A-Za-z0-9+/=]{54}")
_FINGERPRINT: Final = re.compile(r"[0-9A-F]{40}")
_TRUSTED: Final = {"TRUST_FULLY", "TRUST_ULTIMATE"}
_REFUSED: Final = "the release was changed, or somebody else made it: do not use it"


def find_signatures(folder: Path) -> list[Path]:
    """All signatures of a folder's SHA256SUMS."""
    return [folder / name for name in (MINISIGN, *GPG) if (folder / name).is_file()]


def verify_signature(folder: Path, key: str | None) -> list[str]:
    """Check every signature that is there.

    Args:
        key: whose it must be; None: ``conf/release.pub``, or those whom the user's GPG keyring trusts.

    Returns:
        The kinds that were checked, "minisign" and "GPG".

    Raises:
        NotVerifiableError: there is no signature, no key, or no program that checks it.
        VerificationError: it is wrong, or made with another key.
    """
    found = find_signatures(folder)
    if not found:
        raise NotVerifiableError(
            f"{folder / NAME} has no signature ({MINISIGN} or {GPG[0]}): fetch the whole release folder, "
            "or add --no-verify to go without"
        )
    checked = []
    for file in found:
        if file.name == MINISIGN:
            _verify_minisign(folder / NAME, file, key)
            checked.append("minisign")
        else:
            _verify_gpg(folder / NAME, file, key)
            checked.append("GPG")
    return checked


def _verify_minisign(sums: Path, signature: Path, key: str | None) -> None:
    if key is None:
        if not DEFAULT_KEY.is_file():
            raise NotVerifiableError(
                f"no public key to check {signature.name} with: give --key FILE (the maker's minisign.pub), "
                "or add --no-verify to go without"
            )
        key = str(DEFAULT_KEY)
    whose = ["-P", key] if _MINISIGN_TEXT.fullmatch(key) else ["-p", str(_key_file(key))]
    program = _program("minisign", signature)
    status, _ = _run([program, "-V", "-q", "-x", str(signature), "-m", str(sums), *whose])
    if status:
        raise VerificationError(f"{signature.name} is no signature by {key}: {_REFUSED}")


def _verify_gpg(sums: Path, signature: Path, key: str | None) -> None:
    program = _program("gpg", signature)
    fingerprint = (key or "").replace(" ", "").upper()
    if key is None or _FINGERPRINT.fullmatch(fingerprint):
        words = _gpg_words(program, signature, sums)
        if _signer(words) is None and _has(words, "NO_PUBKEY"):
            raise NotVerifiableError(
                f"{signature.name} is by a key that your GPG keyring does not have: import the maker's key, "
                "give --key FILE, or add --no-verify to go without"
            )
        _require_gpg(signature, words, fingerprint)
        return
    with tempfile.TemporaryDirectory(prefix="keyring-") as home:
        status, _ = _run([program, "--homedir", home, "--batch", "--import", str(_key_file(key))])
        if status:
            raise ConfigurationError(
                f"{key} holds no GPG public key: export it with `gpg --export`"
            )
        words = _gpg_words(program, signature, sums, "--homedir", home)
        _require_good(signature, words)  # by whoever is in the named file


def _gpg_words(program: str, signature: Path, sums: Path, *options: str) -> list[list[str]]:
    """The lines of gpg's own report, which it makes for programs."""
    command = [
        program,
        *options,
        "--batch",
        "--status-fd",
        "1",
        "--verify",
        str(signature),
        str(sums),
    ]
    _, text = _run(command)
    return [line.split()[1:] for line in text.splitlines() if line.startswith("[GNUPG:] ")]


def _require_gpg(signature: Path, words: list[list[str]], fingerprint: str) -> None:
    """Raises: VerificationError: it is not good, or not by that key, or by one that is not trusted."""
    signer = _require_good(signature, words)
    if fingerprint:
        if fingerprint not in signer:
            raise VerificationError(
                f"{signature.name} is by {signer[-1]}, not by {fingerprint}: {_REFUSED}"
            )
    elif not any(line[0] in _TRUSTED for line in words):
        raise VerificationError(
            f"{signature.name} is by {signer[-1]}, whom your keyring does not trust: if that is the maker, "
            f"give --key {signer[-1]}"
        )


def _require_good(signature: Path, words: list[list[str]]) -> tuple[str, str]:
    signer = _signer(words)
    if signer is None:
        raise VerificationError(f"{signature.name} is not good: {_REFUSED}")
    return signer


def _signer(words: list[list[str]]) -> tuple[str, str] | None:
    """Fingerprints of the key and its primary key; None unless exactly one signature is there and good."""
    valid = [line for line in words if line[0] == "VALIDSIG"]
    if len(valid) != 1 or not _has(words, "GOODSIG"):
        return None
    return valid[0][1], valid[0][-1]


def _has(words: list[list[str]], name: str) -> bool:
    return any(line[0] == name for line in words)


def _key_file(key: str) -> Path:
    if not Path(key).is_file():
        raise ConfigurationError(f"--key {key}: there is no such file, and it is no key either")
    return Path(key)


def _program(name: str, signature: Path) -> str:
    found = shutil.which(name)
    if found is None:
        package = "gnupg" if name == "gpg" else name
        raise NotVerifiableError(
            f"{signature.name} cannot be checked without {name}: apt-get install {package}, "
            "or add --no-verify to go without"
        )
    return found


def _run(command: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout
