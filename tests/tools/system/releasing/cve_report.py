"""A report as OpenEmbedded's cve-check writes it, scarthgap and kirkstone alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def issue(identifier: str, status: str = "Unpatched", **scores: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "summary": "A summary\nof two lines.",
        "scorev2": "0.0",
        "scorev3": "0.0",
        "scorev4": "0.0",
        "vector": "NETWORK",
        "vectorString": "CVSS:3.1/AV:N",
        "status": status,
        "link": f"https://nvd.nist.gov/vuln/detail/{identifier}",
    } | scores


def package(name: str, version: str, *issues: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "layer": "meta",
        "version": version,
        "products": [{"product": name, "cvesInRecord": "Yes"}],
        "issue": list(issues),
    }


def write_report(file: Path, *packages: dict[str, Any]) -> Path:
    file.write_text(json.dumps({"version": "1", "package": list(packages)}, indent=2))
    return file
