"""The instances of this node as they are now: in memory for the plan, their records on disk for the next agent."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import orjson
from pydantic import ValidationError

from agent import sync
from agent.folders import Folders
from agent.instances import Instance, Key, Moment, Work, recalled
from agent.threads import in_thread
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.task import Logs

ANSWER_SECONDS = 30.0
"""How long the answer to a write counts against an older object in the cache."""


class Ledger:
    """All changes happen on the event loop, each a pure step from what is there."""

    def __init__(self, folders: Folders, *, now: Callable[[], Moment]) -> None:
        self.folders, self.now = folders, now
        self._instances: dict[Key, Instance] = {}
        self._answers: dict[Key, tuple[Assignment, float]] = {}
        """What the server answered to our last write: newer than the cache, for a moment."""
        self._remembered: dict[Key, Assignment] = {}
        self._saving: dict[Key, asyncio.Lock] = {}
        self._changed = asyncio.Event()

    @property
    def instances(self) -> Mapping[Key, Instance]:
        """Everything known, by key."""
        return self._instances

    def load(self, boot_id: str) -> None:
        """Take over what earlier agents wrote down. Raises OSError, NewerFormat."""
        for record in self.folders.records(boot_id):
            prepared = self.folders.app(record.key).is_dir()
            self._instances[record.key] = recalled(record, prepared=prepared, boot_id=boot_id, now=self.now())
            if record.assignment is not None:
                with suppress(ValidationError):  # another version's; the server will tell
                    self._remembered[record.key] = record.assignment.parse()

    def remembered(self, key: Key) -> Assignment | None:
        """The assignment as an earlier agent saw it last."""
        return self._remembered.get(key)

    def all_remembered(self) -> Iterable[Assignment]:
        """Those that an earlier agent saw; none where the server has told."""
        return self._remembered.values()

    def forget_remembered(self) -> None:
        """The server has told: what earlier agents saw counts no more."""
        self._remembered.clear()

    def expect(self, assignment: Assignment) -> None:
        """Know the assignment's instance from now on."""
        if assignment.key not in self._instances:
            self._instances[assignment.key] = sync.newcomer(assignment)

    def change(self, key: Key, step: Callable[[Instance], Instance]) -> Instance:
        """Take one step, if the instance is still known."""
        after = self._instances[key] = step(self._instances[key])
        self._wake()
        return after

    def forget(self, key: Key) -> None:
        """Drop the instance."""
        self._instances.pop(key, None)
        self._answers.pop(key, None)
        self._saving.pop(key, None)
        self._wake()

    async def save(self, key: Key, *, data: Path | None = None) -> None:
        """Bring the record as it is now to the disk, and see that there is the slot's folder ``data``, if given: one at
        a time, also when one is cancelled. Raises OSError, ValueError for a name that is no folder's."""
        if key not in self._instances:
            return
        async with self._saving.setdefault(key, asyncio.Lock()):
            instance = self._instances.get(key)
            if instance is not None and not instance.removed and "remove" not in instance.busy:
                await in_thread(None, partial(self.folders.save, instance.record, data))

    def facts(self, key: Key, logs: Logs) -> bytes:
        """What a run's folder should say of the instance, should its record be lost; and how much is kept of what the
        run writes, for the rotator."""
        body = self._instances[key].record.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude={"assignment"}
        )
        return orjson.dumps(body | {"logs": {"maxSizeBytes": logs.max_size_bytes, "maxFiles": logs.max_files}})

    async def remove(self, key: Key) -> None:
        """Delete the instance's folder, after a save under way. Raises OSError, ValueError."""
        async with self._saving.setdefault(key, asyncio.Lock()):
            await in_thread(None, partial(self.folders.remove, key, self._instances[key].record.uid))

    def answered(self, assignment: Assignment) -> None:
        """The server answered a write with this."""
        self._answers[assignment.key] = (assignment, self.now().ticks)

    def newest(self, key: Key, cached: Assignment | None) -> Assignment | None:
        """The assignment as we know it best: the cache lags behind our own writes."""
        answer, at = self._answers.get(key, (None, 0.0))
        if cached is None or answer is None:
            self._answers.pop(key, None)
            return cached
        is_newer = _version(answer) > _version(cached) and answer.metadata.uid == cached.metadata.uid
        if is_newer and self.now().ticks - at < ANSWER_SECONDS:
            return answer
        del self._answers[key]
        return cached

    def taken_ports(self, key: Key) -> set[int]:
        """The ports that belong to other instances, running or not."""
        return {port for other in self._instances.values() if other.key != key for port in other.record.ports.values()}

    def unoccupy(self, key: Key, work: Work) -> None:
        """Work beside the plan is over, however it went."""
        if (instance := self._instances.get(key)) and work in instance.busy:
            self._instances[key] = instance.unoccupied(work)
            self._wake()

    async def until(self, reached: Callable[[], bool], *, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds for something to be true of the instances."""
        try:
            async with asyncio.timeout(timeout):
                while not reached():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        self._changed.set()


def _version(assignment: Assignment) -> int:
    return int(assignment.metadata.resource_version or 0)
