"""What is made of cve-check's report."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.system.releasing.cve_report import issue, package, write_report
from tools.system.releasing.known_weaknesses import Report, notes


def test_open_ones_by_severity_worst_first(tmp_path: Path) -> None:
    file = write_report(
        tmp_path / "report.json",
        package(
            "openssl",
            "3.2.6",
            issue("CVE-2026-0001", scorev3="5.3"),
            issue("CVE-2026-0002", scorev3="9.8"),
            issue("CVE-2026-0003", "Patched", scorev3="9.9"),
            issue("CVE-2026-0004", "Ignored", scorev3="9.9"),
        ),
        package("linux-raspberrypi", "1_6.12.93+git", issue("CVE-2026-0005")),
        package("zlib", "1.3.1"),
    )
    report = Report.read(file)
    assert report is not None
    assert [one.identifier for one in report.open] == [
        "CVE-2026-0002",
        "CVE-2026-0001",
        "CVE-2026-0005",
    ]
    assert report.summary() == (
        "The image's recipes (3) have open weaknesses (CVE): 1 critical, 1 medium, 1 unrated."
    )
    text = notes(report, "x.cve.json")
    assert "| CVE-2026-0002 | 9.8 critical | openssl 3.2.6 |" in text
    assert "CVE-2026-0003" not in text


@pytest.mark.parametrize(
    ("scores", "severity"),
    [
        ({"scorev4": "9.3", "scorev3": "5.0"}, "critical"),
        ({"scorev3": "7.0"}, "high"),
        ({"scorev3": "6.9"}, "medium"),
        ({"scorev3": "0.1"}, "low"),
        ({"scorev2": "10.0"}, "high"),
        ({"scorev3": None}, "unrated"),
    ],
)
def test_the_newest_rating_counts(tmp_path: Path, scores: dict[str, str], severity: str) -> None:
    file = write_report(tmp_path / "r.json", package("a", "1", issue("CVE-2026-1", **scores)))
    report = Report.read(file)
    assert report is not None
    assert [one.severity for one in report.open] == [severity]


def test_a_report_without_recipes_is_no_all_clear(tmp_path: Path) -> None:
    """cve-check writes it where it had no database."""
    report = Report.read(write_report(tmp_path / "report.json"))
    assert report is None
    assert "was not checked" in notes(report, "x")
    assert "--option cve-check" in notes(report, "x")


def test_nothing_open(tmp_path: Path) -> None:
    report = Report.read(write_report(tmp_path / "report.json", package("zlib", "1.3.1")))
    assert report is not None
    assert report.summary().endswith("have no open weakness (CVE).")
    assert "|" not in notes(report, "x")


def test_a_long_list_is_cut_where_the_worst_are_named(tmp_path: Path) -> None:
    issues = [issue(f"CVE-2026-{number}", scorev3=f"{number / 10}") for number in range(10, 100)]
    report = Report.read(write_report(tmp_path / "report.json", package("linux", "6", *issues)))
    assert report is not None
    text = notes(report, "x")
    assert "CVE-2026-99 " in text
    assert "CVE-2026-59 " not in text
    assert "And 50 with lower scores." in text


@pytest.mark.parametrize("text", ["", "[]", '{"package": [{"name": "a"}]}', '{"package": [1]}'])
def test_something_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "report.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="is no report of cve-check"):
        Report.read(file)
