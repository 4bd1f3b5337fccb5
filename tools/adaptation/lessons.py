"""What the student shall think: the decoder's hidden states of the model that hears 30 s."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tools.adaptation.clips import Clip
from tools.adaptation.whisper import Whisper

_KEPT_BYTES = 2**30


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One clip's tokens and the teacher's hidden states over them."""

    tokens: list[int]
    states: Tensor
    """Shape (layers, tokens, width)."""


class Teacher:
    """A frozen model with the full context; remembers up to 1 GiB of what it said."""

    def __init__(self, whisper: Whisper) -> None:
        self._whisper = whisper
        self._kept: dict[int, Lesson] = {}
        self._room = _KEPT_BYTES

    @torch.no_grad()
    def lesson(self, clip: Clip) -> Lesson:
        """The lesson of a clip, which must outlive the teacher; without a text, on its own transcript."""
        kept = self._kept.get(id(clip))
        if kept is not None:
            return kept
        whisper = self._whisper
        text = clip.text
        if text is None:
            text = whisper.transcribe(clip, whisper.full)
        tokens = whisper.text_tokens(text)
        encoded = whisper.encode(whisper.features([clip], whisper.full))
        batch = torch.tensor([tokens], device=whisper.device)
        lesson = Lesson(tokens, whisper.hidden_states(encoded, batch)[:, 0])
        size = lesson.states.numel() * lesson.states.element_size()
        if size <= self._room:
            self._room -= size
            self._kept[id(clip)] = lesson
        return lesson
