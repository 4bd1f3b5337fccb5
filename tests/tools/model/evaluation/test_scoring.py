"""Word errors, counted by hand."""

from __future__ import annotations

import pytest

from tests.tools.model.evaluation.measurements import scored
from tools.model.evaluation.scoring import Counts, count, summarize, summarize_by, worst


@pytest.mark.parametrize(
    ("said", "heard", "counts", "rate"),
    [
        ("turn on the heating", "turn on the heating", Counts(4), 0.0),
        ("turn on the heating", "turn off the heating", Counts(4, substitutions=1), 0.25),
        ("turn on the heating", "turn the heating", Counts(4, deletions=1), 0.25),
        ("turn on the heating", "turn on all the heating", Counts(4, insertions=1), 0.25),
        ("a b c d e f", "x b d e f g", Counts(6, substitutions=1, deletions=1, insertions=1), 0.5),
        ("navigate home", "", Counts(2, deletions=2), 1.0),
        ("stop", "do not stop it", Counts(1, insertions=3), 3.0),
        ("", "thank you", Counts(0, insertions=2), None),
        ("", "", Counts(0), None),
    ],
)
def test_count(said: str, heard: str, counts: Counts, rate: float | None) -> None:
    assert count(said.split(), heard.split()) == counts
    assert counts.error_rate == rate


def test_both_sides_are_normalised() -> None:
    assert scored("Turn LEFT!", "turn, left").counts == Counts(2)


def test_summary_weighs_words_not_sentences() -> None:
    summary = summarize(
        [
            scored(
                "one two three four five six seven eight", "one two three four five six seven eight"
            ),
            scored("stop", "go"),
            scored("left", ""),
        ]
    )
    assert summary.counts == Counts(10, substitutions=1, deletions=1)
    assert summary.counts.error_rate == 0.2
    assert (summary.utterances, summary.right, summary.silent) == (3, 1, 0)
    assert summary.false_text_rate is None


def test_without_speech_nothing_reaches_the_word_errors() -> None:
    silent = [scored("", ""), scored("", "thank you"), scored("", "."), scored("", "")]
    summary = summarize([scored("turn left", "turn right"), *silent])
    assert summary.counts == Counts(2, substitutions=1)
    assert (summary.utterances, summary.right) == (1, 0)
    assert (summary.silent, summary.false_texts, summary.false_words) == (4, 2, 2)
    assert summary.false_text_rate == 0.5


def test_a_sentence_without_words_is_speech_all_the_same() -> None:
    summary = summarize([scored("...", ""), scored("...", "yes")])
    assert (summary.utterances, summary.silent, summary.right) == (2, 0, 1)
    assert summary.counts == Counts(0, insertions=1)
    assert summary.counts.error_rate is None


def test_speed() -> None:
    times = [(1.0, 0.5), (10.0, 1.0), (4.0, 1.0)]
    summary = summarize([scored("a", "a", seconds=s, inference_time=t) for s, t in times])
    assert (summary.seconds, summary.inference_time) == (15.0, 2.5)
    assert summary.rtf == pytest.approx(2.5 / 15)
    assert summary.median_rtf == 0.25


def test_nothing_has_no_rates() -> None:
    summary = summarize([])
    assert summary.counts == Counts()
    assert (summary.rtf, summary.median_rtf, summary.false_text_rate) == (None, None, None)
    assert summary.counts.error_rate is None


def test_groups_keep_their_order_and_their_own() -> None:
    results = [scored("a", "a", group="z"), scored("a", "b", group="y"), scored("a", "", group="z")]
    groups = summarize_by(results, lambda one: one.heard.utterance.group)
    assert {name: summary.counts for name, summary in groups.items()} == {
        "z": Counts(2, deletions=1),
        "y": Counts(1, substitutions=1),
    }
    assert list(groups) == ["z", "y"]


def test_worst() -> None:
    results = [
        scored("a b c d", "a b x y"),
        scored("a b", "a b"),
        scored("a b", "x y"),
        scored("", "one two three"),
        scored("a", "x"),
    ]
    order = [results[3], results[2], results[0], results[4]]
    assert worst(results, 10) == order
    assert worst(results, 2) == order[:2]
    assert worst(results, 0) == []


def test_phrases_are_heard_in_their_order_and_whole() -> None:
    phrases = ("double shot", "latte")
    heard = {
        "A double-shot latte, please!": True,
        "latte with a double shot": True,
        "shot double latte": False,
        "a double strong shot latte": False,
        "a double shot": False,
        "": False,
    }
    for text, expected in heard.items():
        assert scored("", text, must_contain=phrases).has_phrases is expected, text
    summary = summarize([scored("", text, must_contain=phrases) for text in heard])
    assert (summary.keywords, summary.keywords_right, summary.files) == (6, 2, 6)
    assert (summary.utterances, summary.silent, summary.counts) == (0, 0, Counts())


def test_encodes() -> None:
    twice, once = scored("a", "a", contexts=(3.0, 30.0)), scored("a", "a", contexts=(3.0,))
    assert summarize([twice, once]).encodes == 3
    assert summarize([twice, scored("a", "a", contexts=None)]).encodes is None
    assert summarize([]).encodes is None


def test_pieces_are_in_no_figure_of_words() -> None:
    pieces = [
        scored("turn left", "turn", cut=(0.0, 1.0)),
        scored("", "latte", must_contain=("small", "latte"), cut=(0.0, 1.0)),
        scored("", "", cut=(1.0, 2.0)),
    ]
    summary = summarize([scored("turn left", "turn left"), *pieces])
    assert (summary.utterances, summary.keywords, summary.silent, summary.pieces) == (1, 0, 0, 3)
    assert (summary.counts, summary.files, summary.seconds) == (Counts(2), 4, 8.0)
