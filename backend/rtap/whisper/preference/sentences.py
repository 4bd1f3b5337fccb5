"""What the decoder needs to know of the sentences that are expected."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Protocol


class Words(Protocol):
    """A place within the sentences, after a word; equal places are the same object."""

    @property
    def following(self) -> Mapping[str, Words]:
        """The words that may come next, in lower case and without punctuation, and the place after each."""

    @property
    def may_end(self) -> bool:
        """Whether a sentence may end here."""


class Sentences(Protocol):
    """The expected sentences of one language."""

    @property
    def start(self) -> Words:
        """Before the first word."""

    @property
    def short_forms(self) -> Mapping[str, str]:
        """What may be written for words, such as ``{"%": "percent"}``."""

    def contains(self, text: str) -> bool:
        """Whether a text, as Whisper writes it, is one of them."""

    def meaning(self, text: str) -> Hashable | None:
        """What a text asks for, equal for all that ask for the same; None: nothing, or not one thing."""


class Preference(Protocol):
    """The sentences that are expected, in all languages."""

    def sentences(self, language: str) -> Sentences | None:
        """Those of a language, such as ``de``, at once; None where none are expected, or not yet."""
