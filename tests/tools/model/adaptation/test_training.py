"""How the rate goes, what is drawn, and that a teacher who agrees has nothing to teach."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.model.adaptation import lessons, training
from tools.model.adaptation.clips import Clip
from tools.model.adaptation.lessons import Teacher
from tools.model.adaptation.training import Course, adapt, validation_loss
from tools.model.adaptation.whisper import Whisper
from tools.model.conversion.sources import open_checkpoint

COURSE = Course(steps=4, learning_rate=1e-3, batch=3, seed=0)


@pytest.fixture(autouse=True)
def _little_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips of seconds need no minutes of each kind."""
    monkeypatch.setattr(training, "_BANK_PIECES", 1)
    monkeypatch.setattr(training, "_BANK_SECONDS", 12.0)


@pytest.fixture
def whisper(tmp_path: Path) -> Whisper:
    tiny_checkpoint(tmp_path / "tiny", max_source_positions=250)
    return Whisper(open_checkpoint(str(tmp_path / "tiny")), "en", "cpu")


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
    data = clips(0.5, 0.9, 1.5, 1.9, 2.2)
    draws = training._Draws(whisper, data, COURSE)
    seen: list[int] = []
    for _ in range(300):
        draw = draws.next()
        spoken = [clip for clip in draw.clips if clip is not None]
        assert len(spoken) == len(draw.audio)
        assert len({whisper.frames(clip) for clip in spoken}) == 1
        longest = max(audio.size for audio in draw.audio) / 160
        assert longest + 24 <= draw.frames <= 500
        assert draw.frames == 500 or draw.frames <= longest + 165
        assert draw.frames % 2 == 0
        seen.append(draw.frames)
    # The full context comes now and then, all others nearly every time.
    assert 10 < seen.count(500) < 60
    assert len(set(seen)) > 50


def test_noise_is_heard_with_speech_and_alone(whisper: Whisper) -> None:
    data = clips(0.5, 0.9)
    course = dataclasses.replace(COURSE, noisy=1.0)
    draws = training._Draws(whisper, data, course)
    drawn = [draws.next() for _ in range(40)]
    alone = [clip for draw in drawn for clip in draw.clips if clip is None]
    assert 0 < len(alone) < 40
    for draw in drawn:
        for clip, audio in zip(draw.clips, draw.audio, strict=True):
            assert np.abs(audio).max() <= 1.0
            # The silence around the clip is gone.
            assert clip is None or np.count_nonzero(audio) > 1.01 * clip.audio.size


@pytest.mark.parametrize("rank", [None, 2])
def test_keeps_the_best_weights(
    whisper: Whisper, monkeypatch: pytest.MonkeyPatch, rank: int | None
) -> None:
    weights = []
    losses = iter([0.5, 0.3, 0.2, 0.4, 0.9])

    def loss(*_: object) -> float:
        weights.append(whisper.network.model.encoder.layers[0].fc1.weight.detach().clone())
        return next(losses)

    monkeypatch.setattr(training, "validation_loss", loss)
    course = dataclasses.replace(COURSE, rank=rank)
    found, differences = adapt(whisper, Teacher(whisper), clips(1.2), [], course, lambda _: None)
    assert (found.before, found.after, found.best_step) == (0.5, 0.2, 2)
    assert (differences is None) == (rank is None)
    kept = whisper.network.model.encoder.layers[0].fc1.weight
    assert torch.equal(kept, weights[2])
    assert not torch.equal(weights[2], weights[4])


def test_a_rank_changes_only_what_meets_the_length(whisper: Whisper) -> None:
    before = {name: value.clone() for name, value in whisper.network.state_dict().items()}
    course = dataclasses.replace(COURSE, rank=2)
    _, differences = adapt(
        whisper, Teacher(whisper), clips(1.2), clips(0.7), course, lambda _: None
    )
    after = whisper.network.state_dict()
    assert set(after) == set(before)
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed
    assert all(".encoder" in name for name in changed)
    assert not any("conv" in name or "decoder.layers.0.self_attn" in name for name in changed)
    assert differences is not None
    tensors = differences.tensors()
    for name in ("encoder.layers.0.fc1.weight", "decoder.layers.0.encoder_attn.v_proj.weight"):
        learnt = tensors[f"{name}.lora_b"] @ tensors[f"{name}.lora_a"]
        merged = after[f"model.{name}"] - before[f"model.{name}"]
        np.testing.assert_allclose(learnt, merged.numpy(), atol=1e-6)
    bias = "encoder.layers.0.fc1.bias"
    moved = (after[f"model.{bias}"] - before[f"model.{bias}"]).numpy()
    np.testing.assert_allclose(tensors[f"{bias}.delta"], moved, atol=1e-7)


def test_part_of_what_was_learnt_is_kept(whisper: Whisper) -> None:
    name = "model.encoder.layers.0.fc1.weight"
    before = whisper.network.state_dict()[name].clone()
    course = dataclasses.replace(COURSE, rank=2, keep=0.5)
    lines: list[str] = []
    losses, differences = adapt(
        whisper, Teacher(whisper), clips(1.2), clips(0.7), course, lines.append
    )
    assert differences is not None
    merged = whisper.network.state_dict()[name] - before
    tensors = differences.tensors()
    learnt = tensors[f"{name[6:]}.lora_b"] @ tensors[f"{name[6:]}.lora_a"]
    np.testing.assert_allclose(merged.numpy(), learnt, atol=1e-6)
    assert f"50% of the differences, validation loss {losses.after:.4f}" in lines


def test_noise_alone_is_taught_to_have_no_text(whisper: Whisper) -> None:
    draw = training.Draw([None], [np.zeros(16_000, np.float32)], 150)
    loss = training._lesson_loss(whisper, Teacher(whisper), draw)
    prompt = torch.tensor([whisper.prompt()])
    mel = torch.from_numpy(whisper.log_mel(draw.audio[0], 150))[None]
    states = whisper.hidden_states(whisper.encode(mel), prompt)[-1, 0, -1]
    wanted = -torch.log_softmax(whisper.network.proj_out(states), -1)
    assert loss.item() == pytest.approx(
        0.3 * wanted[whisper.tokenizer.end_of_text].item(), rel=1e-4
    )


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
        lesson = Teacher(whisper).lesson(clip)
        assert lesson.tokens == whisper.text_tokens(said)
        assert lesson.agrees

    def test_keeps_its_own_spelling_where_the_words_are_the_same(self, whisper: Whisper) -> None:
        (clip,) = clips(1.2, text=None)
        said = whisper.transcribe(clip, whisper.full)
        same = Clip(clip.audio, said.upper() + "!")
        assert Teacher(whisper).lesson(same).tokens == whisper.text_tokens(said)
        assert not Teacher(whisper).lesson(Clip(clip.audio, "other words")).agrees

    def test_states_are_of_every_token(self, whisper: Whisper) -> None:
        (clip,) = clips(1.2)
        lesson = Teacher(whisper).lesson(clip)
        assert lesson.tokens == whisper.text_tokens("he is in")
        assert lesson.states.shape == (1, len(lesson.tokens), 32)
        assert not lesson.states.requires_grad
