"""Text that grows while somebody speaks, and is never taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtap.stages.partials import LocalAgreement


def outputs(*hypotheses: str) -> list[str | None]:
    agreement = LocalAgreement()
    return [agreement.push(one) for one in hypotheses]


@pytest.mark.parametrize(
    ("hypotheses", "expected"),
    [
        pytest.param(["turn on the"], [None], id="one hypothesis confirms nothing"),
        pytest.param(["turn on the", "turn on the heat"], [None, "turn on the"], id="agreement"),
        pytest.param(["turn on", "turn on"], [None, "turn"], id="the last word is held back"),
        pytest.param(
            ["turn on", "turn on the", "turn on the heating"],
            [None, "turn on", "turn on the"],
            id="grows",
        ),
        pytest.param(
            ["turn of the", "turn on the", "turn on the heating"],
            [None, "turn", "turn on the"],
            id="a word that changes waits",
        ),
        pytest.param(
            ["Turn on.", "turn on, the", "TURN ON the heating"],
            [None, "turn on,", "turn on, the"],
            id="neither case nor punctuation",
        ),
        pytest.param(["3.5 or so", "35 or so"], [None, None], id="punctuation within a word"),
        pytest.param(["- yes no", "- yes no"], [None, "- yes"], id="punctuation alone is a word"),
        pytest.param(["", "turn", "", "turn on"], [None] * 4, id="nothing heard in between"),
        pytest.param(
            ["a b c", "a b c", "a b c"], [None, "a b", None], id="nothing new is not repeated"
        ),
        pytest.param(["打开暖气", "打开暖气吧"], [None, "打开暖气"], id="without spaces"),
        pytest.param(
            ["a b x", "a b x", "a c d e", "a c d e", "a b d e f", "a b d e f"],
            [None, "a b", None, None, None, "a b d e"],
            id="contradiction waits",
        ),
        pytest.param(
            ["a b c", "a b c d", "z b c d e", "z b c d e f"],
            [None, "a b c", None, "a b c d e"],
            id="followed from the last confirmed word on",
        ),
    ],
)
def test_what_is_confirmed(hypotheses: list[str], expected: list[str | None]) -> None:
    assert outputs(*hypotheses) == expected


def test_the_final_text_is_final() -> None:
    agreement = LocalAgreement()
    agreement.push("turn off the light")
    assert agreement.push("turn off the light") == "turn off the"
    assert agreement.finish(" Turn on the light. ") == "Turn on the light."


def test_the_next_utterance_begins_anew() -> None:
    agreement = LocalAgreement()
    agreement.push("yes please now")
    agreement.push("yes please now")
    agreement.finish("yes please")
    assert agreement.push("yes please now") is None
    assert agreement.push("yes please now") == "yes please"


WORDS = st.sampled_from(
    ["turn", "Turn", "on", "on.", "of", "the", "heating", "-", "好", "打开", "é"]
)
HYPOTHESES = st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=12)


@given(HYPOTHESES | st.lists(st.text(max_size=20), max_size=8))
def test_only_ever_appends(hypotheses: list[str]) -> None:
    agreement = LocalAgreement()
    shown = ""
    for hypothesis in hypotheses:
        text = agreement.push(hypothesis)
        if text is not None:
            assert text.startswith(shown)
            assert len(text) > len(shown)
            shown = text


@given(st.lists(WORDS, min_size=1, max_size=12))
def test_a_growing_utterance_is_shown_but_for_its_last_word(words: list[str]) -> None:
    agreement = LocalAgreement()
    shown = ""
    for end in range(1, len(words) + 1):
        shown = agreement.push(" ".join(words[:end])) or shown
    everything = agreement.push(" ".join(words)) or shown
    # "打开" has two characters, of which the second may still change.
    assert " ".join(words).removesuffix(words[-1][-1]).startswith(everything)
    assert everything.split() == " ".join(words)[: len(everything)].split()
    assert len(everything) >= len(" ".join(words[:-1]))
