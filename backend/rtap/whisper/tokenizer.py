"""Whisper's tokens: text to ids and back, the special tokens, and words for word timestamps.

Whisper's vocabulary is a byte-level BPE as GPT-2's: a token is a string of *bytes*, so a character outside
ASCII may be spread over several tokens. Everything here that makes text of tokens works on bytes.
"""

from __future__ import annotations

import codecs
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from rtap.errors import ConfigurationError, ModelError
from rtap.languages import WITHOUT_SPACES, language_code
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.tokenizer_file import TokenizerFile, Vocabulary
from rtap.whisper.word_tokens import WordTokens

Task = Literal["transcribe", "translate"]

TIMESTAMP_STEP: Final = 0.02
"""Seconds from one timestamp token to the next."""
TIMESTAMPS: Final = 1501
"""Timestamp tokens from 0.00 to 30.00 s."""

_FILE = "tokenizer.json"
_CONVERT_AGAIN = "convert the checkpoint again with tools/convert_whisper"
_CONTROL = re.compile(r"<\|[^|]*\|>")
_LANGUAGE_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")
_ENGLISH_END_OF_TEXT = 50256
"""Id of the end-of-text token in OpenAI's .en vocabularies (the multilingual ones have one token more)."""


class WhisperTokenizer:
    """The tokenizer of one model.

    Args:
        tokenizer: a byte-level BPE with Whisper's special tokens.
        vocabulary_size: logits of the model, from config.json. Older tokenizer.json files leave the timestamp
            tokens out; this number tells whether the model has them. None: only the tokenizer counts.
        multilingual: what generation_config.json says. None: found out from the tokenizer.
        where: named in error messages.

    Raises:
        ModelError: one of Whisper's special tokens is missing.
    """

    end_of_text: int
    start_of_transcript: int
    start_of_previous: int
    """Opens the prompt: text that was said before."""
    start_of_lm: int | None
    no_timestamps: int
    no_speech: int
    """Its probability at the first step tells silence from speech."""
    transcribe: int | None
    translate: int | None
    timestamp_begin: int
    """Id of ``<|0.00|>``; meaningless unless :attr:`has_timestamps`."""
    has_timestamps: bool
    is_multilingual: bool
    """False for .en models, which take no language and no task."""
    languages: Mapping[str, int]
    """Language code -> token id; empty unless :attr:`is_multilingual`."""
    vocabulary_size: int
    """One more than the highest id that means something; a model may have more logits than that."""

    def __init__(
        self,
        tokenizer: Vocabulary,
        *,
        vocabulary_size: int | None = None,
        multilingual: bool | None = None,
        where: Path | str = _FILE,
    ) -> None:
        self._tokenizer = tokenizer
        self._where = where
        # A prompt that spells out a special token is text, not a command to the decoder.
        tokenizer.encode_special_tokens = True
        added = tokenizer.get_added_tokens_decoder()
        # Timestamps are marked as not special, and some finetuned models' files mark nothing as special.
        self._special = frozenset(
            id_
            for id_, token in added.items()
            if token.special or _CONTROL.fullmatch(token.content)
        )
        self._plain_added: dict[int, bytes] = {
            id_: token.content.encode() for id_, token in added.items() if id_ not in self._special
        }

        self.end_of_text = self._required("<|endoftext|>")
        self.start_of_transcript = self._required("<|startoftranscript|>")
        self.start_of_previous = self._required("<|startofprev|>")
        self.no_timestamps = self._required("<|notimestamps|>")
        # OpenAI renamed the token; transformers' files keep the old name in older exports.
        self.no_speech = self._required("<|nospeech|>", "<|nocaptions|>")
        self.start_of_lm = self._optional("<|startoflm|>")
        self.transcribe = self._optional("<|transcribe|>")
        self.translate = self._optional("<|translate|>")
        self._find_timestamps(vocabulary_size)
        self._find_languages(multilingual=multilingual)

    @classmethod
    def from_directory(cls, directory: ModelDirectory) -> WhisperTokenizer:
        """Read ``tokenizer.json`` and what config.json and generation_config.json say about it.

        Raises:
            ModelError: a file is missing or damaged, or this is not Whisper's tokenizer.
        """
        path = directory.file(_FILE)
        if not path.is_file():
            raise ModelError(f"{path} is missing: {_CONVERT_AGAIN}")
        tokenizer = TokenizerFile(path)
        size = directory.read_json("config.json").get("vocab_size")
        multilingual = directory.read_json("generation_config.json").get("is_multilingual")
        return cls(
            tokenizer,
            vocabulary_size=size if isinstance(size, int) else None,
            multilingual=multilingual if isinstance(multilingual, bool) else None,
            where=path,
        )

    def _find_timestamps(self, vocabulary_size: int | None) -> None:
        listed = self._optional("<|0.00|>")
        # In OpenAI's vocabularies the timestamps follow <|notimestamps|> and are the last tokens.
        self.timestamp_begin = self.no_timestamps + 1 if listed is None else listed
        implied = (
            vocabulary_size is not None and vocabulary_size >= self.timestamp_begin + TIMESTAMPS
        )
        self.has_timestamps = listed is not None or implied
        self.vocabulary_size = self._tokenizer.get_vocab_size(with_added_tokens=True)
        if self.has_timestamps:
            self.vocabulary_size = max(self.vocabulary_size, self.timestamp_begin + TIMESTAMPS)

    def _find_languages(self, *, multilingual: bool | None) -> None:
        # OpenAI's order: <|startoftranscript|>, languages, <|translate|>, <|transcribe|>, …
        later = (self.translate, self.transcribe, self.no_timestamps)
        end = min(id_ for id_ in later if id_ is not None)
        found = {}
        for id_ in sorted(self._special):
            match = _LANGUAGE_TOKEN.fullmatch(self._tokenizer.id_to_token(id_) or "")
            if match and self.start_of_transcript < id_ < end:
                found[match[1]] = id_
        if multilingual is None:
            # The .en vocabularies list language tokens too, but those models were never trained on them.
            multilingual = bool(found) and self.end_of_text != _ENGLISH_END_OF_TEXT
        elif multilingual and not found:
            raise ModelError(f"{self._where} has no language tokens: {_CONVERT_AGAIN}")
        self.is_multilingual = multilingual
        self.languages = MappingProxyType(found if multilingual else {})

    def _optional(self, *names: str) -> int | None:
        for name in names:
            id_: int | None = self._tokenizer.token_to_id(name)
            if id_ is not None:
                return id_
        return None

    def _required(self, *names: str) -> int:
        id_ = self._optional(*names)
        if id_ is None:
            raise ModelError(
                f"{self._where} has no {' or '.join(names)}, so it is not Whisper's tokenizer: "
                f"{_CONVERT_AGAIN}"
            )
        return id_

    def language(self, language: str) -> str:
        """The code of a language that this model knows, from a code, a locale or an English name.

        Raises:
            ConfigurationError: unknown; names what is near.
        """
        if self.is_multilingual:
            return language_code(language, self.languages)
        return language_code(language, ("en",))

    def sot_sequence(self, language: str | None, task: Task = "transcribe") -> tuple[int, ...]:
        """The tokens that start a transcript: start, language, task.

        Args:
            language: anything that :meth:`language` takes. None: the start token alone, which is the prompt
                for language detection, and for a model without languages the whole sequence.
            task: ``translate`` translates into English.

        Raises:
            ConfigurationError: the model does not know the language or cannot do the task.
        """
        if task not in ("transcribe", "translate"):
            raise ConfigurationError(f"unknown task {task!r}: use transcribe or translate")
        code = None if language is None else self.language(language)
        if not self.is_multilingual:
            if task == "translate":
                raise ConfigurationError("this model knows English only: use the task transcribe")
            return (self.start_of_transcript,)
        if code is None:
            return (self.start_of_transcript,)
        task_token = self.transcribe if task == "transcribe" else self.translate
        if task_token is None:
            raise ConfigurationError(f"this model cannot {task}: use another task or another model")
        return (self.start_of_transcript, self.languages[code], task_token)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text. Special tokens spelled out in it are encoded as plain text or left out."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return [id_ for id_ in ids if self.is_text(id_)]

    @cached_property
    def words(self) -> WordTokens:
        """Encodes single words, as :meth:`encode` does, for a tenth of its memory.

        Raises:
            ModelError: the tokenizer's file is damaged.
        """
        characters = {byte: letter for letter, byte in _bytes_of_characters().items()}
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=False)
        return WordTokens(vocabulary, characters.__getitem__)

    def is_timestamp(self, token: int) -> bool:
        """Whether a token is one of ``<|0.00|>`` … ``<|30.00|>``."""
        return self.has_timestamps and 0 <= token - self.timestamp_begin < TIMESTAMPS

    def is_text(self, token: int) -> bool:
        """Whether a token stands for text: it exists, and is neither special nor a timestamp."""
        return (
            token not in self._special
            and not self.is_timestamp(token)
            and 0 <= token < self.vocabulary_size
        )

    def timestamp(self, token: int) -> float:
        """Seconds from the beginning of the window.

        Raises:
            ValueError: no timestamp token.
        """
        if not self.is_timestamp(token):
            raise ValueError(f"token {token} is no timestamp")
        # A rounded quotient, or 0.02 * 29 would be 0.5800000000000001.
        return round((token - self.timestamp_begin) * TIMESTAMP_STEP, 2)

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token stands for; none for special tokens, timestamps and unknown ids."""
        if not self.is_text(token):
            return b""
        if token in self._plain_added:
            return self._plain_added[token]
        text: str | None = self._tokenizer.id_to_token(token)
        if text is None:
            return b""
        table = _bytes_of_characters()
        try:
            return bytes(table[character] for character in text)
        except KeyError:
            raise ModelError(
                f"token {token} ({text!r}) of {self._where} is not byte-level, so this is not "
                f"Whisper's tokenizer: {_CONVERT_AGAIN}"
            ) from None

    def decode(self, tokens: Iterable[int]) -> str:
        """Text of the tokens; special tokens and timestamps give nothing.

        Bytes that are not UTF-8, an unfinished character at the end included, give U+FFFD. For text that is
        still growing use :meth:`stream`.
        """
        return b"".join(map(self.token_bytes, tokens)).decode("utf-8", errors="replace")

    def stream(self) -> TextStream:
        """A decoder for tokens that come one at a time."""
        return TextStream(self)

    def split_words(
        self, tokens: Sequence[int], language: str | None
    ) -> list[tuple[str, tuple[int, ...]]]:
        """Group tokens into words, as OpenAI's ``split_to_word_tokens`` does.

        Words keep their leading space; punctuation on its own is a word of its own, which the alignment
        attaches to a neighbour. Languages without spaces are split into characters. A special token or a
        timestamp is a word with empty text. Joined, the tokens are those given; the texts are what
        :meth:`decode` makes of them.
        """
        characters = self._split_characters(tokens)
        if language in WITHOUT_SPACES:
            return characters
        words: list[tuple[str, tuple[int, ...]]] = []
        join = False
        for text, ids in characters:
            is_text = self.is_text(ids[0])
            # An empty strip() counts as punctuation, as in OpenAI's code: white space starts a word.
            starts = text.startswith(" ") or text.strip() in string.punctuation
            if join and is_text and not starts:
                before, earlier = words[-1]
                words[-1] = (before + text, earlier + ids)
            else:
                words.append((text, ids))
            join = is_text
        return words

    def _split_characters(self, tokens: Sequence[int]) -> list[tuple[str, tuple[int, ...]]]:
        """Shortest groups of tokens that end where a character ends."""
        groups: list[tuple[str, tuple[int, ...]]] = []
        stream = self.stream()
        text = ""
        group: list[int] = []
        for token in tokens:
            if not self.is_text(token) and group:
                # A character that was left unfinished ends here: it can't go on beyond a special token.
                groups.append((text + stream.finish(), tuple(group)))
                text, group = "", []
            text += stream.push(token)
            group.append(token)
            if not stream.pending:
                groups.append((text, tuple(group)))
                text, group = "", []
        if group:
            groups.append((text + stream.finish(), tuple(group)))
        return groups


class TextStream:
    """Makes text of tokens as they come and holds back characters of which bytes are still to come."""

    def __init__(self, tokenizer: WhisperTokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    @property
    def pending(self) -> bool:
        """Whether the tokens so far end within a character."""
        return bool(self._decoder.getstate()[0])

    def push(self, token: int) -> str:
        """The text that this token completes; may be empty. Never takes back what was returned before."""
        return self._decoder.decode(self._tokenizer.token_bytes(token))

    def finish(self) -> str:
        """End the text: U+FFFD if a character was left unfinished, else nothing. Starts afresh."""
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return rest


@cache
def characters_of_bytes() -> tuple[str, ...]:
    """The printable character by which a byte-level vocabulary writes each of the 256 bytes.

    From GPT-2's ``bytes_to_unicode``: printable Latin-1 characters stand for themselves, the others get
    the code points from 256 on, in order.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in printable else next(spare)) for byte in range(256))


@cache
def _bytes_of_characters() -> Mapping[str, int]:
    return {character: byte for byte, character in enumerate(characters_of_bytes())}
