from itertools import islice

import numpy as np
import pytest

from rtap.audio.format import SAMPLE_RATE
from tools.model.cabin import batches
from tools.model.cabin.augment import FULL, LIGHT
from tools.model.cabin.batches import IGNORED, Batch, Batches, Targets, strength_at
from tools.model.cabin.network import LONGEST_SECONDS
from tools.model.cabin.phones import Phones
from tools.model.cabin.speech_corpus import Utterance
from tools.model.cabin.tokenizer import PROMPT, train_tokenizer

LEXICON = {"turn": ("t", "ɜː", "n"), "left": ("l", "ɛ", "f", "t"), "um": ("ʌ", "m")}
TOKENIZER = train_tokenizer(["turn left"] * 10)


def utterances(count: int) -> list[Utterance]:
    rng = np.random.default_rng(0)
    return [
        Utterance(
            rng.integers(-9000, 9000, rng.integers(8000, 40000)).astype(np.int16),
            "turn left",
            "um, turn left",
            "noise",
        )
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def some() -> list[Batch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "_BANK_PIECES", 1)
        patch.setattr(batches, "_BANK_SECONDS", 12.0)
        source = Batches(utterances(40), TOKENIZER, Phones(LEXICON), seed=1, seconds=20)
        return list(islice(source, 12))


def test_batches_keep_their_size(some: list[Batch]) -> None:
    for batch in some:
        assert batch.audio.numel() <= 20 * SAMPLE_RATE * 1.01 or len(batch.audio) == 1
        assert batch.audio.shape[1] % (SAMPLE_RATE // 50) == 0
        assert batch.audio.shape[1] <= LONGEST_SECONDS * SAMPLE_RATE
        assert {len(part) for part in batch[:5]} == {len(batch.audio)}
        assert len(batch.phones) == int(batch.phone_counts.sum())


def test_some_items_have_no_speech_and_some_several_utterances(some: list[Batch]) -> None:
    counts = {int(count) for batch in some for count in batch.phone_counts}
    one = len(Phones(LEXICON).of("um, turn left"))
    assert {0, one, 2 * one} <= counts


def test_targets_follow_the_inputs() -> None:
    inputs, targets = Targets(TOKENIZER).of(["turn left", ""])
    vocabulary = TOKENIZER.get_vocab(with_added_tokens=True)
    prompt = [vocabulary[name] for name in PROMPT]
    end = vocabulary["<|endoftext|>"]
    body = TOKENIZER.encode(" turn left").ids
    assert inputs[0].tolist() == [*prompt, *body]
    assert targets[0].tolist() == [prompt[1], IGNORED, IGNORED, *body, end]
    # Without speech the first token says so, and the text ends before it begins.
    assert inputs[1, :4].tolist() == prompt
    assert targets[1].tolist() == [
        vocabulary["<|nospeech|>"], IGNORED, IGNORED, end, *[IGNORED] * len(body),
    ]  # fmt: skip


def test_token_noise_spares_the_prompt_and_the_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_PROMPTED", 0.0)
    targets = Targets(TOKENIZER)
    texts = ["turn left turn left turn left"] * 50
    plain, wanted = targets.of(texts)
    noisy, still_wanted = targets.of(texts, np.random.default_rng(0))
    assert (wanted == still_wanted).all()
    changed = noisy != plain
    assert not changed[:, : len(PROMPT)].any()
    assert 0.05 < changed[:, len(PROMPT) :].float().mean() < 0.15


def test_a_sentence_before_the_prompt_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_PROMPTED", 1.0)
    monkeypatch.setattr(batches, "_TOKEN_NOISE", 0.0)
    targets = Targets(TOKENIZER)
    inputs, wanted = targets.of(["turn left"], np.random.default_rng(0))
    plain_inputs, plain_wanted = targets.of(["turn left"])
    first = 1 + len(TOKENIZER.encode(" turn left").ids)
    assert inputs[0, 0] == TOKENIZER.token_to_id("<|startofprev|>")
    assert (wanted[0, :first] == IGNORED).all()
    assert inputs[0, first:].tolist() == plain_inputs[0].tolist()
    assert wanted[0, first:].tolist() == plain_wanted[0].tolist()


def test_augmentation_starts_light() -> None:
    assert strength_at(0) == strength_at(1000) == LIGHT
    assert strength_at(100_000) == FULL
    assert LIGHT.noisy < strength_at(3000).noisy < FULL.noisy


def test_the_same_seed_and_step_give_the_same_batches() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "_BANK_PIECES", 1)
        patch.setattr(batches, "_BANK_SECONDS", 12.0)
        patch.setattr(batches, "_POOL", 16)
        one, two = (
            next(iter(Batches(utterances(9), TOKENIZER, Phones(LEXICON), seed=4, seconds=9)))
            for _ in range(2)
        )
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


def test_phones_follow_the_words() -> None:
    phones = Phones(LEXICON)
    assert phones.of("um, left") == phones.of("um") + phones.of("left")
    assert 0 not in phones.of("turn left um")
    assert len(phones) == len({phone for word in LEXICON.values() for phone in word})
    assert Phones(dict(reversed(LEXICON.items()))).of("turn left") == phones.of("turn left")
