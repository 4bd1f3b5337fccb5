"""The programs themselves take the committed files, and each alert was tried both ways."""

from __future__ import annotations

from typing import Any, Final

import pytest
import yaml

from rtap.config import Config
from tests.operations.programs import CONF, check, require
from tests.operations.promql import rules

RULE_TESTS: Final = CONF / "prometheus/rtap.rules.test.yml"
RULE_CASES: Final = [
    case
    for one in yaml.safe_load(RULE_TESTS.read_text())["tests"]
    for case in one["alert_rule_test"]
]
ALERTS: Final = [rule for rule in rules() if "alert" in rule]


def test_prometheus_takes_its_configuration() -> None:
    said = check(require("promtool"), "check", "config", CONF / "prometheus/prometheus.yml")
    assert f"{len(rules())} rules found" in said


def test_the_alerts_fire_when_they_have_to_and_at_no_other_time() -> None:
    assert "SUCCESS" in check(require("promtool"), "test", "rules", RULE_TESTS)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_is_tried_both_ways(rule: dict[str, Any]) -> None:
    cases = [case for case in RULE_CASES if case["alertname"] == rule["alert"]]
    assert any(case.get("exp_alerts") for case in cases)
    assert any(not case.get("exp_alerts") for case in cases)
    assert set(rule["annotations"]) == {"summary", "description"}


def test_the_levels_are_as_specified() -> None:
    levels = {rule["alert"]: rule["labels"]["severity"] for rule in ALERTS}
    assert levels["RtapLatencyHigh"] == levels["RtapDown"] == "critical"
    assert levels["RtapMemoryGrowth"] == levels["RtapCpuHigh"] == "warning"
    assert levels["RtapThroughputHigh"] == levels["RtapConfigurationChanged"] == "info"
    [down] = [rule for rule in ALERTS if rule["alert"] == "RtapDown"]
    assert down["for"] == "30s"
    [latency] = [rule for rule in ALERTS if rule["alert"] == "RtapLatencyHigh"]
    assert "rtap:silence_seconds > 0.2" in latency["expr"]


def test_the_silence_that_is_no_slowness_is_the_configured_one() -> None:
    [rule] = [rule for rule in rules() if rule.get("record") == "rtap:silence_seconds"]
    assert rule["expr"] == f"vector({Config().vad.min_silence_ms / 1000})"


def test_alertmanager_takes_its_configuration() -> None:
    file = CONF / "alertmanager/alertmanager.yml"
    amtool = require("amtool")
    assert "SUCCESS" in check(amtool, "check-config", file)
    for severity in ("critical", "warning", "info"):
        route = (amtool, "config", "routes", "test", f"--config.file={file}")
        assert check(*route, f"severity={severity}").split()[0] == severity


def test_haproxy_takes_its_configuration() -> None:
    check(require("haproxy"), "-c", "-f", CONF / "haproxy/haproxy.cfg")


def test_loki_sends_alerts_where_prometheus_does() -> None:
    loki = yaml.safe_load((CONF / "loki/loki.yaml").read_text())
    prometheus = yaml.safe_load((CONF / "prometheus/prometheus.yml").read_text())
    [manager] = prometheus["alerting"]["alertmanagers"]
    [target] = manager["static_configs"][0]["targets"]
    assert loki["ruler"]["alertmanager_url"] == f"http://{target}"
    grafana = yaml.safe_load((CONF / "grafana/provisioning/alerting/alerting.yaml").read_text())
    [point] = grafana["contactPoints"]
    assert point["receivers"][0]["settings"]["url"] == f"http://{target}"
    # Whose folder it is: the only tenant's, where nobody has to say who he is.
    assert loki["auth_enabled"] is False
    assert [path.name for path in (CONF / "loki/rules").iterdir()] == ["fake"]
