"""Who speaks: the voices of free synthesisers, and which of them are kept for testing.

Licences: espeak-ng GPL-3+ (its output is not covered), flite and its voices BSD-like (Carnegie Mellon),
festival MIT-like, festvox-kallpc16k and festvox-kdlpc16k BSD-like, festvox-us-slt-hts MIT-like, Kokoro and
its styles Apache-2.0, SVOX Pico Apache-2.0.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Role(Enum):
    """What a voice may be used for."""

    SEEN = "seen"
    """Training, and tests of unseen sentences."""
    UNSEEN_VOICE = "unseen-voice"
    """Tests only; other voices of the same synthesiser are in the training data."""
    NEVER_USED = "never-used"
    """Tests only; nothing of this synthesiser or this speaker is in the training data."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaker of one synthesiser.

    Args:
        synthesiser: espeak-ng, flite, festival, kokoro, pico, piper or rhvoice.
        name: as the synthesiser calls it; two of Kokoro's with + between them make a third speaker.
        share: how often it is drawn, relative to the others.
        pitch: fundamental frequency in Hz (lowest, highest) that the voice can be set to, where it can.
    """

    synthesiser: str
    name: str
    role: Role
    share: float
    pitch: tuple[int, int] | None = None

    @property
    def speaker(self) -> str:
        """Unique over all synthesisers, and fit for a file name."""
        return f"{self.synthesiser}-{self.name}".replace("+", "-")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ACCENTS: Final = (
    "en-us",
    "en-gb",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-rp",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us-nyc",
)
_ACCENT_SHARES: Final = (6, 4, 2, 2, 3, 2, 1, 2)

# Left out: croak, whispers and the variants that imitate machines, which no driver sounds like.
_VARIANTS: Final = _names(
    "f1 f2 f3 f5 m1 m2 m3 m4 m5 m7 m8 adam Alex Alicia Andy Annie antonio aunty belinda"
    " benjamin boris caleb Demonic Denis Diogo ed edward edward2 Gene Gene2 gustave"
    " Henrique Hugo iven iven2 iven3 iven4 john kaukovalta Lee linda marcelo Marco Mario"
    " max Michael michel miguel Mr norbert pablo paul pedro quincy rob robert sandro shelby"
    " steph steph2 steph3 travis victor Tweaky grandma grandpa klatt klatt2 klatt3 klatt4"
)
_VARIANTS_UNSEEN: Final = ("f4", "m6", "Andrea", "Mike", "anika", "david", "Jacky", "zac")

_FORMANT_SHARE: Final = 0.40
"""Part of the training data that espeak-ng's formant synthesis speaks: many voices, but the least natural."""


def _espeak() -> list[Voice]:
    total = sum(_ACCENT_SHARES) * len(_VARIANTS)
    seen = [
        Voice("espeak-ng", f"{accent}+{variant}", Role.SEEN, _FORMANT_SHARE * share / total)
        for accent, share in zip(_ACCENTS, _ACCENT_SHARES, strict=True)
        for variant in _VARIANTS
    ]
    unseen = [
        Voice("espeak-ng", f"{accent}+{variant}", Role.UNSEEN_VOICE, 1.0)
        for accent in ("en-us", "en-gb")
        for variant in _VARIANTS_UNSEEN
    ]
    return seen + unseen


# Left out: af_nicole, who whispers, and the three that play Santa Claus.
_STYLES: Final = _names(
    "af_alloy af_aoede af_bella af_heart af_jessica af_kore af_nova af_river af_sky am_adam"
    " am_echo am_eric am_fenrir am_liam am_onyx am_puck bf_alice bf_isabella bf_lily"
    " bm_daniel bm_fable bm_lewis"
)
_FOREIGN_STYLES: Final = _names(
    "ef_dora em_alex ff_siwis hf_alpha hf_beta hm_omega hm_psi if_sara im_nicola jf_alpha"
    " jf_gongitsune jf_nezumi jf_tebukuro jm_kumo pf_dora pm_alex zf_xiaobei zf_xiaoni"
    " zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi zm_yunxia zm_yunyang"
)
_STYLES_UNSEEN: Final = ("af_sarah", "am_michael", "bf_emma", "bm_george")
_BLENDS: Final = 200


def _kokoro() -> list[Voice]:
    rng = random.Random(0)
    blends = [
        f"{rng.choice(_STYLES)}+{rng.choice(_STYLES + _FOREIGN_STYLES)}" for _ in range(_BLENDS)
    ]
    seen = [
        *(Voice("kokoro", name, Role.SEEN, 0.45 / len(_STYLES)) for name in _STYLES),
        *(Voice("kokoro", name, Role.SEEN, 0.1 / len(_FOREIGN_STYLES)) for name in _FOREIGN_STYLES),
        *(Voice("kokoro", name, Role.SEEN, 0.45 / _BLENDS) for name in blends),
    ]
    return [*seen, *(Voice("kokoro", name, Role.UNSEEN_VOICE, 4.0) for name in _STYLES_UNSEEN)]


VOICES: Final = (
    *_espeak(),
    *_kokoro(),
    Voice("flite", "slt", Role.SEEN, 0.15, (140, 240)),
    Voice("flite", "awb", Role.SEEN, 0.15, (85, 170)),
    Voice("flite", "kal16", Role.SEEN, 0.08, (75, 150)),
    Voice("flite", "rms", Role.UNSEEN_VOICE, 1.0, (75, 130)),
    Voice("festival", "cmu_us_slt_arctic_hts", Role.SEEN, 0.12),
    Voice("festival", "kal_diphone", Role.SEEN, 0.10, (80, 170)),
    Voice("festival", "ked_diphone", Role.NEVER_USED, 1.0, (80, 130)),
    Voice("pico", "en-US", Role.NEVER_USED, 1.0),
    Voice("pico", "en-GB", Role.NEVER_USED, 1.0),
)


def with_role(role: Role, *, neural: bool | None = None) -> list[Voice]:
    """The voices for one purpose; of the neural synthesiser only, or of all others, if asked."""
    return [
        voice
        for voice in VOICES
        if voice.role is role and neural in (None, voice.synthesiser == "kokoro")
    ]


def draw(rng: random.Random, voices: list[Voice]) -> Voice:
    """One of them, by their shares."""
    [voice] = rng.choices(voices, [voice.share for voice in voices])
    return voice
