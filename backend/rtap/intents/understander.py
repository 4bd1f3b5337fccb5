"""Understands texts in all languages that a configuration asks for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rtap.config import IntentsConfig
from rtap.errors import ConfigurationError
from rtap.intents.configured import folders, grammar
from rtap.intents.context import NOTHING_BEFORE, Context
from rtap.intents.sources import languages

if TYPE_CHECKING:
    from rtap.intents.intent import Understanding
    from rtap.intents.matcher import Matcher


class Understander:
    """Loads a language's grammar when it is first asked for, which takes a second or two; for any thread.

    Args:
        config: which languages, folders and names.
    """

    def __init__(self, config: IntentsConfig) -> None:
        self._config = config
        self._matchers: dict[str, Matcher] = {}
        # Held while a text is understood too, so that many requests take one processor at most.
        self._lock = threading.Lock()

    def understand(
        self,
        text: str,
        language: str,
        confidence: float = 1.0,
        context: Context = NOTHING_BEFORE,
    ) -> Understanding:
        """The intent of a text; see :meth:`rtap.intents.matcher.Matcher.understand`.

        Args:
            language: a code, such as de.

        Raises:
            ConfigurationError: intents are switched off, or the language has none, or there are faults in its
                sentences.
        """
        with self._lock:
            return self._matcher(language).understand(text, confidence, context)

    def load(self, language: str) -> Matcher:
        """Load a language's grammar now.

        Raises:
            ConfigurationError: see :meth:`understand`.
        """
        with self._lock:
            matcher = self._matcher(language)
            matcher.prepare()
            return matcher

    def acts(self, intent: str, language: str) -> bool:
        """Whether an intent does something, and not only answers; one that nobody declares does.

        Raises:
            ConfigurationError: as above.
        """
        with self._lock:
            declared = self._matcher(language).grammar.intents.get(intent)
        return declared is None or declared.acts

    def examples(self, language: str) -> Mapping[str, str]:
        """A usual sentence for each intent that can be said without a turn before, in the files' order.

        Raises:
            ConfigurationError: as above.
        """
        # Like the grammar, it needs hassil.
        from rtap.intents.sampling import can_begin, example

        with self._lock:
            known = self._matcher(language).grammar
        drawn = {name: example(name, known) for name in known.intents if can_begin(name, known)}
        return {name: sentence for name, sentence in drawn.items() if sentence}

    def _matcher(self, language: str) -> Matcher:
        matcher = self._matchers.get(language)
        if matcher is None:
            matcher = self._matchers[language] = self._load(language)
        return matcher

    def _load(self, language: str) -> Matcher:
        from rtap.intents.matcher import Matcher

        config = self._config
        if not config.enabled:
            raise ConfigurationError("intents are switched off: set intents.enabled to true")
        if config.languages and language not in config.languages:
            there = ", ".join(sorted(set(config.languages) & set(languages(folders(config)))))
            raise ConfigurationError(
                f"intents.languages leaves {language} out: choose one of {there}, or add it there"
            )
        return Matcher(grammar(config, language))
