"""Decides between the text that was heard and the likeliest of the expected sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtap.whisper.decode import Decoded
from rtap.whisper.model import EncodedAudio, SpeechModel
from rtap.whisper.preference.guide import Guide
from rtap.whisper.preference.known_tokens import KnownTokens
from rtap.whisper.preference.reading import SPELLING, Reading
from rtap.whisper.preference.rivals import Rivals
from rtap.whisper.preference.search import BEAMS, Found, Path, Search
from rtap.whisper.preference.sentences import Sentences
from rtap.whisper.preference.token_graph import TokenGraph
from rtap.whisper.preference.trail import Trail
from rtap.whisper.token_rules import NEVER, TokenRules

BONUS: Final = 1.15
"""By how much each token of a sentence may make it less likely than the text, in natural logs. Measured, with
the next five, on people's commands to a house and on what was no command, with tiny.en and base in int8: the
right sentence needed up to 1.13 a token, and what was wrong 1.2 and more, but for single words."""
WITHOUT_BONUS: Final = 3.0
"""Tokens of a sentence that give no bonus, so that a single word has to be nearly as likely as the text."""
CERTAIN: Final = -0.09
"""Mean log-probability of a token above which a text is right, be it a command or not."""
LEAST_AVERAGE: Final = -1.65
"""Mean log-probability of a token below which a sentence is a mere guess."""
SHORTER_TIMES: Final = 0.65
"""A sentence has at least so many times the tokens of the text: it may leave out a noise, and no more."""
LONGER_TIMES: Final = 1.2
LONGER_BY: Final = 2
"""It has at most so many times the tokens, and so many more."""
AHEAD: Final = 3.5
"""A beginning may be so far behind the text as that many more tokens would allow it to be at the end."""
LONGEST_SECONDS: Final = 8.0
"""Longer speech is no command."""
LONGEST_TEXT: Final = 120
"""Characters; nor is a longer text."""


@dataclass(frozen=True, slots=True)
class Margin:
    """How likely a sentence has to be to take the place of a text; implements :class:`Bounds`."""

    log_probability: float
    """Of the text, the end included."""
    length: int
    """Tokens of the text, the end included."""

    @classmethod
    def to(cls, heard: Decoded) -> Margin:
        """That to a text."""
        length = len(heard.tokens) + heard.ended
        return cls(heard.average_log_probability * length, length)

    @property
    def longest(self) -> int:
        """See :class:`Bounds`."""
        return round(self.length * LONGER_TIMES) + LONGER_BY

    def floor(self, length: int) -> float:
        """See :class:`Bounds`: what is far behind the text does not catch up."""
        return self.least(min(length + AHEAD, self.longest))

    def accepts(self, found: Found) -> bool:
        """See :class:`Bounds`."""
        return (
            found.length >= SHORTER_TIMES * self.length
            and found.log_probability >= LEAST_AVERAGE * found.length
            and found.log_probability >= self.least(found.length)
        )

    def least(self, length: float) -> float:
        """See :class:`Bounds`."""
        return self.log_probability - BONUS * max(0.0, length - WITHOUT_BONUS)


class Expected:
    """The expected sentences of one language, for one model.

    Raises:
        ModelError: the tokenizer's file is damaged.
    """

    def __init__(self, sentences: Sentences, model: SpeechModel) -> None:
        self._sentences = sentences
        self._model = model
        self._graph = TokenGraph(sentences, model.tokenizer)
        self._rivals = Rivals(self._graph, sentences, model)

    def trail(self) -> Trail:
        """Sees a text being decoded, for :meth:`sentence`."""
        return Trail(self._graph, self._model.tokenizer.end_of_text)

    def sentence(
        self,
        heard: Decoded,
        text: str,
        trail: Trail | None,
        encoded: EncodedAudio,
        prompt: Sequence[int],
        rules: TokenRules,
    ) -> Decoded | None:
        """The sentence that takes the place of a text; None where the text stays.

        Args:
            heard: the text as it was decoded.
            trail: what saw it being decoded, greedily; None where nothing did.
            encoded: the audio, encoded last.
            prompt: what it was decoded after, and with which rules.
        """
        if not heard.tokens or len(text) > LONGEST_TEXT or heard.average_log_probability > CERTAIN:
            return None
        if trail is not None and trail.is_sentence:
            return None
        margin = Margin.to(heard)
        starts, ends = [Path((), 0.0, self._graph.start)], list[Found]()
        if trail is not None:
            starts, ends = trail.branches(heard.tokens, margin)
            starts = self._without_spellings(starts, heard.tokens, trail)
        if not (starts or ends) or self._sentences.contains(text):
            return None
        tokenizer = self._model.tokenizer
        known = KnownTokens(self._model, encoded, prompt, rules)
        guide = Guide(tokenizer, heard.tokens)
        reading = Reading(self._graph, guide, known, tokenizer.end_of_text, margin)
        found = reading.best(starts, ends)
        if found is None and reading.is_hopeful:
            start = starts[0] if trail is None else trail.start(heard.tokens, starts)
            search = Search(self._graph, rules, tokenizer.end_of_text)
            found = search.best(self._model.decode(encoded, BEAMS), prompt, start, margin)
        return None if found is None else _as_decoded(found)

    def _without_spellings(
        self, starts: Sequence[Path], tokens: Sequence[int], trail: Trail
    ) -> list[Path]:
        """Beginnings without those that only write the text's words in other letters, and unlikelier."""
        write = self._model.tokenizer.decode
        heard = {
            write(tokens[: index + 1]).lower(): fork.after for index, fork in enumerate(trail.forks)
        }
        return [
            path
            for path in starts
            if path.log_probability > heard.get(write(path.tokens).lower(), NEVER) - SPELLING
        ]

    def certainty(
        self,
        chosen: Decoded,
        text: str,
        trail: Trail | None,
        encoded: EncodedAudio,
        prompt: Sequence[int],
        rules: TokenRules,
    ) -> float:
        """See :meth:`rtap.whisper.preference.rivals.Rivals.certainty`; the rest as above."""
        known = KnownTokens(self._model, encoded, prompt, rules)
        return self._rivals.certainty(chosen, text, trail, known)


def _as_decoded(found: Found) -> Decoded:
    return Decoded(
        tokens=found.tokens,
        average_log_probability=found.log_probability / found.length,
        ended=True,
        temperature=0.0,
    )
