"""How the rate goes, what is drawn, and that a teacher who agrees has nothing to teach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.tools.tiny_checkpoints import tiny_checkpoint
from tools.adaptation import lessons, training
from tools.adaptation.clips import Clip
from tools.adaptation.lessons import Teacher
from tools.adaptation.training import Course, adapt, validation_loss
from tools.adaptation.whisper import Whisper
from tools.export.checkpoint import Checkpoint

COURSE = Course(steps=4, learning_rate=1e-3, batch=3, seed=0)


@pytest.fixture
def whisper(tmp_path: Path) -> Whisper:
    tiny_checkpoint(tmp_path / "tiny", max_source_positions=250)
    return Whisper(Checkpoint.open(str(tmp_path / "tiny")), "en", "cpu")


def clips(*seconds: float, text: str | None = "he is in") -> list[Clip]:
    random = np.random.default_rng(0)
    return [
        Clip(random.normal(0, 3000, round(one * 16_000)).astype(np.int16), text) for one in seconds
    ]


def test_the_rate_rises_and_falls() -> None:
    course = Course(steps=100, learning_rate=2.0, batch=1, seed=0)
    rates = [course.rate_at(step) for step in range(100)]
    top = rates.index(max(rates))
    assert max(rates) == 2.0
    assert 0 < rates[0] < rates[1]
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] < 0.01
    assert Course(steps=1, learning_rate=2.0, batch=1, seed=0).rate_at(0) == 2.0


def test_the_same_weights_in_the_full_context_have_no_loss(
    whisper: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = clips(1.2, 0.7)
    assert validation_loss(whisper, Teacher(whisper), data) > 0.001
    monkeypatch.setattr(Whisper, "frames", lambda self, clip: self.full)
    assert validation_loss(whisper, Teacher(whisper), data) == pytest.approx(0.0, abs=1e-9)


def test_tokens_that_fill_up_do_not_count(whisper: Whisper) -> None:
    long, short = clips(1.2, 1.2)
    short = Clip(short.audio, "he")
    teacher = Teacher(whisper)
    with torch.no_grad():
        both = training._loss(whisper, teacher, [long, short], 120)
        order = training._loss(whisper, teacher, [short, long], 120)
        alone = training._loss(whisper, teacher, [short], 120)
    assert both.item() == pytest.approx(order.item(), rel=1e-5)
    assert alone.item() != pytest.approx(both.item(), rel=1e-3)


def test_draws_share_a_context(whisper: Whisper) -> None:
    data = clips(0.5, 0.9, 1.5, 1.9, 2.5)
    draws = training._Draws(whisper, data, COURSE)
    seen: list[int] = []
    for _ in range(300):
        chosen, frames = draws.next()
        assert len({whisper.frames(clip) for clip in chosen}) == 1
        longest = max(clip.audio.size for clip in chosen) / 160
        assert longest <= frames <= 500
        assert frames == 500 or frames <= whisper.frames(chosen[0]) + 100
        assert frames % 2 == 0
        seen.append(frames)
    # The full context comes now and then, all others nearly every time.
    assert 10 < seen.count(500) < 60
    assert len(set(seen)) > 50


def test_keeps_the_best_weights(whisper: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = []
    losses = iter([0.5, 0.3, 0.2, 0.4, 0.9])

    def loss(*_: object) -> float:
        weights.append(whisper.network.model.encoder.conv1.weight.detach().clone())
        return next(losses)

    monkeypatch.setattr(training, "validation_loss", loss)
    found = adapt(whisper, Teacher(whisper), clips(1.2), [], COURSE, lambda _: None)
    assert (found.before, found.after, found.best_step) == (0.5, 0.2, 2)
    assert torch.equal(whisper.network.model.encoder.conv1.weight, weights[2])
    assert not torch.equal(weights[2], weights[4])


class TestTeacher:
    def test_is_asked_once(self, whisper: Whisper) -> None:
        (clip,) = clips(1.2)
        teacher = Teacher(whisper)
        assert teacher.lesson(clip) is teacher.lesson(clip)

    def test_remembers_no_more_than_it_may(
        self, whisper: Whisper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lessons, "_KEPT_BYTES", 10)
        (clip,) = clips(1.2)
        teacher = Teacher(whisper)
        one, other = teacher.lesson(clip), teacher.lesson(clip)
        assert one is not other
        assert torch.equal(one.states, other.states)

    def test_takes_its_own_transcript_where_there_is_no_text(self, whisper: Whisper) -> None:
        (clip,) = clips(1.2, text=None)
        said = whisper.transcribe(clip, whisper.full)
        assert Teacher(whisper).lesson(clip).tokens == whisper.text_tokens(said)

    def test_states_are_of_every_token(self, whisper: Whisper) -> None:
        (clip,) = clips(1.2)
        lesson = Teacher(whisper).lesson(clip)
        assert lesson.tokens == whisper.text_tokens("he is in")
        assert lesson.states.shape == (1, len(lesson.tokens), 32)
        assert not lesson.states.requires_grad
