"""Throw-away keys of both kinds, and signatures by them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def make_minisign_key(folder: Path, name: str) -> tuple[Path, Path]:
    """Secret and public key, without a password."""
    if shutil.which("minisign") is None:
        pytest.skip("minisign is not installed")
    secret, public = folder / f"{name}.key", folder / f"{name}.pub"
    command = ["minisign", "-G", "-W", "-f", "-s", str(secret), "-p", str(public)]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return secret, public


def gpg(home: Path, *arguments: str) -> str:
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    command = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def make_gpg_key(home: Path, name: str) -> str:
    """Its fingerprint."""
    home.mkdir(mode=0o700, exist_ok=True)
    gpg(home, "--passphrase", "", "--quick-generate-key", name, "ed25519", "sign", "never")
    lines = gpg(home, "--with-colons", "--list-keys", name).splitlines()
    return next(line.split(":")[9] for line in lines if line.startswith("fpr"))


def stop_gpg(home: Path) -> None:
    """Its agent would outlive the test."""
    if shutil.which("gpgconf"):
        command = ["gpgconf", "--homedir", str(home), "--kill", "all"]
        subprocess.run(command, capture_output=True, check=False)
