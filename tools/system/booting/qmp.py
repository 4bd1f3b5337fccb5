"""QEMU's control socket."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any, Final

from tools.system.booting.boot_error import BootError

_SECONDS: Final = 60.0
"""QEMU answers between two instructions of the guest; a busy host makes that long."""


class QemuControl:
    """Speaks QMP.

    Args:
        line: connected to QEMU.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._stream = line.makefile("rb")

    def greet(self) -> None:
        """Wait until QEMU is there.

        Raises:
            BootError: it is not.
        """
        self._line.settimeout(_SECONDS)
        with self._lock:
            self._answer("greeting", "QMP")
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> Any:
        """Run a command and return its result.

        Raises:
            BootError: it failed, or QEMU has ended.
        """
        request = {"execute": command, "arguments": arguments}
        with self._lock:
            try:
                self._line.sendall(json.dumps(request).encode() + b"\n")
            except OSError as error:
                raise BootError(f"QEMU has ended before `{command}`: start it again") from error
            return self._answer(command, "return")

    def close(self) -> None:
        """Let go of the socket."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._line.close()

    def _answer(self, command: str, key: str) -> Any:
        """The next message that is an answer; events come between."""
        try:
            for line in self._stream:
                message = json.loads(line)
                if "error" in message:
                    raise BootError(f"QEMU refuses `{command}`: {message['error'].get('desc')}")
                if key in message:
                    return message[key]
        except OSError as error:
            raise BootError(f"QEMU does not answer to `{command}`: start it again") from error
        raise BootError(f"QEMU has ended before it answered to `{command}`: start it again")
