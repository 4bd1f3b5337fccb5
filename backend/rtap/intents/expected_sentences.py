"""The sentences of the grammars, as the decoder of speech expects them.

They implement the protocols of :mod:`rtap.whisper.preference.sentences`; nothing here knows of speech.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtap.intents.matcher import Matcher
    from rtap.intents.word_graph import WordState


class ExpectedSentences:
    """Those of one language that may be said at any time.

    Making them finds what may be said first, which takes a tenth of a second or two; the rest is found when
    it is wanted.
    """

    def __init__(self, matcher: Matcher) -> None:
        # hassil takes half a second, and is not wanted before the first grammar.
        from rtap.intents.word_graph import WordGraph

        self._matcher = matcher
        self._spelling = matcher.grammar.spelling
        self._graph = WordGraph(matcher.grammar)
        self._all = WordGraph(matcher.grammar, continuing=True)
        for graph in (self._graph, self._all):
            assert graph.start.following

    @property
    def start(self) -> WordState:
        """Before the first word."""
        return self._graph.start

    @property
    def short_forms(self) -> Mapping[str, str]:
        """What may be written for words, such as ``{"%": "percent"}``."""
        return self._spelling.spoken

    def contains(self, text: str) -> bool:
        """Whether a text is one of them, in any spelling that is understood, or may continue a dialogue."""
        place: WordState | None = self._all.start
        for word in self._spelling.plain(text).split():
            place = None if place is None else place.following.get(word)
        return (place is not None and place.may_end) or self.meaning(text) is not None

    def meaning(self, text: str) -> Hashable | None:
        """The intent of a text and the values of its slots; None where there is not one intent."""
        return self._matcher.meaning(text)


class IntentPreference:
    """The sentences of all languages that are loaded.

    One thread may add them while another asks for them: nobody who transcribes waits for a grammar.
    """

    def __init__(self) -> None:
        self._languages: dict[str, ExpectedSentences] = {}

    def add(self, matcher: Matcher) -> None:
        """Expect the sentences of a language from now on."""
        self._languages[matcher.grammar.language] = ExpectedSentences(matcher)

    def sentences(self, language: str) -> ExpectedSentences | None:
        """Those of a language; None where none were added."""
        return self._languages.get(language)
