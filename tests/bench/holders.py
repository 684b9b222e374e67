"""What holds processes on a machine: Plum's agent and its peers, measured through the same few verbs."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from tests.bench.accounts import sleepers

END_SECONDS = 60.0


class Holder(Protocol):
    """Runs ``sleep ARGUMENT`` in as many copies as it is asked to."""

    name: str
    argument: str
    """What its apps are known by on this machine."""
    period: float
    """Seconds in which it does each of its regular tasks at least once."""

    def run(self, count: int) -> float:
        """Start so many; the seconds from the request until it says of all that they run."""
        ...

    def stop(self) -> float:
        """Stop all; the seconds until none is left."""
        ...

    def own(self) -> Sequence[int]:
        """Its own processes, those that it has for each app not among them."""
        ...

    def helpers(self) -> Sequence[int]:
        """Those of its own beside the main one."""
        ...

    def shims(self) -> Sequence[int]:
        """The processes that it has for each app."""
        ...

    def kill(self) -> None:
        """kill -9 of its main process."""
        ...

    def revive(self) -> None:
        """Start it again as an operator would, and wait until it says of all apps that they run."""
        ...

    def managed(self) -> set[int]:
        """The pids that it believes to be its apps."""
        ...


def until(condition: Callable[[], bool], what: str, seconds: float = END_SECONDS) -> None:
    """Wait for something. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)


def until_started(argument: str, count: int) -> None:
    """Wait until as many of these apps are there: who says that one runs may speak of a fork that is not it yet."""
    until(lambda: len(sleepers(argument)) == count, f"{count} times sleep {argument}")


def until_gone(argument: str) -> None:
    """Wait until none of these apps is left."""
    until(lambda: not sleepers(argument), f"sleep {argument} ends")


def end_all(pids: Iterable[int]) -> None:
    """KILL them."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
