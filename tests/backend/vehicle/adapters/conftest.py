"""What tests of several adapters share."""

import subprocess
from pathlib import Path

import pytest

from tools.process.ports import HOST


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cert.pem, of a broker on this machine and of who signed it, and with its key.pem."""
    place = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker"),
            *("-days", "2", "-keyout", f"{place}/key.pem", "-out", f"{place}/cert.pem"),
            *("-addext", f"subjectAltName=IP:{HOST}"),
            *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
        ],
        check=True,
        capture_output=True,
    )
    return place
