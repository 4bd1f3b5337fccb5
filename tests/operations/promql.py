"""Expressions of Prometheus, as far as to say which metrics and labels they name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from tests.operations.programs import CONF

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_RANGE: Final = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR: Final = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?(?!\w)\s*(?!\()")
_FUNCTION: Final = re.compile(r"[a-zA-Z_][\w]*\s*\(")
_WORDS: Final = frozenset({"and", "or", "unless", "bool", "by", "on", "sum", "count"})
_IN_LEGEND: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Named:
    """What one expression names."""

    selectors: tuple[tuple[str, frozenset[str]], ...]
    """Each metric, and the labels that it is chosen by."""
    grouping: frozenset[str]
    """Labels after by, on and the like."""


@dataclass(frozen=True)
class Query:
    """One expression, and where it stands."""

    place: str
    expression: str
    legend: frozenset[str] = field(default=frozenset())
    """Labels that are shown."""


def named(expression: str) -> Named:
    """The metrics and labels of an expression that promtool takes."""
    rest = _RANGE.sub(" ", _STRING.sub('""', expression))
    grouping = {
        label.strip()
        for match in _GROUPING.finditer(rest)
        for label in match[1].split(",")
        if label.strip()
    }
    rest = _GROUPING.sub(" ", rest)
    rest = _FUNCTION.sub("(", rest)
    selectors = []
    for match in _SELECTOR.finditer(rest):
        if match[1] not in _WORDS:
            chosen = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", match[2] or "")
            selectors.append((match[1], frozenset(chosen)))
    return Named(tuple(selectors), frozenset(grouping))


def rules() -> list[dict[str, Any]]:
    """All rules, those that record included."""
    document = yaml.safe_load((CONF / "prometheus/rtap.rules.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def queries() -> Iterator[Query]:
    """All expressions of rules and dashboards that are Prometheus'."""
    for rule in rules():
        shown = re.findall(r"\$labels\.(\w+)", str(rule.get("annotations", "")))
        yield Query(rule.get("alert") or rule["record"], rule["expr"], frozenset(shown))
    for file in sorted((CONF / "grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", ()):
                if target["datasource"]["type"] == "prometheus":
                    yield Query(
                        f"{file.stem}: {panel['title']}",
                        target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*"),
                        frozenset(_IN_LEGEND.findall(target["legendFormat"])),
                    )


def metrics_named(prefix: str) -> set[str]:
    """Names of all metrics of one program that rules and dashboards ask for."""
    return {
        name
        for query in queries()
        for name, _ in named(query.expression).selectors
        if name.startswith(prefix)
    }
