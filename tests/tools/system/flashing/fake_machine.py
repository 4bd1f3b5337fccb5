"""A /sys and a /proc with disks that this machine does not have."""

from __future__ import annotations

from pathlib import Path
from typing import Final

GB: Final = 10**9


class FakeMachine:
    """Writes what the kernel would show."""

    def __init__(self, folder: Path) -> None:
        self.sys = folder / "sys"
        self.proc = folder / "proc"
        (self.sys / "block").mkdir(parents=True)
        (self.proc / "self").mkdir(parents=True)
        self._minor = 0
        self._mounts: list[str] = []
        self.swap()
        self.mount("0:21", "/proc", "proc")

    def disk(
        self,
        name: str,
        where: str = "pci0000:00/ata1",
        size: int = 32 * GB,
        partitions: tuple[str, ...] = (),
        **files: str,
    ) -> Path:
        """Args: files: contents by path, "__" for "/"."""
        folder = self.sys / "devices" / where / "block" / name
        self._node(folder)
        self._write(folder / "size", str(size // 512))
        self._write(folder / "removable", "0")
        self._write(folder / "ro", "0")
        for file, text in files.items():
            self._write(folder / file.replace("__", "/"), text)
        for number, partition in enumerate(partitions, 1):
            self._node(folder / partition)
            self._write(folder / partition / "partition", str(number))
        (self.sys / "block" / name).symlink_to(folder)
        return folder

    def stands_on(self, upper: str, *lower: str) -> None:
        for name in lower:
            self._write(self.sys / "block" / upper / "slaves" / name, "")

    def number(self, name: str) -> str:
        places = [self.sys / "block" / name, *(self.sys / "block").glob(f"*/{name}")]
        return next(place for place in places if place.exists()).joinpath("dev").read_text().strip()

    def mount(self, number: str, target: str, source: str) -> None:
        self._mounts.append(f"22 27 {number} / {target} rw,relatime shared:1 - ext4 {source} rw")
        self._write(self.proc / "self/mountinfo", "\n".join(self._mounts))

    def mount_device(self, name: str, target: str) -> None:
        self.mount(self.number(name), target, f"/dev/{name}")

    def swap(self, *paths: str) -> None:
        lines = ["Filename\tType\tSize\tUsed\tPriority"]
        self._write(self.proc / "swaps", "\n".join(lines + [f"{one} file 1 0 -2" for one in paths]))

    def _node(self, folder: Path) -> None:
        self._minor += 1
        self._write(folder / "dev", f"8:{self._minor}")

    def _write(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
