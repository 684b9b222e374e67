"""Scales tasks by the clock: an operator of one file, for ``kopf run``.

A task says how many copies of its first entry it wants from when on, in the local time of the operator:

    metadata:
      annotations:
        example.com/copies: 08:00=3 18:00=1

Before the first time of the day the last one counts.
"""

import re
from datetime import datetime, time

import kopf

COPIES = "example.com/copies"
SCHEDULED = {COPIES: kopf.PRESENT}
TASKS = ("plum.dev", "v1", "tasks")


def wanted(schedule, now):
    """How many copies at a time of day. Raises ValueError for a text that is no schedule."""
    steps = sorted(step(word) for word in schedule.split())
    if not steps:
        raise ValueError("write, for example, 08:00=3 18:00=1")
    begun = [count for begins, count in steps if begins <= now]
    return begun[-1] if begun else steps[-1][1]


def step(word):
    """``08:00=3`` as a time and a count. Raises ValueError."""
    found = re.fullmatch(r"(\d\d?):(\d\d)=(\d{1,4})", word)
    if not found:
        raise ValueError(f"{word!r} is not HH:MM=COPIES")
    return time(int(found[1]), int(found[2])), int(found[3])


@kopf.on.create(*TASKS, annotations=SCHEDULED)
@kopf.on.update(*TASKS, annotations=SCHEDULED)
@kopf.on.resume(*TASKS, annotations=SCHEDULED)
def check(body, annotations, patch, **_):
    """The task is new, or new to us: act at once, and say what is wrong with its schedule."""
    try:
        scale(body, patch, wanted(annotations[COPIES], datetime.now().time()))
    except ValueError as error:
        kopf.warn(body, reason="BadSchedule", message=f"{COPIES}: {error}")


@kopf.timer(*TASKS, annotations=SCHEDULED, interval=15, initial_delay=15)
def tick(body, annotations, patch, **_):
    """Time passes."""
    try:
        scale(body, patch, wanted(annotations[COPIES], datetime.now().time()))
    except ValueError:
        return  # an event has told


def scale(body, patch, count):
    """Write the count where it differs."""
    if body["spec"]["entries"][0].get("replicas", 1) == count:
        return

    def change(task):
        task["spec"]["entries"][0]["replicas"] = count

    # Of such a function kopf makes operations that hold for this version of the task only: what somebody else
    # changes in its entries at the same time is not written over.
    patch.fns.append(change)
    kopf.info(body, reason="Scaled", message=f"{count} copies, by {COPIES}")
