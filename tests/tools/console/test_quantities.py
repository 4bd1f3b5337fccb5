import pytest

from tools.console.quantities import position, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (512, "512 bytes"),
        (4096, "4 kB"),
        (611_500_000, "611.5 MB"),
        (31_914_983_424, "31.9 GB"),
    ],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


def test_position_is_exact_and_readable() -> None:
    assert position(4_294_967_296) == "byte 4294967296 (4096.0 MiB)"
