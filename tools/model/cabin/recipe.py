"""The steps from the grammar to the model, and the folder in which each leaves its result."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.model.cabin import speech_corpus, voices
from tools.model.cabin.grammar import Grammar
from tools.model.cabin.kokoro import fetch_styles
from tools.model.cabin.phones import Phones, pronounce
from tools.model.cabin.sentences import HESITATIONS, Line, Split, held_out_texts, training_lines
from tools.model.cabin.speech_corpus import Utterance
from tools.model.cabin.voices import Role

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tools.model.cabin.network import Shape
    from tools.model.cabin.schedule import Schedule
    from tools.model.cabin.training import Trainer

NAME: Final = "cabin-en"

_TOKENIZER_LINES: Final = 20_000
_DEVELOPMENT: Final = {False: 220, True: 80}
"""Utterances for watching the training: by the fast synthesisers, by the neural one."""
_FAST, _NEURAL, _TOKENIZER, _DEVELOPED, _TESTED = range(1, 6)
"""Each step has a random sequence of its own, so that changing one leaves the others alone."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A grammar, a place to work in and a seed.

    Args:
        work: speech, checkpoints and test sets are kept here, and taken from here when they exist.
    """

    grammar: Grammar
    work: Path
    seed: int

    def make_speech(self, fast: int, neural: int, workers: int, report: Report) -> None:
        """Speak the training and the development sentences.

        Args:
            fast: utterances by espeak-ng, flite and festival.
            neural: utterances by Kokoro.
        """
        if neural:
            fetch_styles(self._voices)
        for name, count, part, is_neural in (
            ("fast", fast, _FAST, False),
            ("neural", neural, _NEURAL, True),
        ):
            if count:
                plan = speech_corpus.training_plan(
                    self.grammar, count, self.seed + part, neural=is_neural
                )
                speech_corpus.make(plan, self._speech / name, workers, report)
        rng = random.Random(self.seed + _DEVELOPED)
        plan = []
        for is_neural, count in _DEVELOPMENT.items():
            if is_neural and not neural:
                continue
            texts = held_out_texts(self.grammar, rng, Split.DEVELOPMENT, count)
            seen = voices.with_role(Role.SEEN, neural=is_neural)
            plan += speech_corpus.drawn([Line(text, text) for text in texts], seen, rng)
        speech_corpus.make(plan, self._speech / "development", workers, report)

    def train(
        self, shape: Shape, schedule: Schedule, *, neural_weight: int, device: str, report: Report
    ) -> Trainer:
        """Teach a network, or go on teaching the one that was left.

        Args:
            neural_weight: how often a neural utterance is heard, compared with the others.
        """
        trainer = self.trainer(shape, device)
        if trainer.resume():
            report(f"going on from step {trainer.step}")
        speech = self._training_speech(neural_weight)
        report(
            f"{len(speech)} utterances, {speech_corpus.hours(speech):.1f} h, "
            f"{trainer.parameters / 1e6:.1f} M parameters"
        )
        development = speech_corpus.load(self._speech / "development")
        trainer.train(speech, development, schedule, report)
        return trainer

    def trainer(self, shape: Shape, device: str) -> Trainer:
        """A trainer that keeps its checkpoints in the working folder."""
        from tools.model.cabin.training import Trainer

        directory = self.work / "training"
        directory.mkdir(parents=True, exist_ok=True)
        tokenizer = self.tokenizer()
        return Trainer(shape, tokenizer, self._phones(), directory, seed=self.seed, device=device)

    def tokenizer(self) -> Tokenizer:
        """The vocabulary, which depends on the grammar and the seed only."""
        from tools.model.cabin.tokenizer import train_tokenizer

        rng = random.Random(self.seed + _TOKENIZER)
        lines = islice(training_lines(self.grammar, rng), _TOKENIZER_LINES)
        return train_tokenizer(line.text for line in lines)

    def make_tests(self, workers: int, report: Report) -> list[Path]:
        """Write the test sets."""
        from tools.model.cabin.test_sets import make_test_sets

        fetch_styles(self._voices)
        return make_test_sets(self.grammar, self.work, self.seed + _TESTED, workers, report)

    @property
    def _speech(self) -> Path:
        return self.work / "speech"

    @property
    def _voices(self) -> Path:
        return self.work / "packages" / "kokoro-js"

    def _training_speech(self, neural_weight: int) -> Sequence[Utterance]:
        speech = speech_corpus.load(self._speech / "fast")
        neural = self._speech / "neural"
        return speech + neural_weight * (speech_corpus.load(neural) if neural.exists() else [])

    def _phones(self) -> Phones:
        file = self.work / "lexicon.json"
        words = [*self.grammar.vocabulary, *HESITATIONS]
        lexicon: Mapping[str, Sequence[str]] = json.loads(file.read_text()) if file.exists() else {}
        if lexicon.keys() != set(words):
            lexicon = pronounce(words)
            file.write_text(json.dumps(lexicon, ensure_ascii=False), encoding="utf-8")
        return Phones({word: tuple(phones) for word, phones in lexicon.items()})
