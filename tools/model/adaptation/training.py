"""Audio-context finetuning: the student hears only the clip, and shall think what the teacher thinks.

The method is FUTO's ACFT for Whisper: the loss is the distance of the decoder's hidden states over the
transcript from those of the same weights with the full context, so no text has to be learnt again. To it
come the distance of the predicted tokens (Kullback-Leibler divergence from the teacher's predictions, where
the teacher hears the text) and the text itself (cross-entropy), which decide what greedy decoding writes.

The student may hear the clip in the noise of a car while the teacher hears it clean, and now and then noise
alone, of which it shall make no text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError, ModelError
from rtap.whisper.features import HOP
from tools.model.adaptation.clips import Clip
from tools.model.adaptation.lessons import Teacher
from tools.model.adaptation.low_rank import LowRank
from tools.model.adaptation.whisper import Whisper
from tools.model.cabin.augment import SPEECH_PEAK, Cabin, Strength
from tools.model.cabin.noise import bank

_WARM_UP: Final = 0.05
"""Part of the steps in which the learning rate rises."""
_CLIP_NORM: Final = 1.0
_JUDGED: Final = 10
"""Times that the validation loss is measured, besides the beginning."""
_FULL_SHARE: Final = 0.1
"""Part of the steps with the full context, so that 30 s stay as good as they were."""
_LEAST_MARGIN_FRAMES: Final = 25
_MARGIN_FRAMES: Final = 135
"""Silence after the audio: from 0.25 to 1.6 s. The engine gives 0.5 s, and rounds up to whole seconds."""
_AROUND: Final = 0.45
"""Seconds of silence before and after a clip, at most: a detector cuts at one place or another."""
_TEXT_WEIGHT: Final = 0.3
_PREDICTION_WEIGHT: Final = 0.3
"""Beside the distance of the hidden states, which is 1."""
_SPEECHLESS_SHARE: Final = 0.08
"""Part of the batches, where there is noise, that has no speech in it."""
_IN_A_CAR: Final = Strength(noisy=1.0, snr=(-2, 22), reverberant=0.15, speed=0.0, filtered=0.08)
_BANK_SECONDS: Final = 30.0
_BANK_PIECES: Final = 4
_BABBLE_CLIPS: Final = 200
"""Clips of which a murmur of many voices is made."""

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
    rank: int | None = None
    """Of the differences that learn; None: all weights do."""
    keep: float = 1.0
    """Part of the learnt differences that is kept in the end; wants a rank. Between the old weights and the
    new ones lie some that hear short contexts as the new ones do, and strange voices as the old ones did
    (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022)."""
    noisy: float = 0.0
    """Part of the clips that the student hears in synthesised noise, from -2 to 22 dB under the speech."""

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
    """Of the weights that are kept: the best on the way, or part of their differences."""
    best_step: int
    """0: no step made it better."""


def adapt(
    student: Whisper,
    teacher: Teacher,
    clips: Sequence[Clip],
    validation: Sequence[Clip],
    course: Course,
    report: Report,
) -> tuple[Losses, LowRank | None]:
    """Teach the student, and leave it with the weights that did best on the validation clips.

    Returns:
        The losses, and with a rank the differences that were learnt, merged into the student already.

    Raises:
        ModelError: the student's weights are damaged.
        ConfigurationError: the learning rate is too high.
    """
    torch.manual_seed(course.seed)
    differences = LowRank(student.network, course.rank) if course.rank else None
    parameters = [one for one in student.network.parameters() if one.requires_grad]
    draws = _Draws(student, clips, course)
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.0)
    before = best = validation_loss(student, teacher, validation)
    kept, best_step = _copies(parameters), 0
    if not math.isfinite(before):
        raise ModelError("the checkpoint's weights are no numbers: download it again")
    report(f"step 0 of {course.steps}, validation loss {before:.4f}")
    every = max(1, course.steps // _JUDGED)
    for step in range(course.steps):
        for group in optimizer.param_groups:
            group["lr"] = course.rate_at(step)
        loss = _lesson_loss(student, teacher, draws.next())
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
                best, best_step, kept = judged, done, _copies(parameters)
    with torch.no_grad():
        for parameter, value in zip(parameters, kept, strict=True):
            parameter.copy_(value)
    if differences is not None:
        if course.keep != 1.0:
            differences.scale(course.keep)
            best = validation_loss(student, teacher, validation)
            report(f"{course.keep:.0%} of the differences, validation loss {best:.4f}")
        differences.merge()
    return Losses(before, best, best_step), differences


def _copies(parameters: Sequence[torch.nn.Parameter]) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in parameters]


@torch.no_grad()
def validation_loss(student: Whisper, teacher: Teacher, clips: Sequence[Clip]) -> float:
    """Mean loss over clips, each in the context that the engine would give it."""
    losses = [_loss(student, teacher, [clip], student.frames(clip)) for clip in clips]
    return float(torch.stack(losses).mean())


def _loss(student: Whisper, teacher: Teacher, clips: Sequence[Clip], frames: int) -> Tensor:
    """The distance of the hidden states alone, each clip as it is: what the student is judged by."""
    lessons = [teacher.lesson(clip) for clip in clips]
    tokens, spoken = _batch([lesson.tokens for lesson in lessons], student)
    found = student.hidden_states(student.encode(student.features(clips, frames)), tokens)
    return _distance(found[:, spoken], torch.cat([lesson.states for lesson in lessons], dim=1))


def _distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Squared distance of (layers, tokens, width) over the teacher's squared length, averaged over layers."""
    # Some layers' values are a thousand times those of others: each counts for itself.
    distance = (found - wanted).square().mean(dim=(1, 2))
    return (distance / wanted.square().mean(dim=(1, 2))).mean()


def _lesson_loss(student: Whisper, teacher: Teacher, draw: Draw) -> Tensor:
    """All that the student learns from one batch."""
    lessons = [None if clip is None else teacher.lesson(clip) for clip in draw.clips]
    silence = student.prompt()
    texts = [silence if lesson is None else lesson.tokens for lesson in lessons]
    tokens, spoken = _batch(texts, student)
    mel = torch.from_numpy(np.stack([student.log_mel(one, draw.frames) for one in draw.audio]))
    states = student.hidden_states(student.encode(mel.to(student.device)), tokens)
    loss = torch.zeros((), device=student.device)
    taught = [row for row, lesson in enumerate(lessons) if lesson is not None]
    if taught:
        found = torch.cat([states[:, row, spoken[row]] for row in taught], dim=1)
        wanted = torch.cat([one.states for one in lessons if one is not None], dim=1)
        loss = loss + _distance(found, wanted)
    project = student.network.proj_out
    for row, (text, lesson) in enumerate(zip(texts, lessons, strict=True)):
        begin = len(silence if lesson is None else text[: lesson.prompt]) - 1
        logits = torch.log_softmax(project(states[-1, row, begin : len(text)]), dim=-1)
        following = torch.tensor([*text[begin + 1 :], student.tokenizer.end_of_text])
        texts_loss = functional.nll_loss(logits, following.to(student.device))
        loss = loss + _TEXT_WEIGHT / len(texts) * texts_loss
        if lesson is not None and lesson.agrees:
            with torch.no_grad():
                said = torch.log_softmax(project(lesson.states[-1, begin:]), dim=-1)
            apart = functional.kl_div(logits, said, log_target=True, reduction="batchmean")
            loss = loss + _PREDICTION_WEIGHT / len(texts) * apart
    return loss


def _batch(texts: Sequence[Sequence[int]], student: Whisper) -> tuple[Tensor, Tensor]:
    """Tokens filled up at the end, and where they are real: both (texts, tokens)."""
    longest = max(len(text) for text in texts)
    tokens = torch.full((len(texts), longest), student.tokenizer.end_of_text)
    spoken = torch.zeros(tokens.shape, dtype=torch.bool)
    for row, text in enumerate(texts):
        tokens[row, : len(text)] = torch.tensor(text)
        spoken[row, : len(text)] = True
    return tokens.to(student.device), spoken.to(student.device)


@dataclass(frozen=True, slots=True)
class Draw:
    """One batch."""

    clips: Sequence[Clip | None]
    """None: noise alone."""
    audio: Sequence[NDArray[np.float32]]
    """What the student hears of each, with the silence around it."""
    frames: int
    """Log-mel frames of its context."""


class _Draws:
    """Batches of clips that the engine would encode in the same context, and a context for each."""

    def __init__(self, student: Whisper, clips: Sequence[Clip], course: Course) -> None:
        self._random = np.random.default_rng(course.seed)
        self._full = student.full
        self._size = course.batch
        self._noisy = course.noisy
        self._cabin = _cabin(clips, course) if course.noisy else None
        self._groups: dict[int, list[Clip]] = {}
        for clip in clips:
            self._groups.setdefault(student.frames(clip), []).append(clip)
        counts = np.array([len(group) for group in self._groups.values()])
        self._shares = counts / counts.sum()

    def next(self) -> Draw:
        """The frames vary from the audio's own length to a second more than the engine would take."""
        random = self._random
        group = int(random.choice(len(self._shares), p=self._shares))
        clips = list(self._groups.values())[group]
        is_full = random.random() < _FULL_SHARE
        # The full context costs ten times as much as a command's.
        count = max(1, self._size // 4) if is_full else self._size
        spoken = [clips[index] for index in random.integers(0, len(clips), count)]
        audio = [self._heard(clip) for clip in spoken]
        chosen: list[Clip | None] = [*spoken]
        if self._cabin is not None:
            for index in np.flatnonzero(random.random(count) < _SPEECHLESS_SHARE):
                chosen[index] = None
                audio[index] = self._cabin.without_speech(audio[index].size, random)
        own = max(-(-one.size // HOP) for one in audio) + _LEAST_MARGIN_FRAMES
        frames = int(random.integers(own, own + _MARGIN_FRAMES + 1))
        frames = self._full if is_full else min(frames + frames % 2, self._full)
        return Draw(chosen, audio, frames)

    def _heard(self, clip: Clip) -> NDArray[np.float32]:
        """Some silence around the clip, and perhaps the noise of a car over all of it."""
        around = (self._random.uniform(0.0, _AROUND, 2) * SAMPLE_RATE).astype(int)
        audio = np.pad(clip.samples, tuple(around))
        if self._cabin is None or self._random.random() >= self._noisy:
            return audio
        peak = max(float(np.abs(audio).max()), 1e-4)
        speech = audio * np.float32(SPEECH_PEAK / peak)
        return np.clip(self._cabin.heard(speech, _IN_A_CAR, self._random), -1.0, 1.0)


def _cabin(clips: Sequence[Clip], course: Course) -> Cabin:
    speech = [clip.audio for clip in clips[:_BABBLE_CLIPS]]
    return Cabin(bank(np.random.default_rng(course.seed), _BANK_SECONDS, _BANK_PIECES, speech))
