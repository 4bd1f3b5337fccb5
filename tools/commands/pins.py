"""Show how far the pinned commits of the layers are behind their branches; --update moves them to the newest.

Commits that name a weakness (CVE) are marked with "!" and always listed. Repositories are asked over the
network, or in $YOCTO_GIT_MIRROR where that is set; nothing is checked out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from tools.console.command_line import positive_number, run
from tools.root import CACHE, ROOT
from tools.system.yocto.images import RELEASES
from tools.system.yocto.mirrors import VARIABLE, find_mirrors, mirror_folder
from tools.system.yocto.pins import Pin, move_pins, read_pins
from tools.system.yocto.upstream import Standing, Upstream, UpstreamError

_LISTED: Final = 10


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/pins", description=__doc__)
    parser.add_argument(
        "--release",
        action="append",
        choices=list(RELEASES),
        metavar="NAME",
        help=f"of Yocto; may be given several times; default: {' and '.join(RELEASES)}",
    )
    parser.add_argument(
        "--update", action="store_true", help="write the newest commits into kas/*.lock.yml"
    )
    parser.add_argument(
        "--list",
        type=positive_number,
        default=_LISTED,
        metavar="N",
        help=f"how many commits of each layer are listed besides those with a CVE; default: {_LISTED}",
    )
    parser.add_argument(
        "--kas", type=Path, default=ROOT / "kas", metavar="DIR", help="default: kas"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser


def main(argv: Sequence[str]) -> int:
    """Command line."""
    arguments = _parser().parse_args(argv)
    pins = [
        pin
        for release in arguments.release or RELEASES
        for pin in read_pins(arguments.kas, release)
    ]
    upstream = Upstream(CACHE / "pins", _mirrors(pins))
    standings, faults = [], []
    for pin in pins:
        try:
            standings.append(upstream.standing(pin))
        except UpstreamError as error:
            faults.append(f"{pin.name} on {pin.release}: {error}")
    if arguments.json:
        write_result(json.dumps([_as_json(one) for one in standings], indent=2) + "\n")
    else:
        write_result("".join(_lines(standings, arguments.list)))
    if faults:
        # Half an update would be worse than none: layers of a release fit together.
        raise UpstreamError(
            f"{len(faults)} of {len(pins)} not known, nothing is updated; {faults[0]}"
        )
    if arguments.update:
        changed = move_pins({one.pin: one.tip for one in standings if one.newer})
        names = " and ".join(file.name for file in changed)
        told = f"{names} changed: `make image-check` says whether all still fit\n"
        write_result(told if changed else "All commits are the newest: nothing to update\n")
    return 0


def _mirrors(pins: Sequence[Pin]) -> dict[str, Path]:
    # A folder that was not asked for may be older than what is upstream.
    folder = mirror_folder(ROOT, os.environ) if os.environ.get(VARIABLE) else None
    return find_mirrors(folder, {pin.url: pin.url for pin in pins}) if folder else {}


def _lines(standings: Sequence[Standing], listed: int) -> Iterator[str]:
    for one in standings:
        pin = one.pin
        head = f"{pin.release} {pin.name} {pin.commit[:10]} of {one.pinned_date}"
        if not one.newer:
            yield f"{head}: the newest of {pin.branch}\n"
            continue
        marked = sum(bool(commit.weaknesses) for commit in one.newer)
        yield (
            f"{head}: {len(one.newer)} commits behind {pin.branch}, {one.tip[:10]} of {one.tip_date}; "
            f"{marked} name a CVE\n"
        )
        plain = 0
        for commit in one.newer:
            plain += not commit.weaknesses
            if commit.weaknesses or plain <= listed:
                yield _line(commit.identifier, commit.date, commit.subject, commit.weaknesses)
        if plain > listed:
            yield f"    and {plain - listed} more\n"


def _line(identifier: str, date: str, subject: str, weaknesses: Sequence[str]) -> str:
    unnamed = [number for number in weaknesses if number not in subject.upper()]
    mark = "!" if weaknesses else " "
    more = f" ({', '.join(unnamed)})" if unnamed else ""
    return f"  {mark} {identifier[:10]} {date} {subject}{more}\n"


def _as_json(one: Standing) -> dict[str, Any]:
    return {
        "release": one.pin.release,
        "name": one.pin.name,
        "url": one.pin.url,
        "branch": one.pin.branch,
        "pinned": {"commit": one.pin.commit, "date": one.pinned_date},
        "newest": {"commit": one.tip, "date": one.tip_date},
        "newer": [
            {
                "commit": commit.identifier,
                "date": commit.date,
                "subject": commit.subject,
                "cve": list(commit.weaknesses),
            }
            for commit in one.newer
        ],
    }


if __name__ == "__main__":
    run(main)
