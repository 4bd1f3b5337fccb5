"""The container's HEALTHCHECK: exit status 0 when port 8080 says that transcripts are to be had.

It runs every half minute on a small processor, so it asks with a bare socket: `python -I -S health.py`
loads next to nothing.
"""

import socket
import sys

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 9.0
"""Docker waits a second longer, so the reason is told by this program."""


def main(argv: list[str]) -> int:
    """Ask the port that is given, or 8080."""
    port = int(argv[0]) if argv else 8080
    answer = b""
    try:
        with socket.create_connection((HOST, port), TIMEOUT_SECONDS) as connection:
            connection.sendall(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            while block := connection.recv(4096):
                answer += block
    except OSError as error:
        print(f"port {port}: {error}")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    print(body.decode(errors="replace"))
    return 0 if head.split(b" ")[1:2] == [b"200"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
