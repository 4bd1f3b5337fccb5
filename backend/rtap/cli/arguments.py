"""Kinds of arguments that several command lines take."""

from __future__ import annotations

import argparse


def positive_number(text: str) -> int:
    """For ``type=`` of an argument: a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)
