import random
from itertools import islice

import pytest

from tools.model.cabin.grammar import Grammar
from tools.model.cabin.sentences import HESITATIONS, Split, held_out_texts, split_of, training_lines

GRAMMAR = Grammar.read()


def test_short_commands_are_all_for_training() -> None:
    assert all(split_of(word) is Split.TRAIN for word in GRAMMAR.vocabulary)


def test_held_out_sentences_are_never_trained_on() -> None:
    trained = {line.text for line in islice(training_lines(GRAMMAR, random.Random(1)), 1500)}
    for split in (Split.TEST, Split.DEVELOPMENT):
        held_out = held_out_texts(GRAMMAR, random.Random(2), split, 200)
        assert len(set(held_out)) == 200
        assert trained.isdisjoint(held_out)


def test_test_and_development_sentences_are_different() -> None:
    test = held_out_texts(GRAMMAR, random.Random(2), Split.TEST, 200)
    development = held_out_texts(GRAMMAR, random.Random(2), Split.DEVELOPMENT, 200)
    assert set(test).isdisjoint(development)


def test_the_split_keeps_its_shares() -> None:
    texts = {GRAMMAR.sentence(random.Random(seed)) for seed in range(8000)}
    longer = [text for text in texts if len(text.split()) >= 3]
    share = sum(split_of(text) is Split.TEST for text in longer) / len(longer)
    assert 0.06 < share < 0.10


def test_fragments_make_a_fifth_at_least() -> None:
    lines = list(islice(training_lines(GRAMMAR, random.Random(3)), 1500))
    assert sum(len(line.text.split()) <= 2 for line in lines) / len(lines) >= 0.2


@pytest.mark.slow
def test_every_word_is_trained() -> None:
    lines = islice(training_lines(GRAMMAR, random.Random(4)), 12_000)
    counts = dict.fromkeys(GRAMMAR.vocabulary, 0)
    for line in lines:
        for word in line.text.split():
            counts[word] += 1
    assert min(counts.values()) >= 5


def test_hesitations_are_spoken_and_not_written() -> None:
    lines = list(islice(training_lines(GRAMMAR, random.Random(5)), 1500))
    hesitant = [line for line in lines if line.spoken != line.text]
    assert 0.02 < len(hesitant) / len(lines) < 0.06
    for line in hesitant:
        [pause] = [word for word in line.spoken.split() if word.endswith(",")]
        assert pause.rstrip(",") in HESITATIONS
        assert line.spoken.replace(f"{pause} ", "", 1) == line.text
