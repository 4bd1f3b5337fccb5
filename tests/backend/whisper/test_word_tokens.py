"""Words to tokens as the library makes them."""

from __future__ import annotations

import pytest

from tests.backend.whisper.scripted_model import small_tokenizer


@pytest.mark.parametrize(
    "text",
    [
        " turn",
        " Turn",
        "heating",
        " heating",
        " lights.",
        " don't",
        " 21.5",
        "%",
        " \u00b0c",
        " K\u00f6ln",
        " \u597d",
        " on-off",
        ' "on"',
        "",
    ],
)
def test_as_the_library(text: str):
    tokenizer = small_tokenizer()
    assert tokenizer.words.encode(text) == tuple(tokenizer.encode(text))
