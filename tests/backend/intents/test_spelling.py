"""What Whisper writes, as it is spoken."""

import pytest

from rtap.intents.spelling import Spelling

ENGLISH = Spelling(
    {
        "°C": "degrees celsius",
        "°": "degrees",
        "%": "percent",
        "km/h": "kilometers per hour",
        "A/C": "ac",
    }
)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Set it to 21°C, please.", "set it to 21 degrees celsius please"),
        ("21° C", "21 degrees c"),
        ("50% – now!", "50 percent now"),
        ("120km/h", "120 kilometers per hour"),
        ("Turn on the A/C.", "turn on the ac"),
        ("MACHT", "macht"),
        ("21,5 and 21.5", "21.5 and 21.5"),
        ("At 7:30. Or 8.", "at 7:30 or 8"),
        ("I’d like it ‘warm’", "i'd like it warm"),
        ("the left-hand side", "the left hand side"),
        ("-5 degrees", "-5 degrees"),
        ("Öffne…  das\tFenster?!", "öffne das fenster"),
        ("O\u0308ffne", "öffne"),
        ("„Ja“, (sagte er)", "ja sagte er"),
        ("St. Pölten", "st pölten"),
        ("", ""),
        ("...", ""),
    ],
)
def test_plain(text: str, plain: str):
    assert ENGLISH.plain(text) == plain
    assert ENGLISH.plain(plain) == plain


def test_a_short_form_within_a_word_is_none():
    assert Spelling({"ac": "air conditioning"}).plain("a track") == "a track"


def test_without_spellings():
    assert Spelling({}).plain("20 %.") == "20 %"
