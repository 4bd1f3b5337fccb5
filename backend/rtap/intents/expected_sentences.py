"""The sentences of the grammars as the decoder expects them: :mod:`rtap.whisper.preference` prefers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rtap.errors import ConfigurationError

if TYPE_CHECKING:
    from rtap.intents.matcher import Matcher
    from rtap.intents.understander import Understander
    from rtap.intents.word_graph import WordState


class ExpectedSentences:
    """Those of one language; implements :class:`rtap.whisper.preference.sentences.Sentences`."""

    def __init__(self, matcher: Matcher) -> None:
        from rtap.intents.word_graph import WordGraph

        self._matcher = matcher
        self._graph = WordGraph(matcher.grammar)

    @property
    def start(self) -> WordState:
        """Before the first word."""
        return self._graph.start

    @property
    def short_forms(self) -> Mapping[str, str]:
        """What may be written for words, such as ``{"%": "percent"}``."""
        return self._matcher.grammar.spelling.spoken

    def contains(self, text: str) -> bool:
        """Whether a text is one of them, wildcards included."""
        place: WordState | None = self.start
        for word in self._matcher.grammar.spelling.plain(text).split():
            place = None if place is None else place.following.get(word)
        return (place is not None and place.may_end) or self._matcher.is_understood(text)


class IntentPreference:
    """All grammars that are configured; implements :class:`rtap.whisper.preference.sentences.Preference`.

    For one thread.

    Args:
        understander: whose grammars these are; it loads them.
    """

    def __init__(self, understander: Understander) -> None:
        self._understander = understander
        self._languages: dict[str, ExpectedSentences | None] = {}

    def sentences(self, language: str) -> ExpectedSentences | None:
        """Those of a language; None where there is no grammar for it, or none without faults."""
        if language not in self._languages:
            try:
                made = ExpectedSentences(self._understander.matcher(language))
            except ConfigurationError:
                made = None  # whoever is to understand the text says why
            self._languages[language] = made
        return self._languages[language]
