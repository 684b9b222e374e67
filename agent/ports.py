"""Which ports an instance gets: fixed ones as given, the others from the node's range, kept over restarts."""

import re
import socket
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from apiserver.api.kinds.task import Port

DEFAULT_RANGE = "20000-29999"


class NoFreePort(Exception):
    """The range is used up."""


@dataclass(frozen=True)
class PortRange:
    """The ports an agent may give out, both ends included."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``first-last``. Raises ValueError that says what is wrong."""
        found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
        if not found:
            raise ValueError(f"{text!r} is not of the form FIRST-LAST, such as {DEFAULT_RANGE}")
        first, last = int(found[1]), int(found[2])
        if not 1 <= first <= last <= 65535:
            raise ValueError(f"{text!r} is not a range of ports between 1 and 65535")
        return cls(first, last)

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1

    def rotated(self, start: int) -> Iterator[int]:
        """All ports, beginning at the ``start``-th."""
        at = self.first + start % len(self)
        yield from range(at, self.last + 1)
        yield from range(self.first, at)


def is_free(port: int) -> bool:
    """Whether nobody listens on the port, and no connection of it lingers."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def choose(
    wanted: Sequence[Port],
    *,
    kept: Mapping[str, int],
    taken: Collection[int],
    within: PortRange,
    start: int,
    is_free: Callable[[int], bool] = is_free,
) -> dict[str, int]:
    """Numbers for the wanted ports by name. ``kept`` is what the instance had, ``taken`` what other instances
    have; the search begins at the ``start``-th port of the range. Raises NoFreePort."""
    chosen: dict[str, int] = {port.name: port.port for port in wanted if port.port is not None}
    for port in wanted:
        had = kept.get(port.name)
        if port.port is None and had is not None and had in within and had not in taken:
            chosen[port.name] = had
    candidates = within.rotated(start)
    for port in wanted:
        if port.name not in chosen:
            chosen[port.name] = _next(candidates, {*taken, *chosen.values()}, is_free, within)
    return {port.name: chosen[port.name] for port in wanted}


def _next(candidates: Iterator[int], taken: Collection[int], is_free: Callable[[int], bool], within: PortRange) -> int:
    for port in candidates:
        if port not in taken and is_free(port):
            return port
    raise NoFreePort(f"no port of {within} is free; give the agent a larger --port-range")
