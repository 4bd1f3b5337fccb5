"""What may come next: a table for each rule, and transformers' rules for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.whisper.model_settings import GenerationRules
from rtap.whisper.token_rules import TokenRules
from tests.backend.whisper.scripted_model import likely, small_tokenizer

TOKENIZER = small_tokenizer()
SIZE = TOKENIZER.vocabulary_size
BEGIN = TOKENIZER.timestamp_begin
END = TOKENIZER.end_of_text
A, B = 65, 66
"""Two tokens of text."""


def stamp(seconds: float) -> int:
    return BEGIN + round(seconds / 0.02)


def allowed(
    produced: Sequence[int],
    rules: GenerationRules | None = None,
    *,
    timestamps: bool = False,
    logits: NDArray[np.float32] | None = None,
    size: int = SIZE,
) -> set[int]:
    """Tokens that may follow; all are about equally likely unless the logits say otherwise."""
    row = np.zeros(size, np.float32) if logits is None else logits.copy()
    TokenRules(TOKENIZER, rules or GenerationRules(), size, timestamps=timestamps).apply(
        row[np.newaxis], [produced]
    )
    return set(np.flatnonzero(row > -np.inf).tolist())


TEXT_IS_LIKELY = likely((A, 0.4), (END, 0.4))
"""More than all timestamps together, so that the grammar alone decides."""
ALL_TEXT = {*range(END)}


class TestSuppression:
    def test_control_tokens_never_come(self) -> None:
        assert allowed([]) == {*ALL_TEXT, END}

    def test_listed_tokens_never_come(self) -> None:
        rules = GenerationRules(suppress=(A, END - 1))
        for produced in ([], [B], [B, B]):
            assert allowed(produced, rules) == {*ALL_TEXT, END} - {A, END - 1}

    def test_begin_only(self) -> None:
        rules = GenerationRules(suppress_at_begin=(A, END))
        assert allowed([], rules) == ALL_TEXT - {A}
        assert allowed([B], rules) == {*ALL_TEXT, END}

    def test_ids_that_the_model_has_not(self) -> None:
        # transformers' files may hold -1 and ids of a larger vocabulary.
        rules = GenerationRules(suppress=(-1, SIZE), suppress_at_begin=(-1, SIZE + 5))
        assert allowed([], rules) == {*ALL_TEXT, END}

    @pytest.mark.parametrize("timestamps", [False, True])
    def test_logits_without_a_token_never_come(self, *, timestamps: bool) -> None:
        for produced in ([], [stamp(0), A]):
            assert max(allowed(produced, timestamps=timestamps, size=SIZE + 7)) < SIZE

    def test_sequences_are_judged_apart(self) -> None:
        rules = TokenRules(
            TOKENIZER, GenerationRules(suppress_at_begin=(A,)), SIZE, timestamps=False
        )
        logits = np.zeros((2, SIZE), np.float32)
        rules.apply(logits, [[], [B]])
        assert (logits[:, A] > -np.inf).tolist() == [False, True]
        np.testing.assert_array_equal(logits[:, B], 0.0)


FROM_2 = {*range(stamp(2.0), SIZE)}
AFTER_2 = FROM_2 - {stamp(2.0)}

GRAMMAR = {
    "the first token is a timestamp within a second": ([], {*range(BEGIN, stamp(1.0) + 1)}),
    "text follows the opening timestamp": ([stamp(2)], {*ALL_TEXT, END}),
    "text may go on, end, or be closed later": ([stamp(2), A], {*ALL_TEXT, END, *AFTER_2}),
    "a closed segment opens the next, there or later, or ends": (
        [stamp(0), A, stamp(2)],
        {END, *FROM_2},
    ),
    "after the next opening only text": ([stamp(0), A, stamp(2), stamp(2)], {*ALL_TEXT, END}),
    "the next segment is not empty": (
        [stamp(0), A, stamp(2), stamp(2), B],
        {*ALL_TEXT, END, *AFTER_2},
    ),
    "text without an opening timestamp": ([A], {*ALL_TEXT, END, *range(BEGIN, SIZE)}),
    "the very last timestamp leaves only text and the end": (
        [stamp(0), A, stamp(30), stamp(30), B],
        {*ALL_TEXT, END},
    ),
}


class TestTimestampGrammar:
    @pytest.mark.parametrize("name", GRAMMAR)
    def test_table(self, name: str) -> None:
        produced, expected = GRAMMAR[name]
        assert allowed(produced, timestamps=True, logits=TEXT_IS_LIKELY) == expected

    def test_limit_of_the_first_is_the_models(self) -> None:
        rules = GenerationRules(max_initial_timestamp=3)
        assert allowed([], rules, timestamps=True) == {BEGIN, BEGIN + 1, BEGIN + 2, BEGIN + 3}

    def test_begin_suppression_is_no_dead_end(self) -> None:
        rules = GenerationRules(suppress_at_begin=(END, A), max_initial_timestamp=0)
        assert allowed([], rules, timestamps=True) == {BEGIN}

    @pytest.mark.parametrize(("mass", "only_timestamps"), [(0.45, True), (0.35, False)])
    def test_many_likely_timestamps_outweigh_one_likely_text(
        self, mass: float, *, only_timestamps: bool
    ) -> None:
        # No timestamp alone is likelier than the text.
        each = [(stamp(3 + index), mass / 10) for index in range(10)]
        logits = likely((A, 0.40), (B, 0.60 - mass), *each)
        found = allowed([stamp(0), B], timestamps=True, logits=logits)
        assert (found <= {*range(BEGIN, SIZE)}) is only_timestamps
        assert {token for token, _ in each} <= found

    def test_text_that_is_suppressed_does_not_outweigh(self) -> None:
        logits = likely((A, 0.9), (stamp(3), 0.05))
        rules = GenerationRules(suppress=(A,))
        found = allowed([stamp(0), B], rules, timestamps=True, logits=logits)
        assert found <= {*range(BEGIN, SIZE)}

    def test_off(self) -> None:
        assert allowed([A], logits=likely((stamp(3), 0.9))) == {*ALL_TEXT, END}


def histories(random: np.random.Generator) -> list[list[int]]:
    """Sequences as decoding may make them: text, and timestamps that never go back."""
    result: list[list[int]] = [[]]
    for _ in range(60):
        time, produced = int(random.integers(0, 50)), []
        for _ in range(int(random.integers(1, 12))):
            if random.random() < 0.5:
                produced.append(int(random.integers(0, END)))
            else:
                time = min(1500, time + int(random.integers(0, 200)))
                produced.append(BEGIN + time)
        result.append(produced)
    return result


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_equals_transformers(spread: float) -> None:
    reason = "the reference is in the group `convert`: run `make setup`"
    torch: Any = pytest.importorskip("torch", reason=reason)
    generation: Any = pytest.importorskip("transformers.generation", reason=reason)

    # transformers leaves tokens that no transcript contains to the model's list: give it ours.
    never = [*range(END + 1, BEGIN), A]
    at_begin = [B, END]
    config = generation.GenerationConfig(
        eos_token_id=END,
        no_timestamps_token_id=TOKENIZER.no_timestamps,
        max_initial_timestamp_index=50,
    )
    prompt = [*TOKENIZER.sot_sequence("en")]
    theirs = [
        generation.SuppressTokensLogitsProcessor(never),
        generation.SuppressTokensAtBeginLogitsProcessor(at_begin, len(prompt)),
        generation.WhisperTimeStampLogitsProcessor(config, len(prompt)),
    ]
    rules = GenerationRules(suppress=(A,), suppress_at_begin=tuple(at_begin))
    ours = TokenRules(TOKENIZER, rules, SIZE, timestamps=True)
    random = np.random.default_rng(1)
    by_grammar = 0
    for produced in histories(random):
        # Text is raised by what makes both outcomes of the comparison of masses likely.
        logits = random.normal(0, spread, SIZE).astype(np.float32)
        logits[:END] += random.uniform(0, 8)
        scores = torch.from_numpy(logits[np.newaxis].copy())
        for processor in theirs:
            scores = processor(torch.tensor([[*prompt, *produced]]), scores)
        ours.apply(logits[np.newaxis], [produced])
        np.testing.assert_array_equal(logits, scores[0].numpy())
        by_grammar += bool(np.isinf(logits[:END]).all())
    assert 5 < by_grammar < 55
