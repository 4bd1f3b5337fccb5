"""Whom to trust at the other end of an encrypted connection."""

from __future__ import annotations

import ssl
from pathlib import Path

from rtap.errors import ConfigurationError


def trust(parameter: str, ca_file: Path | None) -> ssl.SSLContext:
    """What checks the other end by certificates.

    Args:
        parameter: what names the file, for the message.
        ca_file: certificates in PEM; None: the system's.

    Raises:
        ConfigurationError: the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:  # SSLError is one
        raise ConfigurationError(
            f"{parameter}: {ca_file} cannot be used ({error.strerror or error}): "
            "name a file with certificates in PEM"
        ) from error
