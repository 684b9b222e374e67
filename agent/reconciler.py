"""One look at one assignment: gather, plan, act, and look again until only waiting is left."""

import random
from collections.abc import Callable

from agent import status, sync
from agent.checkups import Checkups
from agent.host import Host
from agent.instances import Key
from agent.ledger import Ledger
from agent.performer import Performer
from agent.preparations import Preparer
from agent.reports import Reports
from agent.runtime import Runtime
from agent.siblings import Siblings
from apiserver.api.kinds.assignment import Assignment
from apiserver.client.controller import Result
from apiserver.client.informer import Informer
from apiserver.client.workqueue import WorkQueue

LOOKS = 8
"""Looks in a row at one key before others get their turn."""

REPLACES = "replaces"


def successors(assignment: Assignment) -> list[str]:
    """The index that finds an assignment's successors: ``namespace/name`` of the one that it follows."""
    namespace, _ = assignment.key
    return [f"{namespace}/{assignment.spec.replaces}"] if assignment.spec.replaces else []


class AssignmentReconciler:
    """Makes this node match the assignments in the informer's cache."""

    def __init__(
        self,
        host: Host,
        assignments: Informer[Assignment],
        ledger: Ledger,
        runtime: Runtime,
        *,
        preparer: Preparer,
        reports: Reports,
        queue: WorkQueue[Key],
        rng: random.Random | None = None,
    ) -> None:
        """The informer must have the indexes ``REPLACES`` and ``SIBLINGS``; its changes are enqueued from now on."""
        self.draining = False
        """Whether everything is to end, because the agent is."""
        self.known = False
        """Whether the server has told which assignments there are."""
        self.offline = False
        """Whether to go by what earlier agents saw, as long as the server has not told."""
        self._host, self._assignments, self._ledger, self._queue = host, assignments, ledger, queue
        rng = rng or random.Random()
        self.checkups = Checkups(
            host, ledger, runtime, reports, find=self._find, enqueue_after=self._enqueue_after, rng=rng
        )
        """What probes the instances."""
        self._performer = Performer(
            host,
            ledger,
            runtime,
            preparer,
            reports,
            find=self._find,
            enqueue_after=self._enqueue_after,
            left=self.checkups.leave,
            rng=rng,
        )
        self._siblings = Siblings(assignments, ledger, self._find)
        assignments.add_handler(self._on_change)

    def _on_change(self, old: Assignment | None, new: Assignment | None) -> None:
        changed = new or old
        if changed is not None:
            self._queue.add(changed.key)
            self._siblings.turned(changed.key, self._find(changed.key))
            self._wake_dependents(changed)

    def _wake_dependents(self, assignment: Assignment) -> None:
        """Have those looked at that may wait for this one."""
        for key in self._siblings.dependents(assignment):
            self._queue.add(key)

    def _enqueue_after(self, key: Key, delay: float) -> None:
        self._queue.add_after(key, delay)
        for successor in self._assignments.by_index(REPLACES, "/".join(key)):
            self._queue.add_after(successor.key, delay)

    def _find(self, key: Key) -> Assignment | None:
        if self.known:
            return self._ledger.newest(key, self._assignments.get(*key))
        return self._ledger.remembered(key) if self.offline or self.draining else None

    def learn(self) -> None:
        """The server has told: from now on it is the server that counts."""
        self.known = True
        self._ledger.forget_remembered()
        self.look_at_all()
        for assignment in self._assignments.items():
            self._queue.add(assignment.key)

    def stand_by(self) -> None:
        """What the server tells is another agent's to do: leave everything as it is."""
        self.known = self.offline = False

    def do_without(self) -> None:
        """The server has not told for long: go on as it was last."""
        if not self.known:
            self.offline = True
            self.look_at_all()

    def look_at_all(self) -> None:
        """Look at everything that is on the node."""
        for key in self._ledger.instances:
            self._queue.add(key)

    async def reconcile(self, key: Key) -> Result:
        """See ``Reconciler``."""
        for _ in range(LOOKS):
            assignment, actions = self._look(key)
            steps = [action for action in actions if not isinstance(action, sync.Wait)]
            for step in steps:
                await self._performer.perform(step, assignment)
            if not steps:
                due = [action.until for action in actions if isinstance(action, sync.Wait)]
                return Result(max(0.0, min(due) - self._ledger.now().ticks) if due else None)
        return Result(0.0)

    def _look(self, key: Key) -> tuple[Assignment | None, list[sync.Action]]:
        assignment = self._find(key)
        if assignment is not None:
            self._ledger.expect(assignment)
            if self._siblings.turned(key, assignment):
                self._wake_dependents(assignment)
        self.checkups.look(key)
        actions = sync.plan(
            {key: assignment} if assignment is not None else {},
            self._ledger.instances,
            self._ledger.now(),
            draining=self.draining,
            ip=self._host.ip,
            keys=[key],
            known=self.known,
            lacking=self._lacking(key, assignment),
        )
        return assignment, actions

    def _lacking(self, key: Key, assignment: Assignment | None) -> dict[Key, tuple[str, ...]]:
        missing = self._siblings.missing(assignment, trusting=not self.known) if assignment is not None else ()
        return {key: missing} if missing else {}

    async def drain(self, *, end_within: float, tell_within: float) -> bool:
        """End everything, each instance within its grace, and then tell the server; bounded in seconds. Returns whether
        everything has ended.

        The controller must go on running meanwhile.
        """
        self.draining = True
        self.look_at_all()
        is_over = await self._ledger.until(self._all(self._is_down), timeout=end_within)
        await self._ledger.until(self._all(self._is_told), timeout=tell_within)
        return is_over

    def _all(self, holds: Callable[[Key], bool]) -> Callable[[], bool]:
        return lambda: all(holds(key) for key in self._ledger.instances)

    def _is_down(self, key: Key) -> bool:
        return self._ledger.instances[key].life == "down"

    def _is_told(self, key: Key) -> bool:
        """Whether the server knows, or could not be told."""
        assignment, instance = self._find(key), self._ledger.instances[key]
        if assignment is None or instance.failed_reports:
            return True
        wanted = status.of(assignment, instance, waits=False, now=self._ledger.now(), ip=self._host.ip)
        return not status.differs(assignment, wanted)

    async def close(self) -> None:
        """Abandon the work beside the plan, and the probes."""
        await self.checkups.close()
        await self._performer.close()
