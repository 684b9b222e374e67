"""An operator that does a little of everything, for ``kopf run``. What it did stands in the file KEEPER_JOURNAL."""

import asyncio
import os
from pathlib import Path
from typing import Any

import kopf

TASKS = ("plum.dev", "v1", "tasks")
JOURNAL = Path(os.environ["KEEPER_JOURNAL"])
GO = "example.com/go"
"""The annotation that lets a waiting handler finish."""


def tell(what: str, name: str | None) -> None:
    with JOURNAL.open("a") as file:
        file.write(f"{what} {name}\n")


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.loggers = True  # what is logged about an object becomes events
    settings.background.cancellation_polling = 0.2
    settings.networking.error_backoffs = [0.5] * 120  # by default pauses that grow to 21 s
    settings.process.ultimate_exiting_timeout = 5
    settings.watching.initial_streaming = bool(os.environ.get("KEEPER_STREAMS"))
    if os.environ.get("KEEPER_STATUS"):
        settings.persistence.progress_storage = kopf.StatusProgressStorage()


@kopf.on.create(*TASKS)
def made(spec: kopf.Spec, name: str, body: kopf.Body, patch: kopf.Patch, **_: Any) -> dict[str, int]:
    """Its result becomes ``status.made``."""
    tell("made", name)
    patch.status["keeper"] = {"knows": name}
    kopf.info(body, reason="Kept", message=f"{name} is looked after")
    return {"entries": len(spec["entries"])}


@kopf.on.create(*TASKS, annotations={"example.com/waits": kopf.PRESENT})
def settled(annotations: kopf.Annotations, name: str, **_: Any) -> str:
    """Comes after ``made``, again and again until it may finish."""
    tell("settling", name)
    if GO not in annotations:
        raise kopf.TemporaryError("not yet", delay=0.2)
    tell("settled", name)
    return "yes"


@kopf.on.create(*TASKS, labels={"broken": kopf.PRESENT})
def broken(**_: Any) -> None:
    raise kopf.PermanentError("this cannot work")


@kopf.on.update(*TASKS, field="spec.entries")
def changed(old: Any, new: Any, name: str, **_: Any) -> dict[str, int]:
    tell("changed", name)
    return {"from": old[0]["replicas"], "to": new[0]["replicas"]}


@kopf.on.resume(*TASKS)
def found(name: str, **_: Any) -> None:
    tell("found", name)


@kopf.on.delete(*TASKS)
def gone(annotations: kopf.Annotations, name: str, **_: Any) -> None:
    if "example.com/waits" in annotations and GO not in annotations:
        tell("leaving", name)
        raise kopf.TemporaryError("not yet", delay=0.2)
    tell("gone", name)


@kopf.timer(*TASKS, interval=0.2, labels={"timed": kopf.PRESENT})
def tick(status: kopf.Status, patch: kopf.Patch, **_: Any) -> None:
    patch.status["ticks"] = status.get("ticks", 0) + 1


@kopf.daemon(*TASKS, labels={"watched": kopf.PRESENT})
async def guard(stopped: kopf.DaemonStopped, name: str, patch: kopf.Patch, **_: Any) -> None:
    tell("guarding", name)
    try:
        while not stopped:
            await asyncio.sleep(0.1)
    finally:
        tell("guarded", name)
