"""How many may be served at once, with one place kept for clients on this machine."""

from __future__ import annotations


class Places:
    """A bounded number of places.

    Args:
        most: how many there are. The last one is for clients on this machine, unless it is the only one: the
            car's own screen shall find a place whoever else came first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._holders: set[object] = set()

    @property
    def taken(self) -> int:
        """How many are taken."""
        return len(self._holders)

    def take(self, holder: object, *, local: bool) -> bool:
        """Take a place; False where there is none."""
        most = self._most if local else max(1, self._most - 1)
        if len(self._holders) >= most:
            return False
        self._holders.add(holder)
        return True

    def holds(self, holder: object) -> bool:
        """Whether somebody has one."""
        return holder in self._holders

    def hand_over(self, holder: object, heir: object) -> None:
        """Give the place of one to another."""
        self._holders.remove(holder)
        self._holders.add(heir)

    def give_back(self, holder: object) -> None:
        """Give a place back; nothing where it was given back already."""
        self._holders.discard(holder)
