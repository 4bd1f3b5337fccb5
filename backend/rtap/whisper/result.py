"""What a transcription consists of: words in segments in a transcription. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One word with the time at which it was spoken."""

    text: str
    """As it stands in the segment's text, with its leading space."""
    start: float
    """Seconds from the beginning of the audio."""
    end: float
    probability: float
    """Mean probability of the word's tokens, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech, at most 30 s long."""

    start: float
    """Seconds from the beginning of the audio."""
    end: float
    text: str
    tokens: tuple[int, ...]
    """Text tokens only: no special tokens, no timestamps."""
    language: str
    """Whisper language code, such as ``en``."""
    average_log_probability: float
    """Mean natural log of the tokens' probabilities."""
    compression_ratio: float
    """UTF-8 length of the text over its zlib-compressed length; loops give high values."""
    no_speech_probability: float
    temperature: float
    """0 for greedy or beam search, else the sampling temperature that was fallen back to."""
    words: tuple[Word, ...] = ()
    certainty: float = 1.0
    """Chance that this command was said and not its likeliest rival, 0 to 1: see
    :mod:`rtap.whisper.preference.rivals`. It is 1 where there is no rival, and for what is no command."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """The whole result for one piece of audio."""

    text: str
    language: str | None
    """Language of the first segment, or None when nothing was said and none was forced."""
    language_probability: float
    """1.0 when the language was forced."""
    duration: float
    """Seconds of audio that were read."""
    inference_time: float
    """Seconds spent in the model: features, encoder, decoder."""
    segments: tuple[Segment, ...]
    contexts: tuple[float, ...] = ()
    """Seconds of context of every pass of the encoder, in their order: what the answer has cost."""
    windows: int = 0
    """Stretches of the audio that were decoded; silence that was left out is none. There are more contexts
    than these where a shortened one was not trusted."""

    @property
    def real_time_factor(self) -> float:
        """Seconds of work per second of audio; 0 for no audio."""
        return self.inference_time / self.duration if self.duration else 0.0

    @property
    def figures(self) -> dict[str, float]:
        """What follows from the rest, by the name that every reply and file gives it."""
        return {"rtf": self.real_time_factor}
