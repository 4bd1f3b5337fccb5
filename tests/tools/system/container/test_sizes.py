"""Sizes of layers."""

from pathlib import Path

from tools.system.container.layers import Layer
from tools.system.container.sizes import measure, table


def test_table(tmp_path: Path) -> None:
    file = tmp_path / "zeros"
    file.write_bytes(bytes(3_000_000))
    (size,) = measure([Layer("zeros", "", 3_000_000, file)])
    assert size.bytes == 3_000_000
    assert 100 < size.compressed < 10_000
    rows = [line.split() for line in table([size, size]).splitlines()]
    assert rows[1] == ["zeros", "3.0", "0.0"]
    assert rows[3] == ["all", "6.0", "0.0"]
