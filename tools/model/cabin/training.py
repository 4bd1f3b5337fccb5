"""Teaches the network, with checkpoints from which it goes on."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jiwer
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from rtap.audio.format import SAMPLE_RATE
from tools.model.cabin.batches import IGNORED, Batch, Batches, Targets
from tools.model.cabin.network import MELS, Network, Shape, WarpedLogMel, configuration
from tools.model.cabin.phones import Phones
from tools.model.cabin.schedule import Schedule
from tools.model.cabin.speech_corpus import Utterance

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CTC_WEIGHT: Final = 0.5
_LABEL_SMOOTHING: Final = 0.1
_WEIGHT_DECAY: Final = 0.01
_CLIP: Final = 1.0
_REPORT_EVERY: Final = 50
_LONGEST_TEXT: Final = 48
_DEVELOPMENT_BATCH: Final = 32


class Trainer:
    """A network, its optimiser and how far they have come.

    In a process group every process has a trainer of its own, which hears other audio; gradients are
    averaged, and the first process keeps the records.

    Args:
        directory: where checkpoints and the learning curve are kept.
        device: cpu or cuda.
    """

    def __init__(
        self,
        shape: Shape,
        tokenizer: Tokenizer,
        phones: Phones,
        directory: Path,
        *,
        seed: int,
        device: str,
    ) -> None:
        torch.manual_seed(seed)
        self.network = Network(configuration(shape, tokenizer), len(phones)).to(device)
        self.step = 0
        self._tokenizer = tokenizer
        self._phones = phones
        self._directory = directory
        self._seed = seed
        self._device = device
        self._features = WarpedLogMel().to(device)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), weight_decay=_WEIGHT_DECAY, betas=(0.9, 0.98), fused=True
        )
        self._checkpoint = directory / "checkpoint.pt"
        self._learner: nn.Module = self.network

    @property
    def parameters(self) -> int:
        """Of the part that is exported."""
        return sum(one.numel() for one in self.network.whisper.parameters())

    def resume(self) -> bool:
        """Go on from the last checkpoint, if there is one."""
        if not self._checkpoint.exists():
            return False
        state = torch.load(self._checkpoint, map_location=self._device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        return True

    def train(
        self,
        utterances: Sequence[Utterance],
        development: Sequence[Utterance],
        schedule: Schedule,
        report: Callable[[str], None],
    ) -> None:
        """Learn until the schedule's last step."""
        grouped = distributed.is_initialized()
        rank = distributed.get_rank() if grouped else 0
        share = schedule.seconds / (distributed.get_world_size() if grouped else 1)
        self._learner = DistributedDataParallel(self.network) if grouped else self.network
        batches = Batches(
            utterances,
            self._tokenizer,
            self._phones,
            seed=self._seed + rank,
            seconds=share,
            first_step=self.step,
        )
        loader = DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=16)
        begin, sums, seconds = time.monotonic(), np.zeros(2), 0.0
        text = phones = math.nan
        for batch in loader:
            sums += self._learn(batch, schedule)
            seconds += batch.audio.numel() / SAMPLE_RATE
            self.step += 1
            if rank == 0 and self.step % _REPORT_EVERY == 0:
                text, phones = sums / _REPORT_EVERY
                speed = schedule.seconds / share * seconds / (time.monotonic() - begin)
                report(
                    f"step {self.step}  text {text:.3f}  phones {phones:.3f}  {speed:.0f} x real time"
                )
                begin, sums, seconds = time.monotonic(), np.zeros(2), 0.0
            if rank == 0 and (self.step % schedule.save_every == 0 or self.step == schedule.steps):
                self._save(text, phones, development, report)
                begin, seconds = time.monotonic(), 0.0
            if self.step >= schedule.steps:
                return

    def _learn(self, batch: Batch, schedule: Schedule) -> NDArray[np.float64]:
        self.network.train()
        rate = schedule.rate * schedule.rate_at(self.step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        batch = Batch(*(part.to(self._device) for part in batch))
        mel = self._features(batch.audio, batch.warps, batch.equaliser)
        mel = _masked(mel)
        with torch.autocast(self._device, torch.bfloat16):
            logits, phone_logits = self._learner(mel, batch.tokens)
        text_loss = functional.cross_entropy(
            logits.float().flatten(0, 1),
            batch.targets.flatten(),
            ignore_index=IGNORED,
            label_smoothing=_LABEL_SMOOTHING,
        )
        phone_loss = _ctc(phone_logits, batch)
        loss = text_loss + _CTC_WEIGHT * phone_loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return np.array([text_loss.item(), phone_loss.item()])

    def _save(
        self,
        text_loss: float,
        phone_loss: float,
        development: Sequence[Utterance],
        report: Callable[[str], None],
    ) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
        }
        unfinished = self._checkpoint.with_suffix(".new")
        torch.save(state, unfinished)
        unfinished.replace(self._checkpoint)
        error = self.word_error_rate(development)
        report(f"step {self.step}  word error rate on the development set {100 * error:.1f} %")
        line = {"step": self.step, "text_loss": text_loss, "phone_loss": phone_loss, "wer": error}
        with (self._directory / "curve.jsonl").open("a", encoding="utf-8") as curve:
            curve.write(json.dumps(line) + "\n")

    def word_error_rate(self, utterances: Sequence[Utterance]) -> float:
        """Of greedy decoding of clean speech, by the torch network, for watching the training."""
        by_length = sorted(utterances, key=lambda utterance: utterance.audio.size)
        said, heard = [], []
        for begin in range(0, len(by_length), _DEVELOPMENT_BATCH):
            group = by_length[begin : begin + _DEVELOPMENT_BATCH]
            said += [utterance.text for utterance in group]
            heard += self._transcribe(group)
        return float(jiwer.wer(said, heard))

    @torch.inference_mode()
    def _transcribe(self, group: Sequence[Utterance]) -> list[str]:
        self.network.eval()
        size = -(-max(utterance.audio.size for utterance in group) // 320) * 320 + SAMPLE_RATE // 2
        audio = np.zeros((len(group), size), dtype=np.float32)
        for row, utterance in zip(audio, group, strict=True):
            row[3200 : 3200 + utterance.audio.size] = utterance.audio / 32768
        warps = torch.full((len(group),), self._features.plain)
        batch = torch.from_numpy(audio).to(self._device)
        mel = self._features(batch, warps, torch.zeros(len(group), MELS, device=self._device))
        with torch.autocast(self._device, torch.bfloat16):
            states = self.network.encode(mel)
            tokens = self._greedy(states)
        end = self._tokenizer.token_to_id("<|endoftext|>")
        rows = [row[: row.index(end)] if end in row else row for row in tokens.tolist()]
        return [self._tokenizer.decode(row).strip() for row in rows]

    def _greedy(self, states: Tensor) -> Tensor:
        """The likeliest tokens after the prompt, without a cache: simple, and fast enough here."""
        prompt = Targets(self._tokenizer).prompt
        end = self._tokenizer.token_to_id("<|endoftext|>")
        tokens = torch.tensor([prompt] * states.shape[0], device=states.device)
        done = torch.zeros(states.shape[0], dtype=torch.bool, device=states.device)
        for _ in range(_LONGEST_TEXT):
            decoded = self.network.whisper.model.decoder(
                input_ids=tokens, encoder_hidden_states=states, use_cache=False
            )
            best = self.network.whisper.proj_out(decoded.last_hidden_state[:, -1]).argmax(-1)
            best[done] = end
            tokens = torch.cat([tokens, best[:, None]], dim=1)
            done |= best == end
            if bool(done.all()):
                break
        return tokens[:, len(prompt) :]


def _ctc(logits: Tensor, batch: Batch) -> Tensor:
    """CTC loss per phone; items without speech count as all blank."""
    log_probabilities = logits.float().log_softmax(-1).transpose(0, 1)
    lengths = torch.full_like(batch.phone_counts, log_probabilities.shape[0])
    losses = functional.ctc_loss(
        log_probabilities,
        batch.phones,
        lengths,
        batch.phone_counts,
        reduction="none",
        zero_infinity=True,
    )
    return losses.sum() / batch.phone_counts.sum().clamp_min(1)


def _masked(mel: Tensor) -> Tensor:
    """SpecAugment (Park and others, 2019): one band and, in longer audio, some stretches become the mean."""
    batch, bands, frames = mel.shape
    device = mel.device
    mean = mel.mean(dim=(1, 2), keepdim=True)
    band = torch.arange(bands, device=device)[None, :, None]
    time_axis = torch.arange(frames, device=device)[None, None, :]
    width = torch.randint(0, 10, (batch, 1, 1), device=device)
    low = torch.randint(0, bands - 10, (batch, 1, 1), device=device)
    mel = torch.where((band >= low) & (band < low + width), mean, mel)
    for _ in range(max(frames // 200, 1)):
        width = torch.randint(0, 12, (batch, 1, 1), device=device)
        begin = torch.randint(0, max(frames - 12, 1), (batch, 1, 1), device=device)
        mel = torch.where((time_axis >= begin) & (time_axis < begin + width), mean, mel)
    return mel
