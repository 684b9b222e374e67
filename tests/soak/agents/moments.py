"""The moments at which the agent is killed: at random, and in the middle of whatever it does."""

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from tests.soak.agents.stage import Stage

T = TypeVar("T")
SECONDS = 30.0
SPAWNED_AT_ONCE = 4
ROTATES = find_spec("agent.logs") is not None


def soon(condition: Callable[[], T | None], what: str, seconds: float = SECONDS, pause: float = 0.001) -> T:
    """The first true answer, looked for almost without pause. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)


def at_random(stage: Stage) -> None:
    """Whatever it does."""
    time.sleep(stage.rng.uniform(0.0, 0.6))


def while_starting(stage: Stage) -> None:
    """A new agent that has just replaced one that was killed."""
    stage.kills.agent.kill()
    stage.kills.agent.spawn()
    time.sleep(stage.rng.uniform(0.2, 1.2))


def in_a_spawn(stage: Stage) -> None:
    """Runs have been made, and their processes begin."""
    cast = stage.cast
    names = cast.content_and_yielding(SPAWNED_AT_ONCE)
    known = {name: len(cast.run_folders(name)) for name in names}
    for name in names:
        cast.request_restart(name)
    soon(lambda: any(len(cast.run_folders(name)) > known[name] for name in names), "a new run")
    time.sleep(stage.rng.choice((0.0, 0.002, 0.01, 0.03)))


def in_a_download(stage: Stage) -> None:
    """Half of an archive has come."""
    slow = stage.cast.add_from_elsewhere()
    assert slow.half.wait(SECONDS)
    slow.go.set()


def in_an_unpacking(stage: Stage) -> None:
    """Some files of an archive are there."""
    stage.cast.add_from_elsewhere().go.set()
    soon(lambda: any(stage.cast.instances.glob("*/app.tmp-*")), "an unpacking")


def in_a_stop(stage: Stage) -> None:
    """An app that ignores TERM has got it."""
    cast = stage.cast
    name = cast.content_and_stubborn()
    before = cast.ledger(name).terms
    cast.request_restart(name)
    soon(lambda: cast.ledger(name).terms > before, f"TERM for {name}")


def in_a_rotation(stage: Stage) -> None:
    """A segment is being made, or was just now."""

    def segments() -> set[Path]:
        return set(stage.cast.instances.glob("*/runs/*/out.log.*"))

    if not ROTATES:
        return at_random(stage)
    before = segments()
    soon(lambda: segments() - before, "a rotation", pause=0.0)


MOMENTS: tuple[Callable[[Stage], None], ...] = (
    in_a_spawn,
    in_a_rotation,
    in_a_stop,
    in_a_download,
    in_an_unpacking,
    at_random,
    while_starting,
)
