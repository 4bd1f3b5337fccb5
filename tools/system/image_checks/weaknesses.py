"""What cve-check makes of our recipes: without a database a warning, with one a report of what is open."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from tools.system.image_checks.masked_build import MaskedBuild
from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.releasing.known_weaknesses import Report
from tools.system.yocto.layer import layer_variables

RECIPE: Final = "voice-assistant-tuning"
OPEN: Final = "CVE-2026-99998"
_FIXED: Final = "CVE-2026-99999"
_TABLES: Final = """
CREATE TABLE META (YEAR INTEGER UNIQUE, DATE TEXT);
CREATE TABLE NVD (ID TEXT UNIQUE, SUMMARY TEXT, SCOREV2 TEXT, SCOREV3 TEXT, SCOREV4 TEXT,
    MODIFIED INTEGER, VECTOR TEXT, VECTORSTRING TEXT);
CREATE TABLE PRODUCTS (ID TEXT, VENDOR TEXT, PRODUCT TEXT, VERSION_START TEXT, OPERATOR_START TEXT,
    VERSION_END TEXT, OPERATOR_END TEXT);
"""
"""As cve-update-nvd2-native makes them on either release."""


def check(workshop: Workshop, release: str) -> str:
    """Raises: CheckFailed: cve-check is silent, or reports something else than the open weakness."""
    build = MaskedBuild.prepare(workshop, release, "weaknesses")
    folder = workshop.empty_folder("weaknesses")
    report = folder / f"{RECIPE}_cve.json"
    passed = {
        "BB_NO_NETWORK": "1",
        "CVE_CHECK_DB_DLDIR_FILE": str(folder / "nvd.db"),
        "CVE_CHECK_RECIPE_FILE_JSON": str(report),
    }
    task = ("-c", "cve_check", RECIPE)
    done = build.bitbake(*task, log="weaknesses-without.log", passed=passed)
    done.require_success()
    if "There is no database of known weaknesses" not in done.text:
        raise CheckFailed(f"nothing is said of the missing database; see {done.log}")
    if report.exists():
        raise CheckFailed(f"without a database there is a report: {report}")
    write_database(folder / "nvd.db")
    build.bitbake(*task, log="weaknesses-with.log", passed=passed).require_success()
    return _judged(report)


def write_database(file: Path) -> None:
    """One weakness that the recipe's version has, and one of the version before it."""
    version = layer_variables()["VOICE_ASSISTANT_VERSION"]
    with sqlite3.connect(file) as database:
        database.executescript(_TABLES)
        for identifier, operator in ((OPEN, "<="), (_FIXED, "<")):
            rated = (identifier, "A sample.", "0.0", "9.8", "0.0", "", "NETWORK", "CVSS:3.1")
            database.execute("INSERT INTO NVD VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rated)
            affected = (identifier, "rtap", RECIPE, "", "", version, operator)
            database.execute("INSERT INTO PRODUCTS VALUES (?, ?, ?, ?, ?, ?, ?)", affected)
    database.close()


def _judged(file: Path) -> str:
    report = Report.read(file) if file.exists() else None
    found = [one.identifier for one in report.open] if report else []
    if report is None or found != [OPEN]:
        raise CheckFailed(f"{file} has {found or 'nothing'} open instead of {OPEN}")
    return report.summary()
