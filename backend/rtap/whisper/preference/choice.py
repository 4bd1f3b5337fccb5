"""Decides between the text that was heard and the likeliest of the expected sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rtap.whisper.decode import Decoded
from rtap.whisper.model import EncodedAudio, SpeechModel
from rtap.whisper.preference.search import BEAMS, Bounds, Found, Path, Search, score
from rtap.whisper.preference.sentences import Sentences
from rtap.whisper.preference.token_graph import TokenGraph
from rtap.whisper.preference.trail import Trail
from rtap.whisper.token_rules import TokenRules

MARGIN: Final = 1.4
"""By how much the score of a sentence may be below that of the text; see :data:`LENGTH_EXPONENT`."""
LONGEST_SECONDS: Final = 8.0
"""Longer speech is no command."""
LONGEST_TEXT: Final = 120
"""Characters."""
_LONGER_BY: Final = 4
_LONGER_TIMES: Final = 1.3
"""A sentence may have so many more tokens than the text: what was not heard cannot be long."""


class Expected:
    """The expected sentences of one language, for one model.

    Raises:
        ModelError: the tokenizer's file is damaged.
    """

    def __init__(self, sentences: Sentences, model: SpeechModel) -> None:
        self._sentences = sentences
        self._model = model
        self._graph = TokenGraph(sentences, model.tokenizer)

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
        if not heard.tokens or len(text) > LONGEST_TEXT or self._sentences.contains(text):
            return None
        length = len(heard.tokens) + heard.ended
        bounds = Bounds(
            longest=round(length * _LONGER_TIMES) + _LONGER_BY,
            least=score(heard.average_log_probability * length, length) - MARGIN,
        )
        start = self._start(heard, trail, bounds)
        if start is None:
            return None
        decoding = self._model.decode(encoded, BEAMS)
        search = Search(self._graph, rules, self._model.tokenizer.end_of_text)
        found = search.best(decoding, prompt, start, bounds)
        return None if found is None else _as_decoded(found)

    def _start(self, heard: Decoded, trail: Trail | None, bounds: Bounds) -> Path | None:
        """Where a sentence that is likely enough can first leave the text; None: nowhere."""
        if trail is None:
            return Path((), 0.0, self._graph.start)
        for index, fork in enumerate(trail.forks):
            if fork.other >= bounds.floor:
                return Path(heard.tokens[:index], fork.before, fork.place)
        return None


def _as_decoded(found: Found) -> Decoded:
    return Decoded(
        tokens=found.tokens,
        average_log_probability=found.log_probability / (len(found.tokens) + 1),
        ended=True,
        temperature=0.0,
    )
