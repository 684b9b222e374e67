"""What there is to measure: the instances whose process has been started. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.instances import Instance


@dataclass(frozen=True)
class Measured:
    """An instance that may be running."""

    namespace: str
    name: str
    uid: str
    run: int
    """Counters begin anew with each run."""
    main: tuple[int, int]
    """Pid and start time, in ticks after boot, of the process that was started: together they are never given again."""
    shim: int = 0
    """The pid of its parent, which is no part of the instance and becomes the parent of whatever loses its own."""
    restarts: int = 0


def to_measure(instances: Iterable[Instance]) -> list[Measured]:
    """Those of which a process is known."""
    return [
        Measured(
            namespace=record.namespace,
            name=record.name,
            uid=record.uid,
            run=record.run,
            main=(record.process.pid, record.process.start_time),
            shim=record.process.shim,
            restarts=record.restarts,
        )
        for record in (instance.record for instance in instances)
        if record.process is not None and record.process.pid
    ]
