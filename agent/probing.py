"""The probes of all processes of this node: a timer for each, tries beside one another, and word of what changes.

Level-triggered: ``follow`` is told, as often as one likes, which process of an instance is to be probed.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.instances import Key
from agent.probe_commands import Place
from agent.probers import target
from agent.probes import Checks, Health, Outcome, begin
from agent.runtime import Process
from apiserver.api.kinds.probe import Probe, ProbeName, Probes

log = logging.getLogger(__name__)


class Asking(Protocol):
    """Makes one try; see ``Probers``."""

    async def ask(self, name: ProbeName, probe: Probe, ports: Mapping[str, int], place: Place) -> Outcome | None:
        """One try. None: it says nothing of the process."""
        ...


@dataclass(frozen=True)
class Subject:
    """A process that is probed."""

    process: Process
    probes: Probes
    ports: Mapping[str, int]
    """By name."""
    place: Place
    age: float
    """Seconds that it has run."""
    known: Health | None
    """What earlier probes said of it."""


@dataclass(frozen=True)
class Hands:
    """What probing works with, and whom it tells."""

    asking: Asking
    clock: Callable[[], float]
    """Monotonic seconds."""
    rng: random.Random
    judged: Callable[[Key, Process, Health], None]
    """Called when the health of a process is another one."""
    alarmed: Callable[[Key, str], None]
    """Called with what a probe saw that is worth an event."""


class Probing:
    """Probes what it follows. All on the event loop."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._rounds: dict[Key, _Round] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    def follow(self, key: Key, process: Process | None, subject: Callable[[], Subject | None]) -> None:
        """Probe this process of the instance from now on, and no other; None: none. ``subject`` is asked for what there
        is to know until it answers."""
        current = self._rounds.get(key)
        if current is not None and (process is None or current.subject.process != process):
            self._end(self._rounds.pop(key))
            current = None
        if current is None and process is not None and not self._closed and (found := subject()) is not None:
            self._rounds[key] = _Round(self._hands, key, found)

    def _end(self, ended: "_Round") -> None:
        for task in ended.end():
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Probe nothing any more."""
        self._closed = True
        for each in self._rounds.values():
            self._end(each)
        self._rounds.clear()
        await asyncio.gather(*self._ending, return_exceptions=True)


class _Round:
    """The probes of one process, from its first try to its end."""

    def __init__(self, hands: Hands, key: Key, subject: Subject) -> None:
        self.subject = subject
        self._hands, self._key = hands, key
        targets = {name: target(probe, subject.ports) for name, probe in subject.probes.by_name().items()}
        now, jitter = hands.clock(), hands.rng.random()
        self._checks = begin(subject.probes, targets, now=now, jitter=jitter, age=subject.age, known=subject.known)
        self._health = subject.known
        self._timers: dict[ProbeName, asyncio.TimerHandle] = {}
        self._tries: dict[ProbeName, asyncio.Task[None]] = {}
        self._advance(self._checks)

    def end(self) -> list[asyncio.Task[None]]:
        """Ask no more; the tries that are being abandoned."""
        for timer in self._timers.values():
            timer.cancel()
        tries = [*self._tries.values()]
        for task in tries:
            task.cancel()
        return tries

    def _advance(self, checks: Checks) -> None:
        """Go on from these checks."""
        self._checks = checks
        self._arm()
        if checks.health != self._health:
            self._health = checks.health
            self._hands.judged(self._key, self.subject.process, self._health)

    def _arm(self) -> None:
        """A timer for every probe that is not being tried."""
        now = self._hands.clock()
        for name, check in self._checks.items():
            if timer := self._timers.pop(name, None):
                timer.cancel()
            if name not in self._tries and (due := check.next_at) is not None:
                wait = max(0.0, due - now)
                self._timers[name] = asyncio.get_running_loop().call_later(wait, self._begin, name, check.probe, due)

    def _begin(self, name: ProbeName, probe: Probe, due: float) -> None:
        del self._timers[name]
        asked = max(due, self._hands.clock())  # timers may come a little early
        task = asyncio.create_task(self._try(name, probe, asked), name=f"{name} probe of {'/'.join(self._key)}")
        self._tries[name] = task

    async def _try(self, name: ProbeName, probe: Probe, asked: float) -> None:
        try:
            outcome = await self._hands.asking.ask(name, probe, self.subject.ports, self.subject.place)
        except Exception:  # a fault of ours says nothing of the process, and must not end its probes
            log.exception("%s: the %s probe failed to be run", "/".join(self._key), name)
            outcome = None
        del self._tries[name]
        now, jitter = self._hands.clock(), self._hands.rng.random()
        checks, alarm = self._checks.answered(name, outcome, asked=asked, now=now, jitter=jitter)
        if alarm:
            self._hands.alarmed(self._key, alarm)
        self._advance(checks)
