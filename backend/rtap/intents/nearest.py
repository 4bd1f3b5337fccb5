"""The sentence of a grammar that is nearest to a text which it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Final

from rtap.intents.context import is_possible
from rtap.intents.grammar import Grammar
from rtap.intents.sampling import sample

MOST_SENTENCES: Final = 20_000
"""Sentences that are compared with; more cost time with every text that is no command."""
_OF_EACH_TEMPLATE: Final = 40
_LEAST_LIKENESS: Final = 75.0
"""RapidFuzz's ratio, 0 to 100, below which a sentence is not offered."""
_OFFERED: Final = 3
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_ANY_NUMBER: Final = "#"


class Nearest:
    """Compares texts with sentences that are drawn from the templates once, the same ones each time.

    Numbers are compared as such, whichever they are: the text's own come back in the sentence.
    """

    def __init__(self, grammar: Grammar) -> None:
        # Always the same sentences; nothing here is a secret.
        random = Random(0)
        drawn: dict[str, str] = {}
        templates = [
            template
            for intent in grammar.sentences.intents.values()
            for data in intent.data
            if is_possible(data.requires_context, {})
            for template in data.sentences
        ]
        each = max(1, min(_OF_EACH_TEMPLATE, MOST_SENTENCES // max(1, len(templates))))
        for template in templates[:MOST_SENTENCES]:
            for _ in range(each):
                if sentence := sample(template.expression, grammar, random):
                    drawn.setdefault(_NUMBER.sub(_ANY_NUMBER, sentence), sentence)
        self._drawn = drawn
        self._masked = tuple(drawn)

    def sentences(self, plain: str) -> Iterator[str]:
        """Up to three sentences that are like a text, the nearest first."""
        from rapidfuzz import fuzz, process

        masked = _NUMBER.sub(_ANY_NUMBER, plain)
        for sentence, _, _ in process.extract(
            masked,
            self._masked,
            scorer=fuzz.ratio,
            limit=_OFFERED,
            score_cutoff=_LEAST_LIKENESS,
        ):
            numbers = _NUMBER.findall(plain)
            if sentence.count(_ANY_NUMBER) == len(numbers) > 0:
                parts = sentence.split(_ANY_NUMBER)
                yield "".join(map("".join, zip(parts, [*numbers, ""], strict=True)))
            yield self._drawn[sentence]
