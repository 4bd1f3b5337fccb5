"""Searching: small tables of probabilities, and every sequence there is as the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.whisper.decode import (
    LOOP_REPEATS,
    LOOP_TOKENS,
    Decoded,
    Search,
    is_looping,
    log_probabilities,
    search,
)
from rtap.whisper.model_settings import GenerationRules
from rtap.whisper.token_rules import TokenRules
from tests.backend.whisper.scripted_model import small_tokenizer

Logits = NDArray[np.float32]
Table = Callable[[tuple[int, ...]], Logits]

END = 3
SIZE = 4
"""Vocabulary of these tests: the letters 0, 1, 2 and the end of the text."""


class TableDecoding:
    """Implements :class:`rtap.whisper.model.Decoding`, after a prompt."""

    def __init__(self, table: Table, beams: int) -> None:
        self._table = table
        self._beams = beams
        self._sequences: list[tuple[int, ...]] = [()]
        self._buffer = np.empty((beams, len(table(()))), np.float32)
        self.steps = 0

    def prompt(self, tokens: Sequence[int], rows: Sequence[int]) -> Logits:
        raise AssertionError("the prompt was given before")

    def fan_out(self) -> None:
        self._sequences *= self._beams

    def step(self, tokens: NDArray[np.int64]) -> Logits:
        self.steps += 1
        pairs = zip(self._sequences, tokens.tolist(), strict=True)
        self._sequences = [(*sequence, token) for sequence, token in pairs]
        for row, sequence in zip(self._buffer, self._sequences, strict=True):
            row[:] = self._table(sequence)
        return self._buffer

    def select(self, beams: NDArray[np.int64]) -> None:
        self._sequences = [self._sequences[beam] for beam in beams]


def random_table(seed: int, *, end: float = 0.0) -> Table:
    """Logits that depend on all tokens so far; ``end`` raises the logit of the end of text."""

    def table(sequence: tuple[int, ...]) -> Logits:
        logits = np.random.default_rng([seed, *sequence]).normal(0, 1.5, SIZE).astype(np.float32)
        logits[END] += end
        return logits

    return table


def markov(*rows: Sequence[float]) -> Table:
    """A row of probabilities for the first token, then one for each letter that may stand last."""
    with np.errstate(divide="ignore"):
        logits = np.log(np.array(rows)).astype(np.float32)

    def table(sequence: tuple[int, ...]) -> Logits:
        row: Logits = logits[sequence[-1] + 1 if sequence and sequence[-1] != END else 0]
        return row.copy()

    return table


def run(
    table: Table,
    how: Search,
    seed: int = 0,
    rules: GenerationRules | None = None,
    decoding: TableDecoding | None = None,
) -> Decoded:
    size = len(table(()))
    token_rules = TokenRules(small_tokenizer(), rules or GenerationRules(), size, timestamps=False)
    return search(
        decoding or TableDecoding(table, how.beams),
        table(())[np.newaxis].copy(),
        token_rules,
        how,
        np.random.default_rng(seed),
    )


def how(
    limit: int,
    *,
    beams: int = 1,
    temperature: float = 0.0,
    length_penalty: float | None = None,
    end: int = END,
) -> Search:
    return Search(limit, end, beams, temperature, length_penalty)


def score(table: Table, tokens: Sequence[int]) -> float:
    """Sum of log-probabilities, by the definition."""
    total = 0.0
    for index, token in enumerate(tokens):
        logits = table(tuple(tokens[:index])).astype(np.float64)
        total += logits[token] - np.log(np.exp(logits).sum())
    return total


def every_ended(limit: int) -> Iterator[tuple[int, ...]]:
    """All sequences that end within so many tokens, with their end."""
    for length in range(limit):
        for letters in product(range(END), repeat=length):
            yield (*letters, END)


class TestGreedy:
    @pytest.mark.parametrize("seed", range(20))
    def test_takes_the_likeliest_each_time(self, seed: int) -> None:
        table = random_table(seed)
        expected: list[int] = []
        while len(expected) < 12 and (not expected or expected[-1] != END):
            expected.append(int(table(tuple(expected)).argmax()))
        found = run(table, how(12))
        assert [*found.tokens, *[END] * found.ended] == expected
        assert found.average_log_probability == pytest.approx(
            score(table, expected) / len(expected), rel=1e-5
        )
        assert found.temperature == 0.0

    def test_average_counts_the_end(self) -> None:
        table = markov((0.5, 0.3, 0.1, 0.1), (0.1, 0.8, 0.05, 0.05), (0.1, 0.1, 0.1, 0.7))
        found = run(table, how(10))
        assert found.tokens == (0, 1)
        assert found.ended
        assert found.average_log_probability == pytest.approx(np.log(0.5 * 0.8 * 0.7) / 3)

    def test_probabilities_are_those_after_the_rules(self) -> None:
        table = markov((0.5, 0.3, 0.1, 0.1), (0, 0, 0, 1), (0, 0, 0, 1))
        found = run(table, how(10), rules=GenerationRules(suppress_at_begin=(0,)))
        assert found.tokens == (1,)
        assert found.average_log_probability == pytest.approx(np.log(0.3 / 0.5) / 2)

    def test_nothing_but_the_end(self) -> None:
        found = run(markov((0.1, 0.1, 0.1, 0.7)), how(5))
        assert (found.tokens, found.ended) == ((), True)
        assert found.average_log_probability == pytest.approx(np.log(0.7))

    @pytest.mark.parametrize("limit", [1, 2, 7])
    def test_limit(self, limit: int) -> None:
        table = markov((0.7, 0.1, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1), (0.7, 0.1, 0.1, 0.1))
        decoding = TableDecoding(table, 1)
        found = run(table, how(limit), decoding=decoding)
        assert found.tokens == ((0, 1) * 4)[:limit]
        assert not found.ended
        assert found.average_log_probability == pytest.approx(np.log(0.7))
        # What would follow the last token is nobody's business.
        assert decoding.steps == limit - 1

    def test_a_loop_is_left_at_once(self) -> None:
        table = markov((0.7, 0.1, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1), (0.7, 0.1, 0.1, 0.1))
        found = run(table, how(200))
        assert len(found.tokens) == LOOP_TOKENS
        assert not found.ended


NO, YES, COMMA = 1, 2, 3
LOOPS = {
    "no no no no": ([NO] * 4, False),
    "no, no, no, no, no, no": ([NO, COMMA] * 6, False),
    "one token, one time less than is a loop": ([NO] * (LOOP_TOKENS - 1), False),
    "one token": ([NO] * LOOP_TOKENS, True),
    "a number": ([5, 5, 5, 6, 5, 5, 5, 5, 7, 5, 5, 5, 8, 5, 5, 5, 5], False),
    "three phrases alike": ([*range(10)] * 3, False),
    "four phrases alike": ([*range(10)] * 4, True),
    "four phrases alike, the first one cut": ([*range(1, 10), *[*range(10)] * 3], False),
    "a loop that was left": ([*[NO] * 40, YES], False),
    "a loop after speech": ([*range(50), *[NO, COMMA] * 8], True),
    "nothing": ([], False),
}


class TestLoops:
    @pytest.mark.parametrize("name", LOOPS)
    def test_table(self, name: str) -> None:
        tokens, expected = LOOPS[name]
        assert is_looping(tokens) is expected
        assert is_looping(tuple(tokens)) is expected

    @pytest.mark.parametrize("period", range(1, 33))
    def test_periods(self, period: int) -> None:
        enough = max(period * LOOP_REPEATS, LOOP_TOKENS)
        endless = [index % period for index in range(200)]
        assert is_looping(endless[:enough])
        assert not is_looping(endless[: enough - 1])
        assert not is_looping([*endless[: enough - 1], 99])

    def test_longer_periods_are_verses(self) -> None:
        assert not is_looping([*range(33)] * LOOP_REPEATS)


class TestBeams:
    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize("length_penalty", [None, 0.0, 1.0])
    def test_enough_beams_find_the_best_there_is(
        self, seed: int, length_penalty: float | None
    ) -> None:
        table, limit = random_table(seed), 4
        divisors = {
            length: length if length_penalty is None else ((5 + length) / 6) ** length_penalty
            for length in range(1, limit + 1)
        }
        # One more than there are open sequences, so that the search does not stop at enough ends.
        ended = list(every_ended(limit))
        found = run(table, how(limit, beams=len(ended) + 1, length_penalty=length_penalty))
        # Sequences that are open at the limit compete as well.
        still_open = list(product(range(END), repeat=limit))
        best = max([*ended, *still_open], key=lambda s: score(table, s) / divisors[len(s)])
        assert [*found.tokens, *[END] * found.ended] == [*best]
        assert found.average_log_probability == pytest.approx(
            score(table, best) / len(best), rel=1e-5
        )

    def test_beats_greedy_where_the_first_step_misleads(self) -> None:
        unsure = (0.3, 0.3, 0.2, 0.2)
        table = markov((0.5, 0.4, 0.05, 0.05), unsure, (0.01, 0.01, 0.01, 0.97), unsure)
        assert run(table, how(6)).tokens[0] == 0
        for beams in (2, 3, 5):
            found = run(table, how(6, beams=beams))
            assert found.tokens == (1,)
            assert found.average_log_probability == pytest.approx(np.log(0.4 * 0.97) / 2)

    @pytest.mark.parametrize("beams", [1, 2, 3, 4, 5])
    def test_is_seldom_worse_than_greedy(self, beams: int) -> None:
        # A beam search may lose the greedy path for others that look better for a while. Without ends all
        # sequences have the same length, so that scores can be compared.
        gains = []
        for seed in range(40):
            table = random_table(100 + seed, end=-50.0)
            greedy, found = run(table, how(8)), run(table, how(8, beams=beams))
            gains.append(found.average_log_probability - greedy.average_log_probability)
        if beams == 1:
            assert gains == [0.0] * 40
        else:
            assert np.mean(np.array(gains) > -1e-6) >= 0.95
            assert np.mean(gains) > 0.015

    def test_an_unlikely_end_does_not_stop_the_search(self) -> None:
        # With so few letters the ends are among the best four, but never among the best two.
        row = (0.49, 0.44, 0.02, 0.05)
        table = markov(row, (0.44, 0.49, 0.02, 0.05), (0.05, 0.02, 0.44, 0.49), row)
        found = run(table, how(6, beams=2))
        assert found.tokens == (0, 1)
        assert found.ended

    def test_an_end_takes_no_other_beams_place(self) -> None:
        unsure = (0.25, 0.25, 0.25, 0.25)
        table = markov((0.5, 0.2, 0.0, 0.3), unsure, (0.0, 0.01, 0.0, 0.99), unsure)
        # "0", the end and "1" are the likeliest, in this order: the two that go on are the beams.
        found = run(table, how(6, beams=2))
        assert found.tokens == (1,)
        assert found.average_log_probability == pytest.approx(np.log(0.2 * 0.99) / 2)

    def test_fewer_candidates_than_beams(self) -> None:
        table = markov((0.9, 0, 0, 0.1), (0, 0.9, 0, 0.1), (0, 0, 0, 1.0))
        found = run(table, how(6, beams=5))
        assert found.tokens == (0, 1)
        assert found.average_log_probability == pytest.approx(np.log(0.81) / 3)

    def test_limit_without_any_end(self) -> None:
        table = markov((0.6, 0.4, 0, 0), (0.1, 0.9, 0, 0), (0.9, 0.1, 0, 0))
        decoding = TableDecoding(table, 2)
        found = run(table, how(5, beams=2), decoding=decoding)
        assert found.tokens == (0, 1, 0, 1, 0)
        assert not found.ended
        assert found.average_log_probability == pytest.approx((np.log(0.6) + 4 * np.log(0.9)) / 5)
        assert decoding.steps == 4

    def test_an_early_unlikely_end_does_not_beat_long_speech(self) -> None:
        table = markov((0.9, 0, 0, 0.1), (0, 0.9, 0.1, 0), (0.9, 0, 0.1, 0), (0.5, 0.5, 0, 0))
        found = run(table, how(9, beams=3))
        assert len(found.tokens) == 9
        assert not found.ended

    def test_an_end_beats_loops(self) -> None:
        table = markov((0.9, 0, 0, 0.1), (0.9, 0, 0, 0.1))
        found = run(table, how(100, beams=30))
        assert found.ended
        assert len(found.tokens) < LOOP_TOKENS

    def test_all_beams_in_a_loop(self) -> None:
        table = markov((0.9, 0.1, 0, 0), (1.0, 0, 0, 0), (0, 1.0, 0, 0))
        found = run(table, how(100, beams=2))
        assert found.tokens == (0,) * LOOP_TOKENS
        assert not found.ended

    @pytest.mark.parametrize(
        ("length_penalty", "expected"), [(0.0, 1), (0.2, 1), (1.0, 4), (None, 4)]
    )
    def test_length_penalty_chooses_among_the_finished(
        self, length_penalty: float | None, expected: int
    ) -> None:
        # Either "1" with 0.30 and its end, or "0000" with 0.70, then 0.7 thrice, then its end.
        def table(sequence: tuple[int, ...]) -> Logits:
            if not sequence:
                row = (0.70, 0.30, 0.0, 0.0)
            elif sequence[0] == 1 or len(sequence) == 4:
                row = (0.0, 0.0, 0.0, 1.0)
            else:
                row = (0.7, 0.15, 0.15, 0.0)
            logits: Logits = np.log(np.maximum(np.array(row), 1e-30)).astype(np.float32)
            return logits

        found = run(table, how(6, beams=2, length_penalty=length_penalty))
        assert len(found.tokens) == expected


class TestSampling:
    def test_same_seed_same_text(self) -> None:
        table = random_table(7, end=-3.0)
        settings = how(12, beams=3, temperature=1.0)
        assert run(table, settings, seed=1) == run(table, settings, seed=1)
        assert len({run(table, settings, seed=seed).tokens for seed in range(10)}) > 5

    @pytest.mark.parametrize("temperature", [0.5, 1.0])
    def test_follows_the_probabilities(self, temperature: float) -> None:
        probabilities = np.array([0.5, 0.3, 0.15, 0.05])
        table, draws = markov(probabilities.tolist()), 2000
        expected = probabilities ** (1 / temperature)
        expected *= draws / expected.sum()
        random = np.random.default_rng(3)
        rules = TokenRules(small_tokenizer(), GenerationRules(), SIZE, timestamps=False)
        counts = np.zeros(SIZE)
        for _ in range(draws):
            found = search(
                TableDecoding(table, 1),
                table(())[np.newaxis],
                rules,
                how(1, temperature=temperature),
                random,
            )
            counts[found.tokens[0] if found.tokens else END] += 1
            # Scores are of the probabilities as they are, whatever the temperature.
            token = found.tokens[0] if found.tokens else END
            assert found.average_log_probability == pytest.approx(np.log(probabilities[token]))
        # 16.3 is exceeded by chance once in a thousand seeds.
        assert ((counts - expected) ** 2 / expected).sum() < 16.3

    def test_never_what_the_rules_forbid(self) -> None:
        table = markov((0.9, 0.05, 0.05, 0), (0, 0, 0, 1), (0, 0, 0, 1), (0, 0, 0, 1))
        rules = GenerationRules(suppress=(0,))
        found = {run(table, how(2, temperature=1.0), seed, rules).tokens for seed in range(30)}
        assert found == {(1,), (2,)}

    @pytest.mark.parametrize("seed", range(10))
    def test_samples_end_at_different_steps(self, seed: int) -> None:
        table = random_table(seed, end=-1.0)
        samples = 6
        decoding = TableDecoding(table, samples)
        found = run(table, how(10, beams=samples, temperature=1.0), seed, decoding=decoding)
        # The same noise, drawn by hand.
        random = np.random.default_rng(seed)
        drawn: list[list[int]] = [[] for _ in range(samples)]
        fed: list[tuple[int, ...]] = [() for _ in range(samples)]
        for _ in range(10):
            logits = np.stack([table(sequence) for sequence in fed])
            chosen = (logits + random.gumbel(size=logits.shape).astype(np.float32)).argmax(axis=1)
            fed = [(*sequence, int(token)) for sequence, token in zip(fed, chosen, strict=True)]
            for sequence, token in zip(drawn, chosen.tolist(), strict=True):
                if END not in sequence:
                    sequence.append(token)
            if all(END in sequence for sequence in drawn):
                break
        assert len({len(sequence) for sequence in drawn}) > 1
        best = max(drawn, key=lambda sequence: score(table, sequence) / len(sequence))
        assert [*found.tokens, *[END] * found.ended] == best
        assert found.average_log_probability == pytest.approx(
            score(table, best) / len(best), rel=1e-5
        )
        assert decoding.steps == max(map(len, drawn)) - 1
        assert found.temperature == 1.0


def test_log_probabilities() -> None:
    logits = np.array([[0.0, np.log(3.0), -np.inf], [1000.0, 1000.0, -1000.0]], np.float32)
    before = logits.copy()
    np.testing.assert_allclose(
        np.exp(log_probabilities(logits)), [[0.25, 0.75, 0.0], [0.5, 0.5, 0.0]], rtol=1e-6
    )
    np.testing.assert_array_equal(logits, before)
