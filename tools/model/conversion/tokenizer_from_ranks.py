"""Make Whisper's ``tokenizer.json`` from the rank files that OpenAI publishes.

A rank file (``multilingual.tiktoken`` or ``gpt2.tiktoken`` of the PyPI package openai-whisper) lists the
BPE tokens in the order in which training found them. A ``tokenizers`` BPE wants the pair that each token was
merged from as well. That pair is what BPE makes of the token's bytes when only earlier tokens may be used.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE

from rtap.errors import ModelError
from rtap.languages import LANGUAGES
from rtap.whisper.tokenizer import TIMESTAMP_STEP, TIMESTAMPS, characters_of_bytes
from tools.model.conversion.ctranslate2 import ENGLISH_END_OF_TEXT, vocabulary

_END_OF_TEXT: Final = "<|endoftext|>"
_START: Final = "<|startoftranscript|>"
_MULTILINGUAL_RANKS: Final = 50257
"""Tokens before the special ones in multilingual.tiktoken."""


def tokenizer_from_ranks(ranks: Path, *, multilingual: bool, num_languages: int = 99) -> Tokenizer:
    """Build the whole tokenizer, with all special and timestamp tokens in OpenAI's order.

    Args:
        ranks: ``multilingual.tiktoken`` for a multilingual model, ``gpt2.tiktoken`` for an .en model.
        multilingual: decides the prefix that the tokenizer's post-processor adds.
        num_languages: 99 up to large-v2 (51865 tokens, 51864 for .en), 100 with Cantonese from large-v3
            on (51866).

    Raises:
        ModelError: the file cannot be read or holds no ranks.
    """
    return _tokenizer(read_ranks(ranks), multilingual=multilingual, num_languages=num_languages)


def tokenizer_from_vocabulary(path: Path) -> Tokenizer:
    """Build it from a CTranslate2 directory's list of tokens, which stand there by rank.

    Raises:
        ModelError: there is no such list, or it is not Whisper's.
    """
    words = vocabulary(path)
    byte_of = {character: byte for byte, character in enumerate(characters_of_bytes())}
    try:
        plain = words[: words.index(_END_OF_TEXT)]
        ranks = {bytes(byte_of[character] for character in word): i for i, word in enumerate(plain)}
        num_languages = words.index("<|translate|>") - words.index(_START) - 1
    except (ValueError, KeyError) as error:
        raise ModelError(
            f"{path} has a vocabulary that is not Whisper's ({error}): "
            f"copy the tokenizer.json of the same model there"
        ) from error
    multilingual = len(plain) != ENGLISH_END_OF_TEXT
    return _tokenizer(ranks, multilingual=multilingual, num_languages=num_languages)


def _tokenizer(
    by_bytes: Mapping[bytes, int], *, multilingual: bool, num_languages: int
) -> Tokenizer:
    characters = characters_of_bytes()

    def written(token: bytes) -> str:
        return "".join(characters[byte] for byte in token)

    vocabulary = {written(token): rank for token, rank in by_bytes.items()}
    merges = [(written(left), written(right)) for left, right in merges_of_ranks(by_bytes)]
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=merges, fuse_unk=False))
    return _with_added_tokens(tokenizer, multilingual=multilingual, num_languages=num_languages)


def _with_added_tokens(
    tokenizer: Tokenizer, *, multilingual: bool, num_languages: int
) -> Tokenizer:
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(_special_tokens(num_languages))
    # transformers' files mark the timestamps as not special, so that its decoder can show them.
    tokenizer.add_tokens(
        [
            AddedToken(f"<|{index * TIMESTAMP_STEP:.2f}|>", normalized=False, special=False)
            for index in range(TIMESTAMPS)
        ]
    )
    prefix = [_START, "<|notimestamps|>"]
    if multilingual:
        prefix[1:1] = ["<|en|>", "<|transcribe|>"]
    shown = " ".join(f"{token}:0" for token in prefix)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{shown} $A:0 {_END_OF_TEXT}:0",
        pair=f"{shown} $A:0 $B:1 {_END_OF_TEXT}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in [*prefix, _END_OF_TEXT]],
    )
    return tokenizer


def _special_tokens(num_languages: int) -> list[AddedToken]:
    names = [
        _END_OF_TEXT,
        _START,
        *(f"<|{code}|>" for code in list(LANGUAGES)[:num_languages]),
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    return [AddedToken(name, normalized=False, special=True) for name in names]


def read_ranks(path: Path) -> dict[bytes, int]:
    """Token bytes -> rank; each line of the file is the token in base64, a space, and the rank.

    Raises:
        ModelError: the file cannot be read, or is damaged.
    """
    try:
        lines = path.read_bytes().splitlines()
        pairs = (line.split() for line in lines if line)
        ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    except (OSError, ValueError, binascii.Error) as error:
        raise ModelError(f"{path} is no rank file ({error}): fetch openai-whisper again") from error
    if any(bytes([byte]) not in ranks for byte in range(256)):
        raise ModelError(f"{path} does not hold all 256 bytes: fetch openai-whisper again")
    return ranks


def merges_of_ranks(ranks: Mapping[bytes, int]) -> list[tuple[bytes, bytes]]:
    """The pair that each token was merged from, in order of rank.

    Tokens that no merge can make (the multilingual file's last one is such a placeholder) are left out.
    """
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) < 2:
            continue
        parts = _merge(token, ranks, below=rank)
        if len(parts) == 2:
            merges.append((parts[0], parts[1]))
    return merges


def _merge(token: bytes, ranks: Mapping[bytes, int], below: int) -> list[bytes]:
    """BPE with the tokens whose rank is less than ``below`` only."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        best, place = below, -1
        for index in range(len(parts) - 1):
            rank = ranks.get(parts[index] + parts[index + 1], below)
            if rank < best:
                best, place = rank, index
        if place < 0:
            break
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts


def byte_tokenizer(num_languages: int = 99) -> Tokenizer:
    """A stand-in with Whisper's vocabulary layout, for random weights where the real ranks are not at hand.

    Text is encoded byte by byte; the other ids decode to made-up words, so that output can be read.
    """
    characters = characters_of_bytes()
    vocabulary = {character: index for index, character in enumerate(characters)}
    space = characters[ord(" ")]
    for index in range(len(vocabulary), _MULTILINGUAL_RANKS):
        vocabulary[space + _made_up_word(index)] = index
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], fuse_unk=False))
    return _with_added_tokens(tokenizer, multilingual=True, num_languages=num_languages)


def _made_up_word(number: int) -> str:
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    word = ""
    while number:
        number, digit = divmod(number, len(syllables))
        word += syllables[digit]
    return word
