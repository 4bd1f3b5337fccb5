"""The report of OpenEmbedded's cve-check: which known weaknesses are open in the image's recipes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rtap.errors import ConfigurationError

OPTION: Final = "make image IMAGE_ARGS='--option cve-check'"
_BANDS: Final = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))
"""CVSS's own, versions 3 and 4; https://nvd.nist.gov/vuln-metrics/cvss."""
_UNRATED: Final = "unrated"
_LISTED: Final = 40
"""Lines in the release notes; a kernel alone may have hundreds."""


@dataclass(frozen=True, slots=True, order=True)
class Weakness:
    """One that is open."""

    score: float
    """CVSS, 0 to 10; 0: nobody has rated it yet."""
    severity: str
    identifier: str
    recipe: str
    version: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, and what is open, worst first."""

    recipes: int
    open: tuple[Weakness, ...]

    @classmethod
    def read(cls, file: Path) -> Report | None:
        """None: nothing was checked, because the build had no database.

        Raises:
            ConfigurationError: the file is not of cve-check's form.
        """
        try:
            packages = json.loads(file.read_text(encoding="utf-8"))["package"]
            found = [
                _weakness(package, issue)
                for package in packages
                for issue in package["issue"]
                if issue["status"] == "Unpatched"
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"{file} is no report of cve-check ({type(error).__name__}): `{OPTION}` makes it anew"
            ) from error
        if not packages:
            return None
        found.sort(key=lambda one: (-one.score, one.recipe, one.identifier))
        return cls(len(packages), tuple(found))

    def summary(self) -> str:
        """How many are open of each severity, in one sentence."""
        if not self.open:
            return f"The image's recipes ({self.recipes}) have no open weakness (CVE)."
        count = Counter(one.severity for one in self.open)
        names = [name for _, name in _BANDS] + [_UNRATED]
        parts = ", ".join(f"{count[name]} {name}" for name in names if count[name])
        return f"The image's recipes ({self.recipes}) have open weaknesses (CVE): {parts}."


def notes(report: Report | None, file_name: str) -> str:
    """The section of the release notes.

    Args:
        report: None where nothing was checked.
        file_name: of the report in the release.
    """
    lines = ["## Known weaknesses", ""]
    if report is None:
        return "\n".join([*lines, not_checked(), ""])
    lines += [_explained(report, file_name), ""]
    if report.open:
        lines += ["| CVE | CVSS | recipe |", "|---|---|---|"]
    lines += [
        f"| {one.identifier} | {one.score:.1f} {one.severity} | {one.recipe} {one.version} |"
        for one in report.open[:_LISTED]
    ]
    if len(report.open) > _LISTED:
        lines += ["", f"And {len(report.open) - _LISTED} with lower scores."]
    return "\n".join(lines).rstrip() + "\n"


def not_checked() -> str:
    """What is said where there is no report, or an empty one."""
    return (
        "The image was not checked for known weaknesses (CVE): "
        f"`{OPTION}` checks it, with network or a database in DL_DIR."
    )


def _explained(report: Report, file_name: str) -> str:
    return (
        f"{report.summary()} `{file_name}` has all of them. The version alone decides there, so some do not "
        "concern this device. The container's packages stand in its bill of materials and were not checked."
    )


def _weakness(package: dict[str, Any], issue: dict[str, Any]) -> Weakness:
    # Unrated is "0.0"; the newest version of CVSS that somebody rated by is taken.
    scores = {version: float(issue.get(f"score{version}") or 0) for version in ("v4", "v3", "v2")}
    version = next((one for one, score in scores.items() if score), "v2")
    severity = next((name for floor, name in _BANDS if scores[version] >= floor), _UNRATED)
    if version == "v2" and severity == "critical":
        severity = "high"  # version 2 has none above
    return Weakness(
        scores[version], severity, issue["id"], package["name"], package["version"].strip()
    )
