"""What goes wrong again and again: told when it begins, when it changes and when it ends, and tried ever later."""

import random
from dataclasses import dataclass

from agent.instances import Key
from apiserver.client.backoff import Backoff


@dataclass(frozen=True)
class Trouble:
    """One more failure of the same work."""

    is_news: bool
    """Whether it is the first in a row, or of another kind than the one before."""
    pause: float
    """Seconds until the work is worth another try."""


class Troubles:
    """Failures in a row, by instance and by what was being done."""

    def __init__(self, retry: Backoff, rng: random.Random) -> None:
        self._retry, self._rng = retry, rng
        self._met: dict[tuple[Key, str], tuple[int, str]] = {}

    def met(self, key: Key, work: str, what: str) -> Trouble:
        """It has failed, by ``what``."""
        count, before = self._met.get((key, work), (0, None))
        self._met[key, work] = (count + 1, what)
        return Trouble(is_news=what != before, pause=self._retry.delay(count, self._rng))

    def over(self, key: Key, work: str) -> bool:
        """It has succeeded; whether it had failed before."""
        return self._met.pop((key, work), None) is not None

    def forget(self, key: Key) -> None:
        """The instance is gone."""
        for known in [known for known in self._met if known[0] == key]:
            del self._met[known]
