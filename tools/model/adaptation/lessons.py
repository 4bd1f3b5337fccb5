"""What the student shall think and write: the hidden states of the model that hears 30 s, and the text."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tools.model.adaptation.clips import Clip
from tools.model.adaptation.whisper import Whisper
from tools.model.evaluation.normalization import normalizer_for

_KEPT_BYTES = 2**30


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One clip's tokens and the teacher's hidden states over them."""

    tokens: list[int]
    states: Tensor
    """Shape (layers, tokens, width)."""
    prompt: int
    """How many of the tokens come before the text."""
    agrees: bool
    """Whether the teacher itself hears this text; if not, what it predicts is no example."""


class Teacher:
    """A frozen model with the full context; remembers up to 1 GiB of what it said."""

    def __init__(self, whisper: Whisper) -> None:
        self._whisper = whisper
        self._kept: dict[int, Lesson] = {}
        self._room = _KEPT_BYTES

    @torch.no_grad()
    def lesson(self, clip: Clip) -> Lesson:
        """The lesson of a clip, which must outlive the teacher.

        The tokens are the teacher's own transcript, in its own spelling, where nobody knows better: without
        a text, and where it hears the words of the text.
        """
        kept = self._kept.get(id(clip))
        if kept is not None:
            return kept
        whisper = self._whisper
        encoded = whisper.encode(whisper.features([clip], whisper.full))
        heard = whisper.text(whisper.search_in(encoded, clip))
        normalizer = normalizer_for(clip.language or whisper.language)
        agrees = clip.text is None or normalizer.words(clip.text) == normalizer.words(heard)
        text = heard if clip.text is None or agrees else clip.text
        tokens = whisper.text_tokens(text, clip.language)
        batch = torch.tensor([tokens], device=whisper.device)
        states = whisper.hidden_states(encoded, batch)[:, 0]
        lesson = Lesson(tokens, states, len(whisper.prompt(clip.language)), agrees)
        size = lesson.states.numel() * lesson.states.element_size()
        if size <= self._room:
            self._room -= size
            self._kept[id(clip)] = lesson
        return lesson
