"""Expected sentences from a list of them, instead of from a grammar."""

from __future__ import annotations

from collections.abc import Hashable, Mapping


class ListedWords:
    """Implements :class:`rtap.whisper.preference.sentences.Words`."""

    def __init__(self) -> None:
        self.following: dict[str, ListedWords] = {}
        self.may_end = False


class ListedSentences:
    """Implements :class:`rtap.whisper.preference.sentences.Sentences`."""

    def __init__(
        self,
        *sentences: str,
        short_forms: Mapping[str, str] | None = None,
        meanings: Mapping[str, str] | None = None,
    ) -> None:
        self.start = ListedWords()
        self.short_forms = short_forms or {}
        self.asked: list[str] = []
        """Texts that were asked about."""
        self._meanings = meanings or {}
        self._sentences = sentences
        for sentence in sentences:
            place = self.start
            for word in sentence.split():
                place = place.following.setdefault(word, ListedWords())
            place.may_end = True

    def contains(self, text: str) -> bool:
        self.asked.append(text)
        return _plain(text) in self._sentences

    def meaning(self, text: str) -> Hashable | None:
        """What the test says; else each sentence means something else."""
        plain = _plain(text)
        return self._meanings.get(plain, plain) if plain in self._sentences else None


def _plain(text: str) -> str:
    return text.lower().replace(",", "").strip(" .?!")


class ListedPreference:
    """Implements :class:`rtap.whisper.preference.sentences.Preference`."""

    def __init__(self, **languages: ListedSentences) -> None:
        self._languages = languages

    def sentences(self, language: str) -> ListedSentences | None:
        return self._languages.get(language)
