"""Leader election: of any number of processes one works, and when it dies or falls silent another does.

``election`` decides; here are the requests, the clock, and the work that is started and stopped. Nobody is to
act without leading, so the work is cancelled at the deadline whatever the requests are doing. What it sent
before may still be on its way then: the server refuses it, if it carries ``Leadership.fence``.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from apiserver.api.errors import AlreadyExists, ApiError, Conflict, NotFound
from apiserver.api.kinds.lease import Lease, LeaseSpec
from apiserver.api.kinds.namespace import SYSTEM
from apiserver.api.machinery.fencing import Fence
from apiserver.api.meta import Body, ObjectMeta
from apiserver.client.backoff import Backoff
from apiserver.client.election import (
    Look,
    Renew,
    State,
    Take,
    Timing,
    Wait,
    claim,
    deadline,
    decide,
    leading,
    missed,
    renewal,
    saw,
    token_of,
    wrote,
)
from apiserver.client.interface import Client

log = logging.getLogger(__name__)

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

RETRY = Backoff(base=0.1, cap=0.5)
RELEASE_SECONDS = 1.0


@dataclass(frozen=True)
class Leadership:
    """One term of office. Its token is higher than that of every one before it."""

    namespace: str
    name: str
    token: int

    @property
    def fence(self) -> str:
        """The value of the header ``Plum-Fence``, for a client's parameter ``fence``."""
        return str(Fence(self.namespace, self.name, self.token))


Work = Callable[[Leadership], Awaitable[None]]


def since_boot() -> float:
    """Seconds since the machine started, where the system can tell also those that it slept."""
    return time.clock_gettime(_CLOCK)


class LeaderElector:
    """One process's part in the election by one lease."""

    def __init__(
        self,
        client: Client,
        name: str,
        *,
        identity: str,
        namespace: str = SYSTEM,
        timing: Timing | None = None,
        clock: Callable[[], float] = since_boot,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rng: random.Random | None = None,
        on_change: Callable[[Leadership | None], None] = lambda leadership: None,
    ) -> None:
        """``identity`` must be unlike that of any other process, earlier ones of this name included. ``clock``
        counts seconds and never goes back; ``now`` is what people read in the lease. ``on_change`` is told
        when this process begins (a leadership) and ceases (None) to lead. The client must not be fenced."""
        self._client, self._name, self._namespace, self._me = client, name, namespace, identity
        self._timing, self._clock, self._now = timing or Timing(), clock, now
        self._rng, self._on_change = rng or random.Random(), on_change
        self._state = State()
        self._failures = 0

    async def run(self, work: Work) -> None:
        """Contend until the work has been done: wait for the lead, run the work, and if the lead is lost before
        the work ends, cancel it, wait for its end and contend again.

        Returns when the work does and raises what it raises; then, and when cancelled, the lease is released."""
        try:
            while not await self._lead(await self._acquire(), work):
                log.info("%s: contending again", self._shown)
        finally:
            await self._release()

    @property
    def _shown(self) -> str:
        return f"{self._namespace}/{self._name}"

    def _token(self) -> int | None:
        return leading(self._state, self._clock(), self._timing)

    async def _acquire(self) -> Leadership:
        while (token := self._token()) is None:
            await self._step()
        return Leadership(self._namespace, self._name, token)

    async def _lead(self, leadership: Leadership, work: Work) -> bool:
        """Work while leading; whether the work came to its own end."""
        log.info("%s: leading as %s, token %d", self._shown, self._me, leadership.token)
        self._on_change(leadership)
        working = asyncio.ensure_future(work(leadership))
        renewing = asyncio.create_task(self._renew_while_leading(), name="renew-lease")
        try:
            await self._watch(working, renewing)
            lost = not working.done()
            if lost:
                log.warning("%s: the lead under token %d is lost; the work stops", self._shown, leadership.token)
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.wait({working, renewing})
            self._on_change(None)
        for task in (renewing, working):
            if not task.cancelled():
                task.result()
        return not lost

    async def _watch(self, working: "asyncio.Future[None]", renewing: "asyncio.Future[None]") -> None:
        """Return when the work is done or the lead is lost: the deadline holds whatever a renewal is doing."""
        while not (working.done() or renewing.done()):
            left = deadline(self._state, self._timing) - self._clock()
            if left <= 0:
                return
            await asyncio.wait({working, renewing}, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def _renew_while_leading(self) -> None:
        while self._token() is not None:
            await self._step()

    async def _step(self) -> None:
        """Do what is to be done next, at most for half the time that a holder has to renew."""
        action = decide(self._state, self._me, self._clock(), self._timing)
        if isinstance(action, Wait):
            await asyncio.sleep(action.seconds)
            return
        try:
            async with asyncio.timeout(self._timing.give_up_after / 2):
                match action:
                    case Look():
                        await self._look()
                    case Take(token):
                        await self._write(claim(self._me, token, self._now(), self._timing))
                    case Renew():
                        assert self._state.lease is not None
                        await self._write(renewal(self._state.lease, self._now()))
        except (ApiError, TimeoutError) as error:
            self._note(error)
            self._state = missed(self._state, self._clock(), RETRY.delay(self._failures - 1, self._rng))
        else:
            # A look that is answered does not end a streak of writes that are refused.
            if not isinstance(action, Look):
                self._failures = 0

    async def _look(self) -> None:
        lease = await self._read()
        before, pause = self._state.lease, self._timing.look_every * self._rng.uniform(0.8, 1.2)
        self._state = saw(self._state, lease, self._me, self._clock(), self._timing, pause=pause)
        if lease is not None and (before is None or _holder(before) != _holder(lease)):
            log.info("%s: held by %s, token %d", self._shown, _holder(lease) or "nobody", token_of(lease))

    async def _read(self) -> Lease | None:
        with suppress(NotFound):
            return await self._client.get(Lease, self._name, namespace=self._namespace)
        return None

    async def _write(self, spec: Body) -> None:
        """Change the lease that was seen, or make it if there was none. Raises ApiError."""
        sent_at = self._clock()
        if self._state.lease is None:
            metadata = ObjectMeta(name=self._name, namespace=self._namespace)
            lease = await self._client.create(Lease(metadata=metadata, spec=LeaseSpec.model_validate(spec)))
        else:
            lease = await self._patch(self._state.lease, spec)
        self._state = wrote(self._state, lease, sent_at, self._clock(), self._timing)

    async def _patch(self, seen: Lease, spec: Body) -> Lease:
        patch: Body = {"metadata": {"resourceVersion": seen.metadata.resource_version}, "spec": spec}
        return await self._client.patch(Lease, self._name, patch, namespace=self._namespace)

    async def _release(self) -> None:
        """Let others lead at once. Best effort: without it they wait until the term is over."""
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                # Not as last seen: a write that was cancelled may have got through.
                lease = await self._read()
                if lease is not None and _holder(lease) == self._me:
                    await self._patch(lease, {"holderIdentity": None})
                    log.info("%s: released", self._shown)
        except (ApiError, TimeoutError) as error:
            log.info("%s: not released: %s", self._shown, str(error) or "no answer in time")

    def _note(self, error: Exception) -> None:
        """Log the first of a streak; that another was faster is no failure."""
        is_race = isinstance(error, Conflict | AlreadyExists)
        level = logging.DEBUG if is_race or self._failures else logging.WARNING
        log.log(level, "%s: %s; trying again", self._shown, str(error) or "no answer in time")
        self._failures += 1


def _holder(lease: Lease) -> str:
    return lease.spec.holder_identity or ""
