"""The actions of a plan, performed: what is quick at once, what may take time beside the plan.

Work beside the plan is in the instance's ``busy`` set while it goes on, so that no plan asks for it twice,
and asks for another look when it is over. Stops never wait for it.
"""

import asyncio
import logging
import random
import signal
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from agent import offers, ports, status, sync
from agent.artifact_failures import DiskFull
from agent.files import is_full
from agent.host import Host
from agent.instances import OWN_DOING, Failure, Instance, Key, Stop, Work
from agent.ledger import Ledger
from agent.ports import NoFreePort
from agent.preparations import NotPrepared, Preparer
from agent.reports import Reports
from agent.runtime import Exit, Launch, Process, Runtime, StartFailed
from agent.telling import Telling
from agent.troubles import Troubles
from apiserver.api.kinds.assignment import RESTARTED_AT, Assignment
from apiserver.api.kinds.task import Logs
from apiserver.client.backoff import Backoff

log = logging.getLogger(__name__)

PREPARE_RETRY = Backoff(base=2.0, cap=300.0)
MAX_STARTS = 32
"""Starts under way at a time."""

AGAIN_SECONDS, LONGEST_AGAIN = 2.0, 30.0
"""The pause after work that failed unexpectedly, at first and at most."""

START_SCRIPT = "exec ./start.sh"
"""``exec``, so that the shell does not stand between the agent and the app."""


class Performer:
    """Performs actions on the instances of a ledger."""

    def __init__(
        self,
        host: Host,
        ledger: Ledger,
        runtime: Runtime,
        preparer: Preparer,
        reports: Reports,
        *,
        find: Callable[[Key], Assignment | None],
        enqueue_after: Callable[[Key, float], None],
        left: Callable[[Key], None],
        rng: random.Random | None = None,
    ) -> None:
        """``find`` knows assignments as they are now; ``enqueue_after`` asks for another look at an instance,
        in so many seconds; ``left`` is called when a main process has ended."""
        self._left = left
        self._host, self._ledger, self._runtime = host, ledger, runtime
        self._preparer, self._reports = preparer, reports
        self._find, self._enqueue_after = find, enqueue_after
        self._rng = rng or random.Random()
        self._starts = asyncio.Semaphore(MAX_STARTS)
        self._tasks: dict[tuple[Key, str], asyncio.Task[None]] = {}
        self._telling = Telling(ledger, reports, self._rng)
        self._troubles = Troubles(Backoff(AGAIN_SECONDS, LONGEST_AGAIN), self._rng)

    async def perform(self, action: sync.Action, assignment: Assignment | None) -> None:
        """Do it, or have it begun. ``assignment`` is what the plan was made for; None: it is gone."""
        key = action.key
        match action:
            case sync.Start() if assignment is not None:
                await self._start(key, assignment, counted=action.counted)
            case sync.Stop():
                await self._stop(action, assignment)
            case sync.Settle():
                self._ledger.change(key, Instance.settled)
                await self._ledger.save(key)
            case sync.Forget():
                self._ledger.forget(key)
                self._troubles.forget(key)
            case sync.Remember() if assignment is not None:
                self._ledger.change(key, partial(Instance.remembering, assignment=assignment))
                await self._note(key)
            case _:
                self._begin(action, assignment)

    def _begin(self, action: sync.Action, assignment: Assignment | None) -> None:
        """Have it done beside the plan."""
        key = action.key
        match action:
            case sync.Adopt():
                self._ledger.change(key, lambda instance: instance.occupied("adopt"))
                self._beside(key, "adopt", self._adopt(key))
            case sync.Prepare() if assignment is not None:
                self._ledger.change(key, lambda instance: instance.preparing(self._ledger.now()))
                self._beside(key, "prepare", self._prepare(key, assignment))
            case sync.Kill():
                self._ledger.change(key, lambda instance: instance.occupied("kill"))
                self._beside(key, "kill", self._kill(key))
            case sync.Remove():
                self._ledger.change(key, lambda instance: instance.occupied("remove"))
                self._beside(key, "remove", self._remove(key))
            case sync.Release() if assignment is not None:
                self._ledger.change(key, lambda instance: instance.occupied("release"))
                self._beside(key, "release", self._telling.release(key, assignment))
            case sync.Report() if assignment is not None:
                self._ledger.change(key, lambda instance: instance.occupied("report"))
                self._beside(key, "report", self._telling.report(key, assignment, action.status))

    async def close(self) -> None:
        """Abandon the work beside the plan; processes are left as they are."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _beside(self, key: Key, work: Work, coroutine: Coroutine[Any, Any, None]) -> None:
        self._spawn(key, work, coroutine, lambda: self._ledger.unoccupy(key, work))

    def _spawn(
        self, key: Key, name: str, coroutine: Coroutine[Any, Any, None], after: Callable[[], None] | None = None
    ) -> None:
        task = asyncio.create_task(coroutine, name=f"{name} {'/'.join(key)}")
        self._tasks[key, name] = task
        task.add_done_callback(partial(self._over, key, name, after))

    def _over(self, key: Key, name: str, after: Callable[[], None] | None, task: asyncio.Task[None]) -> None:
        if self._tasks.get((key, name)) is task:
            del self._tasks[key, name]
        if after is not None:
            after()
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._troubles.over(key, name)
        self._enqueue_after(key, 0.0 if error is None else self._failed(key, name, error))

    def _failed(self, key: Key, name: str, error: BaseException) -> float:
        """Work beside the plan has failed; the seconds until it is tried again."""
        trouble = self._troubles.met(key, name, repr(error))
        if trouble.is_news:
            known = isinstance(error, OSError)  # the system's word says it all
            log.error("%s: %s failed: %s; trying again", "/".join(key), name, error, exc_info=None if known else error)
        if name in ("start", "adopt") and key in self._ledger.instances:
            self._ledger.change(key, partial(Instance.doubted, why=str(error) or repr(error)))
        return trouble.pause

    async def _prepare(self, key: Key, assignment: Assignment) -> None:
        try:
            app = self._ledger.folders.app(key)
            await asyncio.to_thread(app.parent.mkdir, mode=0o750, exist_ok=True)
            await self._preparer.prepare(assignment.spec.template, app)
        except NotPrepared as error:
            self._not_prepared(key, assignment, error.reason, str(error))
        except (OSError, ValueError) as error:
            reason = DiskFull.reason if isinstance(error, OSError) and is_full(error) else "UnpackFailed"
            self._not_prepared(key, assignment, reason, f"cannot make the instance's folder: {error}")
        except Exception as error:  # a fault of ours must not be tried again at every look
            log.exception("%s: preparing failed", "/".join(key))
            self._not_prepared(key, assignment, "PrepareFailed", f"the agent failed: {error!r}; see its log")
        else:
            await self._read_meta(key, assignment)

    async def _read_meta(self, key: Key, assignment: Assignment | None) -> None:
        declared, trouble = await asyncio.to_thread(offers.read, self._ledger.folders.app(key))
        self._ledger.change(key, partial(Instance.ready, declared=declared))
        if trouble:
            self._reports.tell(assignment, "Warning", "MetaUnreadable", trouble)

    def _not_prepared(self, key: Key, assignment: Assignment, reason: str, message: str) -> None:
        before = self._ledger.instances[key].failure
        count = before.count + 1 if before else 1
        retry_at = self._ledger.now().ticks + PREPARE_RETRY.delay(count - 1, self._rng)
        self._ledger.change(key, lambda instance: instance.unready(Failure(reason, message, count, retry_at)))
        self._reports.tell(assignment, "Warning", reason, message)

    async def _start(self, key: Key, assignment: Assignment, *, counted: bool) -> None:
        """Have it started beside the plan. From here on, until it is known how that went, something may be alive."""
        number = self._ledger.instances[key].record.run + 1
        try:
            launch = self._launch(key, assignment, number, self._ports(key, assignment))
            data = self._ledger.folders.slot_data(assignment)
        except (NoFreePort, ValueError) as error:
            return await self._not_started(key, str(error))
        self._is_starting(key, assignment, launch, number, counted=counted)
        self._ledger.change(key, lambda instance: instance.occupied("start"))
        self._beside(key, "start", self._come_up(key, assignment, launch, data))

    async def _come_up(self, key: Key, assignment: Assignment, launch: Launch, data: Path) -> None:
        """Raises OSError where nobody can say whether it runs: then it is adopted."""
        ledger = self._ledger
        async with self._starts:
            try:
                await ledger.save(key, data=data)
            except (OSError, ValueError) as error:
                return await self._not_started(key, f"its record cannot be written: {error}")
            facts = ledger.facts(key, assignment.spec.template.logs or Logs())
            try:
                process = await self._runtime.start(replace(launch, facts=facts))
            except StartFailed as error:
                return await self._not_started(key, str(error))
        ledger.change(key, partial(Instance.started, process=process, now=ledger.now()))
        self._spawn(key, "supervise", self._supervise(key, process))
        self._reports.tell(assignment, "Normal", "Started", f"started on {self._host.node}")

    async def _not_started(self, key: Key, why: str) -> None:
        await self._ended(key, partial(Instance.not_started, message=why, now=self._ledger.now()))

    def _is_starting(self, key: Key, assignment: Assignment, launch: Launch, number: int, *, counted: bool) -> None:
        self._ledger.change(
            key,
            lambda instance: instance.starting(
                launch.process(self._runtime.boot_id),
                self._ledger.now(),
                run=number,
                ports=dict(launch.ports),
                restarted_at=assignment.metadata.annotations.get(RESTARTED_AT, ""),
                counted=counted,
            ),
        )

    async def _adopt(self, key: Key) -> None:
        """Know what an earlier agent's start came to; from here on it is as if we had started it."""
        ledger = self._ledger
        left = ledger.instances[key].record
        if left.process is None:
            return
        adopted = await self._runtime.adopt(left.process)
        if adopted is None:
            ledger.change(key, partial(Instance.never_ran, now=ledger.now()))
            await self._note(key)
            return
        if left.declared is None:
            await self._read_meta(key, self._find(key))
        ledger.change(key, partial(Instance.adopted, adopted=adopted, now=ledger.now()))
        log.info("%s: adopted, pid %d", "/".join(key), adopted.process.pid)
        if left.stop is not None:
            self._runtime.stop(adopted.process, _number(left.stop.signal), grace=left.stop.grace)
        self._spawn(key, "supervise", self._supervise(key, adopted.process, ended_at=adopted.ended_at))

    def _ports(self, key: Key, assignment: Assignment) -> dict[str, int]:
        if not assignment.spec.template.ports:
            return {}
        return ports.choose(
            assignment.spec.template.ports,
            kept=self._ledger.instances[key].record.ports,
            taken=self._ledger.taken_ports(key),
            within=self._host.port_range,
            start=self._rng.randrange(len(self._host.port_range)),
        )

    def _launch(self, key: Key, assignment: Assignment, number: int, ports: Mapping[str, int]) -> Launch:
        folders = self._ledger.folders
        return Launch(
            uid=assignment.metadata.uid or "",
            command=assignment.spec.template.start_cmd or START_SCRIPT,
            folder=folders.app(key),
            run=folders.run(key, number),
            ports=ports,
            environment=self._host.environment(assignment, folders, ports),
        )

    async def _stop(self, action: sync.Stop, assignment: Assignment | None) -> None:
        ledger, stop = self._ledger, Stop(cause=action.cause, signal=action.signal, grace=action.grace)
        ledger.change(action.key, lambda one: one.stopped_by(stop, ledger.now()))
        await self._note(action.key)
        process = ledger.instances[action.key].record.process
        if process is not None:
            self._runtime.stop(process, _number(action.signal), grace=action.grace)
        health = ledger.instances[action.key].record.health
        why = health.unhealthy if health is not None and action.cause == "Unhealthy" else action.cause
        message = f"asked to end by {action.signal}, within {action.grace:g} s ({why})"
        self._reports.tell(assignment, "Normal", "Killing", message)

    async def _supervise(self, key: Key, process: Process, *, ended_at: datetime | None = None) -> None:
        exit = await self._watch(key, process)
        self._runtime.release(process)
        await self._ended(key, partial(Instance.down, exit=exit, now=self._ledger.now(), ended_at=ended_at))

    async def _watch(self, key: Key, process: Process) -> Exit:
        while True:
            try:
                return await self._see_end(key, process)
            except OSError:
                log.exception("%s: cannot watch pid %d; trying again", "/".join(key), process.pid)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _see_end(self, key: Key, process: Process) -> Exit:
        """From the end of the main process to the end of all of them. Asked to end, the others have what is
        left of the grace; if the main process ends by itself, they have no one left to work for."""
        exit = await self._runtime.exited(process)
        self._left(key)
        stopping = self._ledger.instances[key].stopping
        grace = max(0.0, stopping.deadline - self._ledger.now().ticks) if stopping else 0.0
        if not grace or not await self._runtime.drained(process, within=grace):
            await self._kill_all(key, process)
        return exit

    async def _kill(self, key: Key) -> None:
        """KILL everything; ``_supervise`` sees it end."""
        process = self._ledger.instances[key].record.process
        if process is not None:
            await self._kill_all(key, process)

    async def _kill_all(self, key: Key, process: Process) -> None:
        while not await self._runtime.kill(process):
            if self._troubles.met(key, "killing", "").is_news:
                log.error("%s: processes survive SIGKILL; trying on", "/".join(key))
        self._troubles.over(key, "killing")

    async def _ended(self, key: Key, step: Callable[[Instance], Instance]) -> None:
        """No process is left: write that down before anything follows from it, if that is possible."""
        record = self._ledger.change(key, step).record
        ended, end = self._ledger.instances[key], record.end
        log.info("%s: %s: %s", "/".join(key), end.cause if end else "", status.describe(ended))
        assignment = self._find(key)
        if assignment is not None and end is not None and end.cause in OWN_DOING:
            self._telling.ended(assignment, ended, end)
        await self._note(key)

    async def _note(self, key: Key) -> None:
        """Write down what has happened or is about to end. A disk that refuses stops neither: it is tried again beside,
        and until then the files of the run tell the next agent what came of it."""
        pause = await self._save(key)
        if pause is not None and (key, "note") not in self._tasks:
            self._spawn(key, "note", self._note_later(key, pause))

    async def _note_later(self, key: Key, pause: float | None) -> None:
        while pause is not None:
            await asyncio.sleep(pause)
            pause = await self._save(key)

    async def _save(self, key: Key) -> float | None:
        """None, or in how many seconds to try again. Told when it begins and when it is over."""
        try:
            await self._ledger.save(key)
        except OSError as error:
            trouble = self._troubles.met(key, "record", str(error))
            if trouble.is_news:
                log.warning("%s: its record cannot be written: %s; trying again", "/".join(key), error)
            return trouble.pause
        if self._troubles.over(key, "record"):
            log.info("%s: its record can be written again", "/".join(key))
        return None

    async def _remove(self, key: Key) -> None:
        preparation = self._tasks.get((key, "prepare"))
        if preparation is not None:
            preparation.cancel()
            await asyncio.wait([preparation])
        await self._ledger.remove(key)
        self._ledger.change(key, Instance.gone)


def _number(name: str) -> int:
    """The signal of a name without SIG."""
    return int(getattr(signal, f"SIG{name}", signal.SIGTERM))
