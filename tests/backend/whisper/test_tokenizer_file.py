"""Looking tokens up in the text of tokenizer.json, whatever way it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from rtap.errors import ModelError
from rtap.whisper.tokenizer_file import TokenizerFile

TOKENS = [
    "!",
    '"',
    '":',
    '": 3,',
    "\\",
    '\\"',
    "{",
    "}",
    "5",
    "Ġ5",
    "Ġthe",
    "ĠÃ¤",
    '"vocab": {"',
    "}},",
]
"""With everything that could be taken for the end of a token."""
ADDED = ["<|endoftext|>", "<|startoftranscript|>"]
WAYS: dict[str, dict[str, Any]] = {
    "indented": {"indent": 2},
    "one line": {},
    "compact": {"separators": (",", ":")},
    "characters": {"indent": 1, "ensure_ascii": False},
    "wide": {"separators": (" , ", " :\t")},
}


def document() -> dict[str, Any]:
    first = len(TOKENS)
    added = [
        {"id": first + index, "content": token, "special": True}
        for index, token in enumerate(ADDED)
    ]
    vocabulary = {token: index for index, token in enumerate(TOKENS)}
    merges = [["a", "b"], ['"vocab"', "c"]]
    return {"added_tokens": added, "model": {"type": "BPE", "vocab": vocabulary, "merges": merges}}


def written(path: Path, content: dict[str, Any], **how: Any) -> TokenizerFile:
    file = path / "tokenizer.json"
    file.write_text(json.dumps(content, **how), encoding="utf-8")
    return TokenizerFile(file)


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS.keys())
def test_every_token_both_ways(how: dict[str, Any], tmp_path: Path) -> None:
    file = written(tmp_path, document(), **how)
    for index, token in enumerate([*TOKENS, *ADDED]):
        assert file.id_to_token(index) == token
        assert file.token_to_id(token) == index
    assert file.id_to_token(len(TOKENS) + len(ADDED)) is None
    assert file.id_to_token(-1) is None
    assert file.token_to_id("the") is None
    assert file.get_vocab_size() == len(TOKENS) + len(ADDED)
    assert file.get_vocab_size(with_added_tokens=False) == len(TOKENS)


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS.keys())
def test_nothing_is_parsed_for_it(
    how: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = 0

    def loads(text: str | bytes) -> Any:
        nonlocal longest
        longest = max(longest, len(text))
        return json.JSONDecoder().decode(text if isinstance(text, str) else text.decode())

    monkeypatch.setattr(json, "loads", loads)
    file = written(tmp_path, document(), **how)
    assert [file.id_to_token(index) for index in range(len(TOKENS))] == TOKENS
    assert longest < 40


def test_a_file_written_in_several_ways_is_read_all_the_same(tmp_path: Path) -> None:
    text = json.dumps(document()).replace(r'"5": 8', r'"5"  :  8')
    file = tmp_path / "tokenizer.json"
    file.write_text(text)
    assert TokenizerFile(file).id_to_token(8) == "5"


def test_added_tokens_behind_the_vocabulary(tmp_path: Path) -> None:
    content = document()
    content = {"model": content["model"], "added_tokens": content["added_tokens"]}
    del content["model"]["merges"]
    file = written(tmp_path, content)
    assert [file.id_to_token(index) for index in range(len(TOKENS))] == TOKENS
    assert file.id_to_token(len(TOKENS)) == ADDED[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"added_tokens": []}',
        '{"added_tokens": [{"id": 1}], "model": {"vocab": {}}}',
    ],
)
def test_damaged(text: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(text)
    with pytest.raises(ModelError, match="convert the checkpoint again"):
        TokenizerFile(file)


def test_added_tokens_are_cut_off(tmp_path: Path) -> None:
    text = json.dumps(document())
    file = tmp_path / "tokenizer.json"
    file.write_text(text[: text.index(ADDED[1])])
    with pytest.raises(ModelError, match="damaged"):
        TokenizerFile(file)


@pytest.mark.parametrize("pairs", [True, False], ids=["pairs", "lines"])
@pytest.mark.parametrize("lost", [True, False], ids=["lost", "there"])
def test_the_first_merge_may_be_lost(*, lost: bool, pairs: bool, tmp_path: Path) -> None:
    """The published file of whisper-base begins with the second one."""
    tokens = ["Ġ", "t", "h", "e", "Ġt", "he", "the", "Ġthe"]
    content = Tokenizer(
        models.BPE(
            vocab={token: index for index, token in enumerate(tokens)},
            merges=[("Ġ", "t"), ("h", "e"), ("t", "he"), ("Ġt", "he")],
        )
    )
    content.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    saved = json.loads(content.to_str())
    merges = saved["model"]["merges"][1:] if lost else saved["model"]["merges"]
    saved["model"]["merges"] = merges if pairs else [" ".join(merge) for merge in merges]
    file = written(tmp_path, saved)
    assert file.encode(" the", add_special_tokens=False).ids == [tokens.index("Ġthe")]
