"""How long this process has seen things as they are, by a clock that nobody sets."""

from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)


class Witness(Generic[KeyT]):
    """Remembers since when, and forgets what is not so any more."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._since: dict[KeyT, dict[str, float]] = {}

    def see(self, key: KeyT, uids: Iterable[str]) -> dict[str, timedelta]:
        """These objects, and of those that the key stands for no others, are so now; for how long each has been."""
        now, before = self._monotonic(), self._since.pop(key, {})
        if found := {uid: before.get(uid, now) for uid in uids}:
            self._since[key] = found
        return {uid: timedelta(seconds=now - since) for uid, since in found.items()}
