"""Which paths a recipe's ``do_install`` puts into a package, as far as its text tells.

It is read and not run: what ``make install`` brings is not seen, nor what a loop names by a variable.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

_SEPARATOR: Final = re.compile(r"&&|\|\||[;|\n]")
_KEYWORDS: Final = frozenset({"if", "then", "else", "elif", "do", "while", "!", "{", "}", "("})
_OPENING: Final = frozenset({"if", "for", "while", "case"})
_CLOSING: Final = frozenset({"fi", "done", "esac"})
_COPYING: Final = frozenset({"install", "cp", "ln", "mv"})
_REMOVING: Final = frozenset({"rm", "mv"})
_WRITING: Final = frozenset({"touch", "tee"})
_WITH_VALUE: Final = {
    "install": frozenset("mogtS"),
    "cp": frozenset("tS"),
    "ln": frozenset("tS"),
    "mv": frozenset("tS"),
}


def installed_paths(script: str, root: str, sources: Sequence[str] = ()) -> set[str]:
    """Absolute paths on the device.

    There are more than the script makes: the text does not say whether a copy goes into a folder or becomes a
    file of that name, so both are in the answer.

    Args:
        script: shell, with bitbake's variables expanded.
        root: what ``${D}`` stands for.
        sources: names of files that bitbake lays beside the recipe's sources; ``*`` stands for them.
    """
    there: set[str] = set()
    depth = 0
    for command in _commands(script):
        depth += (command[0] in _OPENING) - (command[0] in _CLOSING)
        words = _without_keywords(command)
        there |= set(_redirected(words, root))
        program, operands, target = _operands(words)
        # Under a condition a file may stay where it is.
        if program in _REMOVING and depth == 0:
            gone = operands if program == "rm" else operands[:-1]
            there = {path for path in there if not _is_named(path, gone, root)}
        if program in _COPYING:
            there |= _copied(operands, target, root, sources)
        elif program in _WRITING:
            there |= {path for path in (_on_device(one, root) for one in operands) if path}
    return there


def _commands(script: str) -> Iterator[list[str]]:
    """Each command's words."""
    joined = script.replace("\\\n", " ")
    for line in joined.splitlines():
        for command in _SEPARATOR.split(line):
            try:
                words = shlex.split(command, comments=True)
            except ValueError:  # half of a quoted text
                words = command.replace('"', "").replace("'", "").split()
            if words:
                yield words


def _without_keywords(words: list[str]) -> list[str]:
    while words and (words[0] in _KEYWORDS or re.match(r"\w+=", words[0])):
        words = words[1:]
    return words


def _redirected(words: Sequence[str], root: str) -> Iterator[str]:
    for word, following in zip(words, [*words, ""][1:], strict=True):
        if word.startswith(">"):
            path = _on_device(word.lstrip(">") or following, root)
            if path:
                yield path


def _operands(words: Sequence[str]) -> tuple[str, list[str], str | None]:
    """The program, its operands, and what ``-t`` names."""
    if not words:
        return "", [], None
    program = words[0].rpartition("/")[2]
    with_value = _WITH_VALUE.get(program, frozenset())
    operands: list[str] = []
    target = None
    rest = iter(words[1:])
    for word in rest:
        if word.startswith(">"):
            break
        if word.startswith("--target-directory="):
            target = word.partition("=")[2]
        elif word.startswith("-") and not word.startswith("--") and word[-1:] in with_value:
            value = next(rest, "")
            target = value if word[-1] == "t" else target
        elif program == "install" and re.match(r"-[a-zA-Z]*d", word):
            return program, [], None  # folders belong to everybody
        elif not word.startswith("-"):
            operands.append(word)
    return program, operands, target


def _copied(
    operands: Sequence[str], target: str | None, root: str, sources: Sequence[str]
) -> set[str]:
    given = list(operands)
    if target is None:
        if len(given) < 2:
            return set()
        target = given.pop()
    folder = _on_device(target, root)
    if folder is None:
        return set()
    names = {one.rpartition("/")[2] for one in given}
    names |= {source for source in sources if any(fnmatchcase(source, name) for name in names)}
    return {folder} | {f"{folder.rstrip('/')}/{name}" for name in names}


def _on_device(word: str, root: str) -> str | None:
    for prefix in (root, "${D}", "$D"):
        if word == prefix or word.startswith(f"{prefix}/"):
            return "/" + re.sub("/+", "/", word.removeprefix(prefix)).strip("/")
    return None


def _is_named(path: str, words: Sequence[str], root: str) -> bool:
    patterns = [one for one in (_on_device(word, root) for word in words) if one]
    return any(fnmatchcase(path, pattern) or path.startswith(f"{pattern}/") for pattern in patterns)
