"""Keys to reconcile. Three queues, each adding one concern to the one before, as in client-go:

- ``Queue``          fair and stingy: a key is processed by one worker at a time, and many adds before that
                     are one
- ``DelayingQueue``  ``add_after``: a key becomes due later
- ``WorkQueue``      ``add_rate_limited``: a key that fails again and again is tried less and less often

All are bounded by the number of distinct keys. They belong to one event loop. The clock counts seconds and
never goes back.
"""

import asyncio
import heapq
import random
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from apiserver.client.backoff import Backoff
from apiserver.client.observers import UNOBSERVED, WorkObserver

K = TypeVar("K", bound=Hashable)

RETRY = Backoff(base=0.005, cap=60.0)


class QueueShutDown(Exception):
    """The queue takes nothing new and has given out everything it had."""


class Queue(Generic[K]):
    """Keys in the order in which they were first added."""

    def __init__(self, *, observer: WorkObserver = UNOBSERVED) -> None:
        self._observer = observer
        self._order: deque[K] = deque()
        """What may be given out now: every dirty key that is not being processed."""
        self._dirty: set[K] = set()
        """What needs processing, also while it is being processed."""
        self._processing: set[K] = set()
        """What workers hold. When one is done and dirty again it goes back into the order."""
        self._changed = asyncio.Event()
        self._shutting_down = False

    def __len__(self) -> int:
        """How many keys could be given out now."""
        return len(self._order)

    def add(self, key: K) -> None:
        """Mark a key as needing work; harmless if it already is, ignored after ``shut_down``."""
        if self._shutting_down or key in self._dirty:
            return
        self._dirty.add(key)
        self._observer.added()
        if key not in self._processing:
            self._offer(key)

    async def get(self) -> K:
        """The next key, waiting for one; the caller must call ``done``. Raises QueueShutDown."""
        while True:
            self._promote()
            if self._order:
                return self._take()
            if self._is_drained():
                raise QueueShutDown
            await self._wait()

    def done(self, key: K) -> None:
        """The worker has finished with the key; if it was added meanwhile it is given out again."""
        self._processing.discard(key)
        if key in self._dirty:
            self._offer(key)
        self._changed.set()

    def shut_down(self) -> None:
        """Take nothing new; what is there is still given out, then ``get`` raises QueueShutDown."""
        self._shutting_down = True
        self._changed.set()

    def _offer(self, key: K) -> None:
        self._order.append(key)
        self._observer.waiting(len(self._order))
        self._changed.set()

    def _take(self) -> K:
        key = self._order.popleft()
        self._observer.waiting(len(self._order))
        self._dirty.discard(key)
        self._processing.add(key)
        return key

    def _is_drained(self) -> bool:
        # A dirty key in processing comes back when its worker is done: somebody must stay to take it.
        return self._shutting_down and not self._dirty

    def _promote(self) -> None:
        """Move in what has become due; here nothing ever does."""

    def _seconds_to_next(self) -> float | None:
        """How long until ``_promote`` has something to do; None: never."""
        return None

    async def _wait(self) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(self._seconds_to_next()):
                await self._changed.wait()
        except TimeoutError:
            return


class DelayingQueue(Queue[K]):
    """A queue whose keys can be added for later; of several times for a key the earliest counts."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, observer: WorkObserver = UNOBSERVED) -> None:
        super().__init__(observer=observer)
        self._clock = clock
        self._due: dict[K, float] = {}
        """When each waiting key becomes due; the truth of which the heap is the order."""
        self._heap: list[tuple[float, int, K]] = []
        self._sequence = 0
        """Breaks ties in the heap, where keys need not be comparable."""

    def add_after(self, key: K, delay: float) -> None:
        """Add the key in ``delay`` seconds; at once if that is not positive. Lost at ``shut_down``."""
        if delay <= 0:
            self.add(key)
            return
        due = self._clock() + delay
        if self._shutting_down or self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        self._sequence += 1
        heapq.heappush(self._heap, (due, self._sequence, key))
        self._drop_superseded()
        self._changed.set()

    def shut_down(self) -> None:
        """As ``Queue.shut_down``; what was not yet due is dropped: the next start lists everything anyway."""
        self._due.clear()
        self._heap.clear()
        super().shut_down()

    def _promote(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)

    def _seconds_to_next(self) -> float | None:
        return max(0.0, self._heap[0][0] - self._clock()) if self._heap else None

    def _drop_superseded(self) -> None:
        """Keep the heap in proportion to the keys, however often a key is brought forward."""
        if len(self._heap) > 2 * len(self._due) + 64:
            self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)


class WorkQueue(DelayingQueue[K]):
    """A delaying queue that remembers how often each key has failed."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
        backoff: Backoff = RETRY,
        observer: WorkObserver = UNOBSERVED,
    ) -> None:
        super().__init__(clock=clock, observer=observer)
        self._rng = rng or random.Random()
        self._backoff = backoff
        self._failures: dict[K, int] = {}

    def add_rate_limited(self, key: K) -> None:
        """Add the key after a wait that doubles with each call until ``forget``."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._observer.retried()
        self.add_after(key, self._backoff.delay(failures, self._rng))

    def failures(self, key: K) -> int:
        """How often the key was added rate-limited since it was last forgotten."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """The key has been dealt with: its next failure is its first."""
        self._failures.pop(key, None)
