"""What the server is told of instances, and what becomes of it when it cannot be told."""

import logging
import random
from typing import Any

from agent import restarts, status
from agent.instances import End, Instance, Key
from agent.ledger import Ledger
from agent.reports import Reports
from apiserver.api.errors import ApiError, NotFound
from apiserver.api.kinds.assignment import Assignment
from apiserver.client.backoff import Backoff
from apiserver.client.events import Type

log = logging.getLogger(__name__)

REPORT_RETRY = Backoff(base=0.5, cap=10.0)


class Telling:
    """Statuses, finalizers and the events of an end, from the ledger to the server and back."""

    def __init__(self, ledger: Ledger, reports: Reports, rng: random.Random) -> None:
        self._ledger, self._reports, self._rng = ledger, reports, rng

    async def release(self, key: Key, assignment: Assignment) -> None:
        """Take our finalizer away."""
        try:
            self._ledger.answered(await self._reports.release(assignment))
        except (ApiError, TimeoutError) as error:
            self._unsent(key, error, exit_told=False)

    async def report(self, key: Key, assignment: Assignment, wanted: dict[str, Any]) -> None:
        """Write the status. An end counts as told once it was sent, also where no answer came."""
        told_of = self._ledger.instances[key].record.finished_at if status.tells_exit(wanted) else None

        def exit_told() -> bool:
            return told_of is not None and told_of == self._ledger.instances[key].record.finished_at

        try:
            self._ledger.answered(await self._reports.status(assignment, wanted, self._ledger.now()))
        except (ApiError, TimeoutError) as error:
            self._unsent(key, error, exit_told=exit_told())
        else:
            self._ledger.change(key, lambda instance: instance.reported(exit_told=exit_told()))

    def _unsent(self, key: Key, error: Exception, *, exit_told: bool) -> None:
        failures = self._ledger.instances[key].failed_reports
        level = logging.DEBUG if failures or isinstance(error, NotFound) else logging.WARNING
        log.log(level, "%s: the server was not told: %s; trying again", "/".join(key), str(error) or "no answer")
        retry_at = self._ledger.now().ticks + REPORT_RETRY.delay(failures, self._rng)
        self._ledger.change(key, lambda instance: instance.unreported(exit_told=exit_told, retry_at=retry_at))

    def ended(self, assignment: Assignment, ended: Instance, end: End) -> None:
        """Events of an end that is the app's own doing."""
        success, streak = end.success, ended.record.streak
        type: Type = "Normal" if success else "Warning"
        self._reports.tell(assignment, type, "Exited" if success else "Failed", status.describe(ended))
        if restarts.is_backing_off(streak) and restarts.is_wanted(
            assignment.spec.template.restart_policy, success=success
        ):
            self._reports.tell(assignment, "Warning", "BackOff", f"starts again after {restarts.delay(streak):g} s")
