"""Rules and dashboards ask for what the service really tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from rtap.telemetry import Telemetry
from tests.deadlines import SOON
from tests.operations.programs import CONF, check, require
from tests.operations.promql import Query, metrics_named, named, queries, rules
from tests.operations.rtap_instance import COMMAND, Instance, instance

QUERIES: Final = list(queries())
DASHBOARDS: Final = sorted((CONF / "grafana/dashboards").glob("*.json"))
OF_THE_TARGET: Final = frozenset({"instance", "job", "role"})
"""Labels that Prometheus adds: prometheus.yml."""
OF_OTHERS: Final = frozenset({"proxy", "server", "code"})
"""Labels of HAProxy's metrics."""
SUFFIXES: Final = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """One that has transcribed a file."""
    with instance(tmp_path_factory.mktemp("service")) as started:
        started.wait_until_healthy()
        reply = httpx.post(
            f"{started.url}/transcribe", files={"audio_file": COMMAND.read_bytes()}, timeout=SOON
        )
        assert reply.status_code == 200
        yield started


def names_of(text: str) -> set[str]:
    """All that a metrics page announces, with samples or still without."""
    names = set()
    for family in text_string_to_metric_families(text):
        suffixes = SUFFIXES.get(family.type, ("",))
        names |= {family.name.removesuffix("_total") + suffix for suffix in suffixes}
    return names


def labels_of_the_service() -> dict[str, frozenset[str]]:
    """Labels of each metric, whether it has samples yet or not."""
    registry = CollectorRegistry()
    Telemetry(registry)
    labels = {}
    for collector in registry._collector_to_names:
        assert isinstance(collector, MetricWrapperBase)
        own = set(collector._labelnames)
        for name in registry._collector_to_names[collector]:
            if name.endswith("_info"):
                own |= {"name", "precision", "version"}
            labels[name] = frozenset(own | ({"le"} if name.endswith("_bucket") else set()))
    return labels


LABELS: Final = labels_of_the_service() | {
    rule["record"]: named(rule["expr"]).grouping - {"le"} | set(rule.get("labels", {}))
    for rule in rules()
    if "record" in rule
}


@pytest.mark.slow
def test_every_metric_of_the_service_that_is_asked_for_exists(service: Instance) -> None:
    page = service.metrics()
    wanted = metrics_named("rtap_")
    assert len(wanted) > 25
    assert wanted - names_of(page) == set()
    # What the labels are held against is what the page says, as far as it says anything.
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name in LABELS and not sample.name.endswith("_info"):
                assert set(sample.labels) == LABELS[sample.name]
    info = {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name.endswith("_info")
    }
    assert {"name", "precision"} <= info["rtap_model_info"]
    assert "version" in info["rtap_build_info"]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
def test_labels_exist(query: Query) -> None:
    names = named(query.expression)
    everywhere: set[str] = set(OF_THE_TARGET)
    for metric, chosen in names.selectors:
        if metric in LABELS:
            assert chosen <= LABELS[metric] | OF_THE_TARGET, metric
            everywhere |= LABELS[metric]
        else:
            # Another program's: the tests that run it look.
            assert metric == "up" or metric.startswith(("haproxy_", "prometheus_", "alertmanager_"))
            assert chosen <= OF_OTHERS | OF_THE_TARGET
            everywhere |= OF_OTHERS if metric.startswith("haproxy_") else set()
    assert names.grouping <= everywhere
    assert query.legend <= everywhere


def test_what_an_expression_names() -> None:
    found = named(
        'sum by (a, b) (rate(x_total{c="d(e)", f=~"g{h}"}[5m] offset 1h))'
        " / on (a) group_left () y > 0.5 unless z"
    )
    assert found.selectors == (
        ("x_total", frozenset({"c", "f"})),
        ("y", frozenset()),
        ("z", frozenset()),
    )
    assert found.grouping == {"a", "b"}


def test_the_syntax_of_dashboards(tmp_path: Path) -> None:
    made = [
        {"record": f"dashboard:{number}", "expr": query.expression}
        for number, query in enumerate(QUERIES)
    ]
    file = tmp_path / "dashboards.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": made}]}))
    assert f"{len(made)} rules found" in check(require("promtool"), "check", "rules", file)


# --- Grafana, which is not run ---


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_is_whole(file: Path) -> None:
    board = json.loads(file.read_text())
    assert board["uid"] == f"rtap-{file.stem}"
    assert board["schemaVersion"] >= 39
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    known = {
        source["uid"]: source["type"]
        for source in yaml.safe_load(
            (CONF / "grafana/provisioning/datasources/datasources.yaml").read_text()
        )["datasources"]
    }
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        position = panel["gridPos"]
        cells = {
            (position["x"] + x, position["y"] + y)
            for x in range(position["w"])
            for y in range(position["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        for target in panel.get("targets", ()):
            assert known[target["datasource"]["uid"]] == target["datasource"]["type"]
            assert target["datasource"] == panel["datasource"]
    variables = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$(\w+)", json.dumps(board["panels"])))
    assert used - {"__rate_interval", "__all"} <= variables


def test_what_the_dashboards_show() -> None:
    shown = {
        file.stem: [panel["type"] for panel in json.loads(file.read_text())["panels"]]
        for file in DASHBOARDS
    }
    assert set(shown) == {"service", "standby"}
    assert all("logs" in panels and "timeseries" in panels for panels in shown.values())


def test_everything_that_the_service_tells_is_asked_for() -> None:
    registry = CollectorRegistry()
    Telemetry(registry)
    told = {family.name for family in registry.collect()}
    asked = metrics_named("rtap_")
    assert len(told) > 25
    assert {name for name in told if not any(one.startswith(name) for one in asked)} == set()


# --- Loki, which is not run ---


def log_queries() -> Iterator[str]:
    document = yaml.safe_load((CONF / "loki/rules/fake/rtap.yaml").read_text())
    for group in document["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"critical", "warning", "info"}
            yield rule["expr"]
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            if panel["type"] == "logs":
                yield from (target["expr"] for target in panel["targets"])


def test_log_queries_ask_for_labels_that_are_made() -> None:
    collector = (CONF / "loki/alloy.config").read_text()
    made = set(re.findall(r'target_label\s*=\s*"(\w+)"', collector))
    [labels] = re.findall(r"stage\.labels \{\s*values = \{(.*)\}", collector)
    made |= set(re.findall(r"(\w+) =", labels))
    assert made == {"service", "container", "level", "component"}
    found: list[Any] = list(log_queries())
    assert len(found) >= 5
    for query in found:
        [selector] = re.findall(r"\{(\w.*?)\}", query.split(" | ")[0])
        assert set(re.findall(r'(\w+)=~?"', selector)) <= made
        assert query.count("(") == query.count(")")
        assert query.count("{") == query.count("}")
