"""conf/compose*.yaml: what Compose would take, and what the architecture asks of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from rtap import __version__
from rtap.config import Config
from rtap.config.loader import SOURCE_PROFILES, UnifiedConfigLoader
from tests.operations.programs import CONF, check
from tests.operations.promql import rules
from tools.commands.build_container import NAME
from tools.system.container.image_config import ENVIRONMENT, HEALTH_COMMAND
from tools.system.container.root_files import USER_ID

BASE: Final = CONF / "compose.yaml"
OVERLAYS: Final = (CONF / "compose.scale.yaml", CONF / "compose.microphone.yaml")
RTAP: Final = ("rtap-main", "rtap-standby", "rtap-worker")
SEED_PORTS: Final = {
    "rtap-main": {6552, 6553, 5802, 8080},
    "rtap-standby": {7552, 7553, 6802, 8081},
}
GIGABYTES: Final = {"rtap-main": "2g", "rtap-standby": "1g", "rtap-worker": "1g"}
CORES: Final = {"rtap-main": 2, "rtap-standby": 1, "rtap-worker": 1}


class Loader(yaml.SafeLoader):
    """Knows Compose's tag for what takes the place of the base's."""


def _override(loader: Loader, node: yaml.SequenceNode) -> list[Any]:
    return list(loader.construct_sequence(node))


Loader.add_constructor("!override", _override)


def document(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(file.read_text(), Loader)
    return content


def services() -> dict[str, dict[str, Any]]:
    """Of the base and the scale-out, without what the latter only changes."""
    base: dict[str, dict[str, Any]] = document(BASE)["services"]
    scale: dict[str, dict[str, Any]] = document(OVERLAYS[0])["services"]
    return base | {name: one for name, one in scale.items() if name not in base}


SERVICES: Final = services()


def plain(text: str) -> str:
    """With the defaults of all variables."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def published(service: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Address and port on the host, and port in the container."""
    found = []
    for entry in service.get("ports", ()):
        host, outside, inside = plain(entry).removesuffix("/udp").split(":")
        found.append((host, int(outside), int(inside)))
    return found


def profile(name: str) -> Config:
    """What an instance is configured to, in its container."""
    environment = {
        key: plain(value) for key, value in SERVICES[name].get("environment", {}).items()
    }
    loader = UnifiedConfigLoader([SOURCE_PROFILES], environment)
    return loader.load(file=CONF / f"compose/{name}.yaml")


@pytest.mark.parametrize("file", [BASE, *OVERLAYS], ids=lambda file: file.name)
def test_compose_would_take_it(file: Path, tmp_path: Path) -> None:
    made = tmp_path / "compose.json"
    made.write_text(json.dumps(document(file)))
    check(
        Path(sys.executable).with_name("check-jsonschema"),
        *("--builtin-schema", "vendor.compose-spec", str(made)),
    )


def test_docker_compose_takes_it() -> None:
    docker = shutil.which("docker")
    asked = [docker or "false", "compose", "version"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("Docker Compose 2 is not installed, and Debian 12 has no package of it")
    files = [option for file in (BASE, *OVERLAYS) for option in ("--file", str(file))]
    check("docker", "compose", *files, "config", "--quiet")


def test_all_services_are_there() -> None:
    assert set(document(BASE)["services"]) == {
        *("rtap-main", "rtap-standby", "rtap-monitoring", "rtap-logs", "rtap-dashboard"),
        *("rtap-alerts", "rtap-log-collector"),
    }
    assert set(SERVICES) - set(document(BASE)["services"]) == {"rtap-worker", "rtap-balancer"}


# --- the service and its standby ---


@pytest.mark.parametrize("name", ["rtap-main", "rtap-standby"])
def test_the_ports_are_those_that_it_listens_on(name: str) -> None:
    output = profile(name).output
    listening = {
        *(output.http_port, output.websocket_port, output.health_port, output.wyoming_port),
        *(output.zmq_pub_port_events, output.zmq_pub_port_transcripts),
    }
    ports = published(SERVICES[name])
    assert {inside for _, _, inside in ports} == listening
    assert all(outside == inside for _, outside, inside in ports)
    assert listening >= SEED_PORTS[name]


def test_they_find_each_other_inside_the_network() -> None:
    main, standby = profile("rtap-main"), profile("rtap-standby")
    assert (main.standby.role, standby.standby.role) == ("primary", "standby")
    assert standby.standby.primary == "rtap-main"
    assert standby.standby.port == main.standby.port
    # Nobody outside has a say in who publishes.
    everywhere = {inside for one in SERVICES.values() for _, _, inside in published(one)}
    assert main.standby.port not in everywhere
    assert profile("rtap-worker").standby.role == "none"


@pytest.mark.parametrize("name", RTAP)
def test_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"] == service["memswap_limit"] == GIGABYTES[name]
    assert service["cpus"] == CORES[name]
    assert service["environment"]["ONNX_NUM_THREADS"] == str(CORES[name])


def test_the_alert_knows_the_cores() -> None:
    recorded = {
        rule["labels"]["instance"]: rule["expr"]
        for rule in rules()
        if rule.get("record") == "rtap:cores"
    }
    assert recorded == {name: f"vector({cores})" for name, cores in CORES.items() if cores != 1}


@pytest.mark.parametrize("name", RTAP)
def test_the_image_is_ours(name: str) -> None:
    service = SERVICES[name]
    assert plain(service["image"]) == f"{NAME}:{__version__}"
    assert service["pull_policy"] == "never"
    assert service["user"] == str(USER_ID)
    assert service["command"] == ["serve", "--file", f"/etc/rtap/compose/{name}.yaml"]
    assert "./compose:/etc/rtap/compose:ro" in service["volumes"]
    # In a container, that is for others to reach it; they reach localhost only.
    assert profile(name).output.host == "0.0.0.0"


@pytest.mark.parametrize("name", RTAP)
def test_health_is_asked_for_every_half_minute(name: str) -> None:
    check_of = SERVICES[name]["healthcheck"]
    assert check_of["test"] == ["CMD", *HEALTH_COMMAND, str(profile(name).output.health_port)]
    assert check_of["interval"] == "30s"


@pytest.mark.parametrize("name", RTAP)
def test_audio_touches_no_disk(name: str) -> None:
    service = SERVICES[name]
    assert all(volume.endswith(":ro") for volume in service["volumes"])
    assert {mount.partition(":")[0] for mount in service["tmpfs"]} == {"/tmp", "/app/cache"}
    assert profile(name).logging.transcripts is False


def test_the_microphone_is_for_those_who_publish() -> None:
    overlay = document(OVERLAYS[1])["services"]
    assert set(overlay) == {"rtap-main", "rtap-standby"}
    for service in overlay.values():
        assert service["devices"] == ["/dev/snd:/dev/snd"]
        assert service["environment"] == {"RTAP_AUDIO_SOURCE": "microphone"}
    assert {profile(name).audio.source for name in RTAP} == {"none"}
    chosen = UnifiedConfigLoader([SOURCE_PROFILES], {"RTAP_AUDIO_SOURCE": "microphone"})
    for name in overlay:
        assert chosen.load(file=CONF / f"compose/{name}.yaml").audio.source == "microphone"


# --- security, of all ---


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] <= 256
    assert int(service["user"].partition(":")[0]) > 0
    assert service["restart"] == "unless-stopped"
    assert {"mem_limit", "cpus", "healthcheck", "logging"} <= set(service)
    forbidden = {"privileged", "cap_add", "network_mode", "pid", "devices", "ipc", "extra_hosts"}
    assert forbidden & set(service) == set()
    assert "docker.sock" not in json.dumps(service)


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned(name: str) -> None:
    tag = plain(SERVICES[name]["image"]).rpartition(":")[2]
    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-alpine)?", tag)


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_reached_but_from_this_computer(name: str) -> None:
    assert {host for host, _, _ in published(SERVICES[name])} <= {"127.0.0.1"}
    assert SERVICES[name]["networks"] == ["rtap"]


def test_the_network_is_the_seeds_and_leads_nowhere() -> None:
    network = document(BASE)["networks"]["rtap"]
    assert network["driver"] == "bridge"
    assert network["driver_opts"] == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    [addresses] = network["ipam"]["config"]
    assert addresses["subnet"] == "172.20.0.0/16"
    assert ip_address(addresses["gateway"]) in ip_network(addresses["subnet"])
    # From there comes a browser on this computer.
    assert addresses["gateway"] in (CONF / "haproxy/haproxy.cfg").read_text()


def test_no_two_services_want_one_port() -> None:
    for overlay in (None, OVERLAYS[0]):
        merged = dict(document(BASE)["services"])
        for name, service in (document(overlay)["services"] if overlay else {}).items():
            merged[name] = merged.get(name, {}) | service
        outside = [port for one in merged.values() for _, port, _ in published(one)]
        assert len(outside) == len(set(outside))


def test_scaling_out_moves_no_port_of_the_service_but_one() -> None:
    before = published(document(BASE)["services"]["rtap-main"])
    after = published(document(OVERLAYS[0])["services"]["rtap-main"])
    assert set(before) - set(after) == {("127.0.0.1", 8000, 8000)}
    assert set(after) - set(before) == {("127.0.0.1", 8002, 8000)}
    assert ("127.0.0.1", 8000, 8000) in published(SERVICES["rtap-balancer"])
    assert "!override" in OVERLAYS[0].read_text()


def test_nobody_knows_the_password() -> None:
    content = document(BASE)
    environment = content["services"]["rtap-dashboard"]["environment"]
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_admin_password"
    assert not any(name.endswith("PASSWORD") for name in environment)
    file = CONF / plain(content["secrets"]["grafana_admin_password"]["file"])
    ignored = subprocess.run(
        ["git", "check-ignore", "--quiet", "--no-index", file], cwd=CONF, check=False
    )
    assert ignored.returncode == 0


# --- what they mount, and who asks whom ---


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_exists(name: str) -> None:
    named = set(document(BASE)["volumes"])
    for volume in SERVICES[name].get("volumes", ()):
        source, target, *mode = plain(volume).split(":")
        if source in named:
            assert not mode
            continue
        assert mode == ["ro"]
        # `make model` makes the folder of models, in the user's home.
        assert source == "~/.local/share/rtap/models" or (CONF / source).exists()
        assert target.startswith("/")
    for argument in SERVICES[name].get("command", ()):
        if argument.startswith(("--config.file=", "-config.file=")):
            inside = argument.partition("=")[2]
            assert (CONF / _outside(SERVICES[name], inside)).is_file()


@pytest.mark.parametrize("name", ["rtap-main", "rtap-standby", "rtap-worker"])
def test_models_are_mounted_where_the_image_looks_for_them(name: str) -> None:
    mounted = [plain(volume).split(":")[1] for volume in SERVICES[name]["volumes"]]
    assert ENVIRONMENT["MODELS_DIR"] in mounted


def _outside(service: dict[str, Any], inside: str) -> str:
    """The file of the checkout that a container sees under a path."""
    for volume in service["volumes"]:
        source, target, *_ = plain(volume).split(":")
        if inside.startswith(f"{target}/"):
            return str(source) + inside.removeprefix(target)
    raise AssertionError(f"{inside} is not mounted")


def test_prometheus_asks_the_service_where_it_tells() -> None:
    configuration = yaml.safe_load((CONF / "prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in configuration["scrape_configs"]}
    targets = {
        target: group["labels"]
        for group in jobs["rtap"]["static_configs"]
        for target in group["targets"]
    }
    for name, role in {"rtap-main": "primary", "rtap-standby": "standby"}.items():
        address = f"{name}:{profile(name).output.health_port}"
        assert targets.pop(address) == {"instance": name, "role": role}
    assert not targets
    [workers] = jobs["rtap-worker"]["dns_sd_configs"]
    assert workers["names"] == ["rtap-worker"]
    assert workers["port"] == profile("rtap-worker").output.health_port
    known = set(SERVICES)
    asked = {
        target.partition(":")[0]
        for job in jobs.values()
        for group in job.get("static_configs", ())
        for target in group["targets"]
    }
    assert asked - {"localhost"} <= known


def test_the_balancer_asks_the_workers() -> None:
    configuration = (CONF / "haproxy/haproxy.cfg").read_text()
    [instances] = re.findall(r"presetenv RTAP_INSTANCES +(\S+)", configuration)
    assert instances == f"rtap-worker:{profile('rtap-worker').output.http_port}"
    assert SERVICES["rtap-worker"]["scale"] <= int(
        re.findall(r"server-template rtap (\d+)", configuration)[0]
    )


def test_the_log_goes_where_the_collector_listens() -> None:
    [(_, outside, inside)] = published(SERVICES["rtap-log-collector"])
    assert f'"0.0.0.0:{inside}"' in (CONF / "loki/alloy.config").read_text()
    for name, service in SERVICES.items():
        if name == "rtap-log-collector":
            assert service["logging"]["driver"] == "local"
            continue
        options = service["logging"]["options"]
        assert plain(options["syslog-address"]) == f"udp://127.0.0.1:{outside}"


# --- what the integrator reads ---


def test_the_readme_names_every_service_port_and_alert() -> None:
    readme = (CONF / "README.md").read_text()
    [ports] = re.findall(r"## Ports\n(.*?)\n## ", readme, re.DOTALL)
    for name, service in SERVICES.items():
        if name == "rtap-worker":
            continue
        [row] = [line for line in ports.splitlines() if line.startswith(f"| `{name}`")]
        for _, outside, _ in published(service):
            assert re.search(rf"\b{outside}\b", row), outside
    logs = yaml.safe_load((CONF / "loki/rules/fake/rtap.yaml").read_text())
    alerts = [rule for rule in rules() if "alert" in rule]
    alerts += [rule for group in logs["groups"] for rule in group["rules"]]
    for rule in alerts:
        level = rule["labels"]["severity"]
        [row] = [line for line in readme.splitlines() if line.startswith(f"| {level} |")]
        assert f"`{rule['alert']}`" in row
