"""Whether the service can listen on its ports."""

from __future__ import annotations

from rtap.config import Config, OutputConfig
from rtap.doctor.finding import Finding
from rtap.doctor.packages import require_packages
from rtap.errors import TransportError


def check_ports(config: Config) -> Finding:
    """Whether everything can listen that is configured to."""
    require_packages()
    from rtap.server import PortInUseError, bind

    output = config.output
    settings = ["http_port", "health_port"]
    settings += ["websocket_port"] * output.websocket_enabled
    settings += ["zmq_pub_port_events", "zmq_pub_port_transcripts"] * output.zmq_enabled
    hosts = dict.fromkeys(settings, "host")
    if output.wyoming_enabled:
        hosts["wyoming_port"] = "wyoming_host"
    taken = []
    for setting, host in hosts.items():
        try:
            bind(output, setting, host).close()
        except PortInUseError:
            taken.append(setting)
        except TransportError as error:
            return Finding("problem", str(error))
    ports = ", ".join(f"{getattr(output, setting)} (output.{setting})" for setting in taken)
    if not taken:
        return Finding("ok", f"{_by_host(output, hosts)} are free")
    if _service_answers(output):
        return Finding("ok", f"the service is running, and has {ports}")
    fix = "`ss -ltnp` shows the program: stop it, or change the setting"
    return Finding("problem", f"in use: {ports}", fix)


def _by_host(output: OutputConfig, hosts: dict[str, str]) -> str:
    ports: dict[str, list[str]] = {}
    for setting, host in hosts.items():
        ports.setdefault(getattr(output, host), []).append(str(getattr(output, setting)))
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
