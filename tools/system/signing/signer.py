"""Signs SHA256SUMS."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.process.programs import require
from tools.system.signing.checksums import NAME
from tools.system.signing.signature import GPG, MINISIGN

_STANDARD_ERROR: Final = 2
_MINISIGN_KEY: Final = Path.home() / ".minisign/minisign.key"
"""Where minisign itself puts it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, found before any work is done.

    Args:
        key: file of a minisign secret key.
        gpg: ID of a GPG key instead.
    """

    key: Path | None = None
    gpg: str | None = None

    @classmethod
    def find(cls, key: str | None, gpg: str | None) -> Signer:
        """Raises: ConfigurationError: there is no such key, or no program for it."""
        if gpg is not None:
            program = require("gpg", "gnupg")
            command = [program, "--batch", "--list-secret-keys", gpg]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                raise ConfigurationError(
                    f"--gpg {gpg}: there is no such secret key; `gpg --list-secret-keys` shows yours"
                )
            return cls(gpg=gpg)
        file = Path(key) if key else _MINISIGN_KEY
        if not file.is_file():
            raise ConfigurationError(
                f"no signing key {file}: make one with `minisign -G`, name another with --key FILE or "
                "--gpg KEYID, or add --unsigned, which tools/flash refuses without --no-verify"
            )
        require("minisign", "minisign")
        return cls(key=file)

    def sign(self, folder: Path, comment: str) -> Path:
        """Write the signature; the programs may ask for a password on the terminal.

        Args:
            comment: signed with it, where the kind of signature allows that.

        Raises:
            ConfigurationError: the program fails.
        """
        sums = folder / NAME
        if self.gpg is not None:
            signature = folder / GPG[0]
            chosen = ["--local-user", self.gpg, "--output", str(signature)]
            command = ["gpg", "--yes", "--armor", *chosen, "--detach-sign", str(sums)]
        else:
            signature = folder / MINISIGN
            files = ["-s", str(self.key), "-x", str(signature), "-m", str(sums)]
            # minisign's own comment has the time in it; with ours the same release has the same signature.
            command = ["minisign", "-S", *files, "-t", comment, "-c", comment]
        done = subprocess.run(command, stdout=_STANDARD_ERROR, check=False)
        if done.returncode or not signature.is_file():
            raise ConfigurationError(
                f"{command[0]} did not sign (status {done.returncode}): is the key's password right?"
            )
        return signature
