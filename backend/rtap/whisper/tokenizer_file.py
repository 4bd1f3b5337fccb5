"""Reads ``tokenizer.json`` with as little memory as decoding needs.

The tokenizers library keeps maps in both directions and all merges: 45 MB at its peak for Whisper's
vocabulary. Turning tokens into text needs one list. The library is loaded when text is to become tokens, that
is for prompts and hotwords.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from tokenizers import Tokenizer

from rtap.errors import ModelError


class AddedToken(Protocol):
    """A token that is looked for before the text is split, such as ``<|en|>``."""

    @property
    def content(self) -> str:
        """Its text."""

    @property
    def special(self) -> bool:
        """Whether it is left out of decoded text."""


class Vocabulary(Protocol):
    """What :class:`rtap.whisper.tokenizer.WhisperTokenizer` needs; ``tokenizers.Tokenizer`` has it too."""

    encode_special_tokens: bool
    """Whether a special token spelled out in a text is encoded as the text that it is."""

    def get_added_tokens_decoder(self) -> Mapping[int, AddedToken]:
        """Added tokens by id."""

    def get_vocab_size(self, with_added_tokens: bool = True) -> int:  # noqa: FBT001, FBT002 (the library's)
        """Number of ids."""

    def id_to_token(self, id: int) -> str | None:  # noqa: A002 (the library's)
        """Spelling of a token in the file, bytes written as characters."""

    def token_to_id(self, token: str) -> int | None:
        """The reverse of :meth:`id_to_token`."""

    def encode(self, sequence: str, *, add_special_tokens: bool) -> Any:
        """An object whose ``ids`` are the tokens of a text."""


@dataclass(frozen=True, slots=True)
class _Added:
    content: str
    special: bool


class TokenizerFile:
    """Implements :class:`Vocabulary` on a file of a byte-level BPE.

    Raises:
        ModelError: the file is no such thing.
    """

    def __init__(self, path: Path) -> None:
        self.encode_special_tokens = False
        self._path = path
        try:
            document = json.loads(path.read_bytes())
            vocabulary: Mapping[str, int] = document["model"]["vocab"]
            self._added = {
                int(token["id"]): _Added(str(token["content"]), bool(token["special"]))
                for token in document["added_tokens"]
            }
            self._tokens = _by_id(vocabulary, self._added)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> ModelError:
        return ModelError(
            f"{self._path} is damaged ({type(error).__name__}: {error}): "
            f"convert the checkpoint again with tools/convert_whisper"
        )

    def get_added_tokens_decoder(self) -> Mapping[int, AddedToken]:
        """See :class:`Vocabulary`."""
        return self._added

    def get_vocab_size(self, with_added_tokens: bool = True) -> int:  # noqa: FBT001, FBT002
        """See :class:`Vocabulary`; the tokens in the file, without holes."""
        size = len(self._tokens) - self._tokens.count(None)
        return size if with_added_tokens else size - len(self._added)

    def id_to_token(self, id: int) -> str | None:  # noqa: A002
        """See :class:`Vocabulary`."""
        return self._tokens[id] if 0 <= id < len(self._tokens) else None

    def token_to_id(self, token: str) -> int | None:
        """See :class:`Vocabulary`. Searches; for the few special tokens only."""
        for index, added in self._added.items():
            if added.content == token:
                return index
        return self._tokens.index(token) if token in self._tokens else None

    def encode(self, sequence: str, *, add_special_tokens: bool) -> Any:
        """See :class:`Vocabulary`; loads the library's tokenizer the first time."""
        self._library.encode_special_tokens = self.encode_special_tokens
        return self._library.encode(sequence, add_special_tokens=add_special_tokens)

    @cached_property
    def _library(self) -> Any:
        try:
            return Tokenizer.from_file(str(self._path))
        except Exception as error:  # the binding raises bare Exception for every fault
            raise self._damaged(error) from error


def _by_id(vocabulary: Mapping[str, int], added: Mapping[int, AddedToken]) -> Sequence[str | None]:
    size = 1 + max([*vocabulary.values(), *added])
    tokens: list[str | None] = [None] * size
    for token, index in vocabulary.items():
        tokens[index] = token
    for index, special in added.items():
        tokens[index] = special.content
    return tokens
