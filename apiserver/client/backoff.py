"""How long to wait before the next try: exponential, capped, and with jitter, so that many who failed
together do not come back together."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Waits in seconds. ``base`` is the longest first wait, ``cap`` the longest of all."""

    base: float
    cap: float

    def delay(self, failures: int, rng: random.Random) -> float:
        """The wait after so many failures in a row: between half and all of ``base * 2 ** failures``."""
        # 2.0 ** 1024 overflows; long before that the cap decides.
        return min(self.cap, self.base * 2.0 ** min(failures, 64)) * rng.uniform(0.5, 1.0)
