"""The grammars that say what transcripts ask for: those of the service, or of a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from rtap.config import Config
from rtap.intents.configured import folders, grammar
from rtap.intents.dialogue import LEAST_CONFIDENCE
from rtap.intents.expected_sentences import IntentPreference
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import Matcher
from rtap.intents.names import NameFiles
from rtap.intents.sources import languages
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.intent_scoring import Judgement
from tools.model.evaluation.meaning import NOTHING, Meaning
from tools.model.evaluation.transcripts import Heard


class Understanding:
    """Texts to meanings, in the languages that it has a grammar of.

    Args:
        matchers: by language.
        name: what the grammars are known by.
        digest: of the files with the sentences and the names in them.
    """

    def __init__(
        self,
        matchers: Mapping[str, Matcher],
        name: str,
        digest: str,
    ) -> None:
        self.name = name
        self.digest = digest
        self.preference = IntentPreference()
        """The same sentences, as the decoder expects them."""
        for matcher in matchers.values():
            self.preference.add(matcher)
        self._matchers = matchers
        self._meaning = cache(self._understand)

    @classmethod
    def of_service(cls, config: Config, wanted: Collection[str]) -> Understanding:
        """As the service understands with a configuration.

        Args:
            wanted: languages; those without a grammar are left out.

        Raises:
            ConfigurationError: something is wrong with the sentences.
        """
        there = set(languages(folders(config.intents)))
        if config.intents.languages:
            there &= set(config.intents.languages)
        found = {
            one: Matcher(grammar(config.intents, one)) for one in sorted(there.intersection(wanted))
        }
        names = NameFiles(config.intents.contacts, config.intents.places)
        digest = _digest(folders(config.intents), found, names)
        return cls(found, _named(found, "the service"), digest)

    @classmethod
    def of_folders(
        cls, there: Sequence[Path], wanted: Collection[str], names: NameFiles
    ) -> Understanding:
        """With the sentences of folders alone. Intents that they do not declare count as acting.

        Args:
            wanted: languages; those without a grammar are left out.

        Raises:
            ConfigurationError: something is wrong with the sentences, or none of the languages is there.
        """
        chosen = sorted(set(languages(there)).intersection(wanted))
        # Without any, the loader says what is wrong with the folders.
        found = {one: Matcher(load_grammar(one, there, names)) for one in chosen or sorted(wanted)}
        name = _named(found, ", ".join(map(str, there)))
        return cls(found, name, _digest(there, found, names))

    def knows(self, language: str) -> bool:
        """Whether there is a grammar of a language."""
        return language in self._matchers

    def judge(self, heard: Heard) -> Judgement | None:
        """What was meant and understood; None in a language that has no grammar.

        What is meant is what the data say. Where they say nothing, it is what the same grammar makes of the
        words that were said, as long as all of them are known; a piece of a recording is never a command.
        """
        utterance = heard.utterance
        if not self.knows(utterance.language):
            return None
        said = NOTHING
        if utterance.cut is None:
            said, _ = self._meaning(utterance.text, utterance.language)
        understood, matching = self._meaning(heard.text, utterance.language)
        acts = self._acts(understood, utterance.language)
        return Judgement(
            meant=said if utterance.cut or utterance.meant is None else utterance.meant,
            said=said,
            understood=understood,
            acts=acts,
            seconds=heard.seconds,
            is_asked=acts and heard.confidence * matching < LEAST_CONFIDENCE,
        )

    def is_command(self, utterance: Utterance) -> bool:
        """Whether a whole recording is a command, by what the data say or by the words that were said."""
        if utterance.meant is not None:
            return bool(utterance.meant)
        return self.knows(utterance.language) and bool(
            self._meaning(utterance.text, utterance.language)[0]
        )

    def _acts(self, meaning: Meaning, language: str) -> bool:
        """Whether something is done, and not only answered; intents that nobody declares do it."""
        declared = self._matchers[language].grammar.intents.get(meaning.intent)
        return bool(meaning) and (declared is None or declared.acts)

    def _understand(self, text: str, language: str) -> tuple[Meaning, float]:
        """What a text means, and how well it matches."""
        intent = self._matchers[language].understand(text).intent
        if intent is None:
            return NOTHING, 1.0
        slots = tuple((slot.name, slot.value) for slot in intent.slots)
        return Meaning(intent.name, slots), intent.matching


def _digest(there: Sequence[Path], wanted: Collection[str], names: NameFiles) -> str:
    """Changes with the sentences and names, and not with their place."""
    files = [
        file for one in there for code in wanted for file in sorted((one / code).glob("*.yaml"))
    ]
    files += [file for file in (names.contacts, names.places) if file is not None]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]


def _named(matchers: Mapping[str, Matcher], source: str) -> str:
    there = ", ".join(
        f"{language} with {len(one.grammar.intents)} intents and {one.grammar.template_count} templates"
        for language, one in matchers.items()
    )
    return f"{source}: {there or 'none in these languages'}"
