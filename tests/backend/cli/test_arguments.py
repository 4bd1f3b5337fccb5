"""What command lines take as a number."""

import argparse

import pytest

from rtap.cli.arguments import positive_number


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), ("4096", 4096)])
def test_positive_numbers(text: str, number: int) -> None:
    assert positive_number(text) == number


@pytest.mark.parametrize("text", ["0", "-1", "+1", "1.5", "1e3", "1_000", " 1", "", "two", "²"])
def test_nothing_else(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number from 1 on"):
        positive_number(text)
