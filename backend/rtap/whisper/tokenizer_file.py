"""Reads ``tokenizer.json`` with as little time and memory as decoding needs.

The tokenizers library keeps maps in both directions and all merges: 45 MB at its peak for Whisper's
vocabulary. Even the list of its 51,865 tokens takes 11 MB and 25 ms, on a Raspberry Pi 4 several times that,
and a driver's commands use a few hundred of them. So tokens are looked for in the text of the file when they
are wanted. The library is loaded when text is to become tokens, that is for prompts and hotwords.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

from rtap.errors import ModelError

_ADDED_TOKENS: Final = b'"added_tokens"'
_VOCABULARY: Final = b'"vocab"'
_MERGES: Final = b'"merges"'
"""A quotation mark within a token has a backslash before it, so no token looks like one of these names."""
_LIST: Final = re.compile(rb"\s*:\s*(?=\[)")
_FIRST_MERGE: Final = ("Ġ", "t")
"""The first merge of GPT-2's and of Whisper's vocabularies: the space before a word, and t."""
_NUMBERED_TOKENS: Final = re.compile(rb'\s*:\s*\{(?=\s*"(?:[^"\\]|\\.)*"(\s*:\s*)\d)')
"""Its group is what stands between a token and its number."""


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

    def get_vocab(self, with_added_tokens: bool = True) -> Mapping[str, int]:  # noqa: FBT001, FBT002
        """The numbers of all tokens."""

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
            content = path.read_bytes()
            self._text = _VocabularyText.of(content)
            added = _added_tokens(content) if self._text else json.loads(content)["added_tokens"]
            self._added = {
                int(token["id"]): _Added(str(token["content"]), bool(token["special"]))
                for token in added
            }
            self._highest_added = max(self._added, default=-1)
            if self._text is None:
                _ = self._tokens
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
        """See :class:`Vocabulary`; a vocabulary's ids have no holes, and added tokens may be part of it."""
        size = len(self._tokens) if self._text is None else self._text.size
        return max(size, self._highest_added + 1) if with_added_tokens else size

    def id_to_token(self, id: int) -> str | None:  # noqa: A002
        """See :class:`Vocabulary`."""
        if id in self._added:
            return self._added[id].content
        if not 0 <= id < self.get_vocab_size():
            return None
        found = None if self._text is None else self._text.token(id)
        return self._tokens.get(id) if found is None else found

    def token_to_id(self, token: str) -> int | None:
        """See :class:`Vocabulary`. Searches; for the few special tokens only."""
        for index, added in self._added.items():
            if added.content == token:
                return index
        if self._text is not None:
            return self._text.id(token)
        return next((index for index, one in self._tokens.items() if one == token), None)

    def get_vocab(self, with_added_tokens: bool = True) -> Mapping[str, int]:  # noqa: FBT001, FBT002
        """See :class:`Vocabulary`; read again, and not kept."""
        try:
            vocabulary: Mapping[str, int] = json.loads(self._path.read_bytes())["model"]["vocab"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(error) from error
        added = {one.content: index for index, one in self._added.items()}
        return {**vocabulary, **added} if with_added_tokens else vocabulary

    def encode(self, sequence: str, *, add_special_tokens: bool) -> Any:
        """See :class:`Vocabulary`; loads the library's tokenizer the first time."""
        self._library.encode_special_tokens = self.encode_special_tokens
        return self._library.encode(sequence, add_special_tokens=add_special_tokens)

    @cached_property
    def _tokens(self) -> Mapping[int, str]:
        """All of the vocabulary, for files that are written in an unusual way."""
        vocabulary = json.loads(self._path.read_bytes())["model"]["vocab"]
        return {int(index): str(token) for token, index in vocabulary.items()}

    @cached_property
    def _library(self) -> Any:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self._path))
            first = tokenizer.token_to_id("".join(_FIRST_MERGE))
            if first is None or tokenizer.encode(" t", add_special_tokens=False).ids == [first]:
                return tokenizer
            # The published file of whisper-base has lost the line, and would spell " the" as " " and "the".
            document = json.loads(self._path.read_bytes())
            merges = document["model"]["merges"]
            merges.insert(0, " ".join(_FIRST_MERGE) if isinstance(merges[0], str) else _FIRST_MERGE)
            return Tokenizer.from_str(json.dumps(document))
        except Exception as error:  # the binding raises bare Exception for every fault
            raise self._damaged(error) from error


class _VocabularyText:
    """The vocabulary as it is written: ``"token": 5, "another": 6, …``, the same way for every token."""

    def __init__(self, text: bytes, separator: bytes) -> None:
        self._text = text
        self._separator = b'"' + separator
        self._known: dict[int, str | None] = {}

    @classmethod
    def of(cls, content: bytes) -> _VocabularyText | None:
        """Of a whole file; None: it is not there, or in doubt."""
        at = content.find(_VOCABULARY)
        begin = _NUMBERED_TOKENS.match(content, at + len(_VOCABULARY))
        if at < 0 or begin is None:
            return None
        end = content.find(_MERGES, begin.end())
        text = content[begin.end() : None if end < 0 else end]
        is_doubtful = _VOCABULARY in text or _ADDED_TOKENS in text
        return None if is_doubtful else cls(text, begin[1])

    @cached_property
    def size(self) -> int:
        """How many tokens there are."""
        ends = self._text.count(self._separator)
        # Those are rare: within a token, and after one that ends with a backslash.
        doubtful = re.finditer(re.escape(b"\\" + self._separator), self._text)
        return ends - sum(self._is_escaped(match.start() + 1) for match in doubtful)

    def token(self, index: int) -> str | None:
        """The token with this number; None: not found."""
        if index not in self._known:
            self._known[index] = self._find(index)
        return self._known[index]

    def id(self, token: str) -> int | None:
        """The number of a token; None: not found."""
        ways = {json.dumps(token, ensure_ascii=escaped).encode() for escaped in (True, False)}
        written = b"|".join(map(re.escape, sorted(ways)))
        end = re.escape(self._separator[1:]) + rb"(\d+)"
        match = re.search(rb"(?<!\\)(?:" + written + rb")" + end, self._text)
        return None if match is None else int(match[1])

    def _find(self, index: int) -> str | None:
        wanted = self._separator + str(index).encode()
        end = self._text.find(wanted)
        while end >= 0:
            after = self._text[end + len(wanted) :][:1]
            if not after.isdigit() and not self._is_escaped(end):
                return str(json.loads(self._text[self._begin(end) : end + 1]))
            end = self._text.find(wanted, end + 1)
        return None

    def _begin(self, end: int) -> int:
        """Where a token's opening quotation mark stands."""
        begin = self._text.rfind(b'"', 0, end)
        while self._is_escaped(begin):
            begin = self._text.rfind(b'"', 0, begin)
        return begin

    def _is_escaped(self, mark: int) -> bool:
        """Whether there is an odd number of backslashes before a quotation mark."""
        before = mark
        while before and self._text[before - 1] == ord("\\"):
            before -= 1
        return (mark - before) % 2 == 1


def _added_tokens(content: bytes) -> Sequence[Mapping[str, Any]]:
    at = content.find(_ADDED_TOKENS)
    begin = _LIST.match(content, at + len(_ADDED_TOKENS))
    if at < 0 or begin is None:
        raise KeyError("added_tokens")
    # Of the rest of the file, which may be large, only what comes before the vocabulary can be part of it.
    end = content.find(_VOCABULARY, begin.end())
    rest = content[begin.end() : None if end < 0 else end].decode()
    tokens: Sequence[Mapping[str, Any]] = json.JSONDecoder().raw_decode(rest)[0]
    return tokens
