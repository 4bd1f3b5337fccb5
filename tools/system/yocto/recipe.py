"""Reads one of our recipes and carries out its installation, without bitbake.

This understands what the recipes of ``meta-userapp`` use of bitbake's language, no more: assignments,
overrides, ``${NAME}``, ``${@expression}``, shell and Python tasks. A test compares what it installs with what
bitbake packs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NoReturn

from rtap.errors import RTAPException
from rtap.whisper.model_directory import file_sha256

# Those of bitbake.conf, on a system where /lib is /usr/lib.
DIRECTORIES: Final = {
    "bindir": "/usr/bin",
    "sbindir": "/usr/sbin",
    "libdir": "/usr/lib",
    "nonarch_libdir": "/usr/lib",
    "libexecdir": "/usr/libexec",
    "datadir": "/usr/share",
    "sysconfdir": "/etc",
    "localstatedir": "/var",
    "systemd_unitdir": "/usr/lib/systemd",
    "systemd_system_unitdir": "/usr/lib/systemd/system",
}
_ASSIGNMENT: Final = re.compile(r'([A-Za-z_][\w:${}.-]*)\s*(\?=|=\+|=\.|\+=|\.=|:=|=)\s*"(.*)"')
_FUNCTION: Final = re.compile(r"(python\s+)?([A-Za-z_][\w:${}.-]*)?\s*\(\)\s*\{")
# Nothing that changes what is installed: comments, classes, the order of tasks, flags.
_WITHOUT_EFFECT: Final = re.compile(r"(#.*|inherit .*|addtask .*|[\w:${}-]+\[\w+\]\s*[+.?]?=.*)?")
_CONDITIONAL: Final = re.compile(r":(append|prepend|remove):")
_INNERMOST: Final = re.compile(r"\$\{(@[^{}]*|[A-Za-z_][\w:.+-]*)\}")


class RecipeError(RTAPException):
    """A recipe refuses what it is given, or uses what is not understood here."""


@dataclass(slots=True)
class Recipe:
    """A recipe's variables and tasks."""

    file: Path
    variables: dict[str, str]
    overrides: tuple[str, ...] = ()
    functions: dict[str, str] = field(default_factory=dict)
    """Shell functions, by name with ``:append`` and the like."""
    tasks: dict[str, str] = field(default_factory=dict)
    """Python tasks."""
    definitions: str = ""
    """Python's ``def``s."""

    @classmethod
    def read(cls, file: Path, given: Mapping[str, str], overrides: Iterable[str] = ()) -> Recipe:
        """Read a recipe.

        Args:
            given: variables from elsewhere: the configuration, the work folder.
            overrides: as in OVERRIDES, the weakest first.
        """
        name = file.stem.partition("_")[0]
        own = {"PN": name, "BPN": name, "FILE_DIRNAME": str(file.parent)}
        recipe = cls(file, DIRECTORIES | own | dict(given), tuple(overrides))
        recipe._parse(file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines())
        return recipe

    @property
    def name(self) -> str:
        """PN."""
        return self.variables["PN"]

    def getVar(self, name: str) -> str | None:  # noqa: N802 (bitbake's name, which recipes call)
        """A variable's value, expanded; None: it has none."""
        value = self._raw(name)
        return None if value is None else self.expand(value)

    def get(self, name: str) -> str:
        """The same; nothing where there is none."""
        return self.getVar(name) or ""

    def expand(self, text: str) -> str:
        """Replace what stands in ``${}``; shell variables, which have no value here, stay."""

        def replace(found: re.Match[str]) -> str:
            inside = found[1]
            value = self._evaluate(inside[1:]) if inside.startswith("@") else self.getVar(inside)
            return found[0] if value is None else str(value)

        while (expanded := _INNERMOST.sub(replace, text)) != text:
            text = expanded
        return text

    def run_task(self, name: str) -> None:
        """Carry out a Python task.

        Raises:
            RecipeError: it calls ``bb.fatal``.
        """
        body = "def task(d):\n" + textwrap.indent(textwrap.dedent(self.tasks[name]), "    ")
        # Our own recipe, out of this repository.
        exec(f"{self.definitions}\n{body}\ntask(d)", self._namespace())  # noqa: S102

    def install(self, root: Path) -> None:
        """Carry out ``do_install`` and what is appended to it.

        Raises:
            RecipeError: a command of it failed.
        """
        self.variables["D"] = str(root)
        self.run_shell("do_install", "do_install:append")

    def run_shell(self, *names: str) -> None:
        """Carry out shell functions, in one shell; those that are missing are left out.

        Raises:
            RecipeError: a command failed.
        """
        parts = [self.functions[one] for one in names if one in self.functions]
        script = "set -e\n" + self.expand("\n".join(parts))
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RecipeError(f"{self.file.name}: {names[0]} failed: {done.stderr.strip()}")

    def fetch(self, work: Path) -> None:
        """Lay the local files that SRC_URI names into WORKDIR."""
        for word in self.get("SRC_URI").split():
            source = word.removeprefix("file://").partition(";")[0]
            found = next((one for one in self._file_folders() if (one / source).exists()), None)
            if not word.startswith("file://") or found is None:
                raise RecipeError(f"{self.file.name}: there is no {word}")
            if (found / source).is_dir():
                shutil.copytree(found / source, work / source)
            else:
                shutil.copy2(found / source, work / source)

    def _file_folders(self) -> list[Path]:
        return [self.file.parent / self.name, self.file.parent / "files"]

    def _raw(self, name: str) -> str | None:
        value = self.variables.get(name)
        for override in self.overrides:
            value = self.variables.get(f"{name}:{override}", value)
        appended = [self.variables.get(f"{name}:{kind}") for kind in ("prepend", "append")]
        if value is None and not any(appended):
            return None
        value = (appended[0] or "") + (value or "") + (appended[1] or "")
        removed = self.variables.get(f"{name}:remove", "").split()
        return " ".join(one for one in value.split() if one not in removed) if removed else value

    def _evaluate(self, expression: str) -> object:
        return eval(expression, self._namespace())  # noqa: S307 (our own recipe)

    def _namespace(self) -> dict[str, Any]:
        return {"d": self, "os": os, "bb": SimpleNamespace(fatal=self._fatal, utils=_Utilities)}

    def _fatal(self, message: str) -> NoReturn:
        raise RecipeError(f"{self.file.name}: {message}")

    def _parse(self, lines: list[str]) -> None:
        waiting = deque(lines)
        while waiting:
            line = waiting.popleft()
            if found := _FUNCTION.fullmatch(line.rstrip()):
                body = "\n".join(_take_until_brace(waiting))
                kind = self.tasks if found[1] else self.functions
                name = self._understood(self.expand(found[2] or "__anonymous"))
                kind[name] = f"{kind[name]}\n{body}" if ":" in name and name in kind else body
            elif line.startswith("def "):
                self.definitions += "\n".join([line, *_take_indented(waiting)]) + "\n"
            elif found := _ASSIGNMENT.fullmatch(line.strip()):
                self._assign(self._understood(self.expand(found[1])), found[2], found[3])
            elif not _WITHOUT_EFFECT.fullmatch(line.strip()):
                raise RecipeError(f"{self.file.name}: this is not understood here: {line.strip()}")

    def _understood(self, name: str) -> str:
        if _CONDITIONAL.search(name):
            raise RecipeError(f"{self.file.name}: this is not understood here: {name}")
        return name

    def _assign(self, name: str, operator: str, value: str) -> None:
        present = self.variables.get(name)
        match operator:
            case "?=":
                self.variables.setdefault(name, value)
            case ":=":
                self.variables[name] = self.expand(value)
            case "=" if name.endswith((":append", ":prepend", ":remove")):
                glue = " " if name.endswith(":remove") else ""
                parts = [present or "", value]
                self.variables[name] = glue.join(
                    reversed(parts) if name.endswith(":prepend") else parts
                )
            case "+=" | ".=":
                glue = " " if operator == "+=" else ""
                self.variables[name] = f"{present or ''}{glue}{value}"
            case "=+" | "=.":
                glue = " " if operator == "=+" else ""
                self.variables[name] = f"{value}{glue}{present or ''}"
            case _:
                self.variables[name] = value


class _Utilities:
    """What our recipes call of ``bb.utils``."""

    @staticmethod
    def contains(name: str, wanted: str, yes: str, no: str, recipe: Recipe) -> str:
        """Whether a variable, a list of words, has all the wanted ones."""
        return yes if set(wanted.split()) <= set(recipe.get(name).split()) else no

    @staticmethod
    def sha256_file(path: str) -> str:
        """A file's checksum, in hexadecimal digits."""
        return file_sha256(Path(path))


def _take_until_brace(lines: deque[str]) -> list[str]:
    """A function's body; the brace that ends it is used up."""
    taken = []
    while lines and (line := lines.popleft()).rstrip() != "}":
        taken.append(line)
    return taken


def _take_indented(lines: deque[str]) -> list[str]:
    """The lines that still belong to a Python definition."""
    taken = []
    while lines and (not lines[0].strip() or lines[0].startswith(" ")):
        taken.append(lines.popleft())
    return taken
