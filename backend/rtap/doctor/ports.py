"""Whether the service can listen on its ports."""

from __future__ import annotations

from collections.abc import Iterable

from rtap.config import Config, OutputConfig
from rtap.config.listeners import Endpoint, listeners
from rtap.doctor.finding import Finding
from rtap.doctor.packages import require_packages
from rtap.errors import TransportError


def check_ports(config: Config) -> Finding:
    """Whether everything can listen that is configured to."""
    require_packages()
    from rtap.server import PortInUseError, bind

    wanted = listeners(config)
    taken = []
    for endpoint in wanted:
        try:
            bind(endpoint).close()
        except PortInUseError:
            taken.append(endpoint)
        except TransportError as error:
            return Finding("problem", str(error))
    ports = ", ".join(f"{endpoint.port} ({endpoint.name})" for endpoint in taken)
    if not taken:
        return Finding("ok", f"{_by_host(wanted)} are free")
    if _service_answers(config.output):
        return Finding("ok", f"the service is running, and has {ports}")
    fix = "`ss -ltnp` shows the program: stop it, or change the setting"
    return Finding("problem", f"in use: {ports}", fix)


def _by_host(endpoints: Iterable[Endpoint]) -> str:
    ports: dict[str, list[str]] = {}
    for endpoint in endpoints:
        ports.setdefault(endpoint.host, []).append(str(endpoint.port))
    return " and ".join(f"{', '.join(numbers)} on {host}" for host, numbers in ports.items())


def _service_answers(output: OutputConfig) -> bool:
    """Whether what holds the ports is this service."""
    import http.client

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(output.host, output.host)  # noqa: S104 (nothing binds)
    connection = http.client.HTTPConnection(host, output.health_port, timeout=2)
    try:
        connection.request("GET", "/metrics")
        return b"rtap_" in connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
