"""Identities of objects: UUIDs of version 7 (RFC 9562), so that their order is the order of creation."""

import random
import uuid
from collections.abc import Callable

_FRACTION_BITS = 12
_RANDOM_BITS = 62


class Uids:
    """Makes identities, each greater than the one before, also when the clock is set back."""

    def __init__(self, *, nanoseconds: Callable[[], int], rng: random.Random) -> None:
        """``nanoseconds`` since the epoch."""
        self._nanoseconds, self._rng = nanoseconds, rng
        self._last = 0

    def __call__(self) -> str:
        """A new one. The first 48 bits are milliseconds, the next 12 a fraction of one."""
        now = (self._nanoseconds() << _FRACTION_BITS) // 1_000_000
        self._last = ticks = max(now, self._last + 1)
        high = (ticks >> _FRACTION_BITS) << 16 | 0x7000 | (ticks & ((1 << _FRACTION_BITS) - 1))
        low = 0b10 << _RANDOM_BITS | self._rng.getrandbits(_RANDOM_BITS)
        return str(uuid.UUID(int=(high & ((1 << 64) - 1)) << 64 | low))
