"""Audio-context finetuning: the student hears only the clip, and shall think what the teacher thinks.

The method is FUTO's ACFT for Whisper: the loss is the distance of the decoder's hidden states over the
transcript from those of the same weights with the full context, so no text has to be learnt again.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from rtap.errors import ConfigurationError, ModelError
from rtap.whisper.features import HOP
from tools.adaptation.clips import Clip
from tools.adaptation.lessons import Lesson, Teacher
from tools.adaptation.whisper import Whisper

_WARM_UP: Final = 0.05
"""Part of the steps in which the learning rate rises."""
_CLIP_NORM: Final = 1.0
_JUDGED: Final = 10
"""Times that the validation loss is measured, besides the beginning."""
_FULL_SHARE: Final = 0.1
"""Part of the steps with the full context, so that 30 s stay as good as they were."""
_MARGIN_FRAMES: Final = 100

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how fast to learn."""

    steps: int
    learning_rate: float
    """The highest; it rises at first and falls to nothing at the last step."""
    batch: int
    """Clips in one step."""
    seed: int

    def rate_at(self, step: int) -> float:
        """Learning rate of a step from 0: linear rise, then half a cosine."""
        warm_up = max(1, round(self.steps * _WARM_UP))
        if step < warm_up:
            return self.learning_rate * (step + 1) / warm_up
        done = (step - warm_up) / max(self.steps - warm_up, 1)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


@dataclass(frozen=True, slots=True)
class Losses:
    """Validation losses; 0 would be a student that thinks just what the teacher does."""

    before: float
    after: float
    """Of the weights that are kept: the best on the way."""
    best_step: int
    """0: no step made it better."""


def adapt(
    student: Whisper,
    teacher: Teacher,
    clips: Sequence[Clip],
    validation: Sequence[Clip],
    course: Course,
    report: Report,
) -> Losses:
    """Teach the student, and leave it with the weights that did best on the validation clips.

    Raises:
        ModelError: the student's weights are damaged.
        ConfigurationError: the learning rate is too high.
    """
    torch.manual_seed(course.seed)
    draws = _Draws(student, clips, course)
    parameters = [one for one in student.network.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.0)
    before = best = validation_loss(student, teacher, validation)
    kept, best_step = copy.deepcopy(student.network.state_dict()), 0
    if not math.isfinite(before):
        raise ModelError("the checkpoint's weights are no numbers: download it again")
    report(f"step 0 of {course.steps}, validation loss {before:.4f}")
    every = max(1, course.steps // _JUDGED)
    for step in range(course.steps):
        for group in optimizer.param_groups:
            group["lr"] = course.rate_at(step)
        chosen, frames = draws.next()
        loss = _loss(student, teacher, chosen, frames)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, _CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad()
        done = step + 1
        if done % every == 0 or done == course.steps:
            judged = validation_loss(student, teacher, validation)
            if not math.isfinite(judged):
                raise ConfigurationError(
                    f"after step {done} the loss is no number any more: lower --learning-rate"
                )
            report(f"step {done} of {course.steps}, validation loss {judged:.4f}")
            if judged < best:
                best, best_step = judged, done
                kept = copy.deepcopy(student.network.state_dict())
    student.network.load_state_dict(kept)
    return Losses(before, best, best_step)


@torch.no_grad()
def validation_loss(student: Whisper, teacher: Teacher, clips: Sequence[Clip]) -> float:
    """Mean loss over clips, each in the context that the engine would give it."""
    losses = [_loss(student, teacher, [clip], student.frames(clip)) for clip in clips]
    return float(torch.stack(losses).mean())


def _loss(student: Whisper, teacher: Teacher, clips: Sequence[Clip], frames: int) -> Tensor:
    """Squared distance of the hidden states over the teacher's squared length, averaged over the layers."""
    lessons = [teacher.lesson(clip) for clip in clips]
    tokens, spoken = _batch(lessons, student)
    found = student.hidden_states(student.encode(student.features(clips, frames)), tokens)[
        :, spoken
    ]
    wanted = torch.cat([lesson.states for lesson in lessons], dim=1)
    # Some layers' values are a thousand times those of others: each counts for itself.
    distance = (found - wanted).square().mean(dim=(1, 2))
    return (distance / wanted.square().mean(dim=(1, 2))).mean()


def _batch(lessons: Sequence[Lesson], student: Whisper) -> tuple[Tensor, Tensor]:
    """Tokens filled up at the end, and where they are real: both (lessons, tokens)."""
    longest = max(len(lesson.tokens) for lesson in lessons)
    tokens = torch.full((len(lessons), longest), student.tokenizer.end_of_text)
    spoken = torch.zeros(tokens.shape, dtype=torch.bool)
    for row, lesson in enumerate(lessons):
        tokens[row, : len(lesson.tokens)] = torch.tensor(lesson.tokens)
        spoken[row, : len(lesson.tokens)] = True
    return tokens.to(student.device), spoken.to(student.device)


class _Draws:
    """Batches of clips that the engine would encode in the same context, and a context for each."""

    def __init__(self, student: Whisper, clips: Sequence[Clip], course: Course) -> None:
        self._random = np.random.default_rng(course.seed)
        self._full = student.full
        self._size = course.batch
        self._groups: dict[int, list[Clip]] = {}
        for clip in clips:
            self._groups.setdefault(student.frames(clip), []).append(clip)
        counts = np.array([len(group) for group in self._groups.values()])
        self._shares = counts / counts.sum()

    def next(self) -> tuple[list[Clip], int]:
        """The frames vary from the clips' own length to a second more than the engine would take."""
        group = int(self._random.choice(len(self._shares), p=self._shares))
        engines, clips = list(self._groups.items())[group]
        chosen = [clips[index] for index in self._random.integers(0, len(clips), self._size)]
        if self._random.random() < _FULL_SHARE:
            return chosen, self._full
        own = max(-(-clip.audio.size // HOP) for clip in chosen)
        frames = int(self._random.integers(min(own, engines), engines + _MARGIN_FRAMES + 1))
        return chosen, min(frames + frames % 2, self._full)
