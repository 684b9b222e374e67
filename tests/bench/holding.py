"""What holding processes costs, beside supervisord and PM2: starts and stops of many, memory, idle processors, and
what is left of the apps when the holder is killed with -9."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import accounts
from tests.bench.holders import Holder, end_all, until_gone, until_started
from tests.bench.peers import NotInstalled, pm2, supervisord
from tests.bench.plum_holder import Plum, plum
from tests.bench.table import Row, Scale, megabytes

STARTS = (1, 50, 200)
START_AIMS = {1: "< 0.05 s", 50: "< 0.5 s", 200: "< 1.5 s"}
ONES = 5
"""How often a single one is started."""

SIZES = (100, 500)
KILLED_WITH = 100
SETTLED_SECONDS = 2.0
RAW = "1000020"
"""What the sleeps without a holder are known by."""

OWN_AIM, APP_AIM = "< 45 MB", "<= 0.25 MB"
PEERS: dict[str, Callable[[Path], AbstractContextManager[Holder]]] = {"supervisord": supervisord, "PM2": pm2}


@dataclass(frozen=True)
class Costs:
    """What a holder costs with so many apps, in bytes; of a core the share."""

    count: int
    own: int
    helpers: int
    shims: int
    kernel: int
    busy: float

    def an_app(self, empty: "Costs", alone: float) -> tuple[float, float]:
        """Beyond what it costs without apps, and beyond the apps themselves: user memory and the kernel's."""
        user = self.own + self.helpers + self.shims - empty.own - empty.helpers
        return user / self.count, (self.kernel - empty.kernel) / self.count - alone


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    alone = _alone(scale.count(max(SIZES)))
    figure = f"{_spawned(scale.count(200)):.2f} s, {alone / 1e6:.3f} MB of the kernel's each"
    yield Row(f"sleep alone, {scale.count(200)} spawned", figure)
    with plum(folder / "plum") as holder:
        yield from _rows(holder, scale, alone)
    for name, peer in PEERS.items():
        try:
            with peer(folder / name) as other:
                yield from _rows(other, scale, alone)
        except NotInstalled as error:
            yield Row(f"{name} is not installed: nothing to stand beside these", str(error)[:80])


def _rows(holder: Holder, scale: Scale, alone: float) -> Iterator[Row]:
    empty = _costs(holder, 0, scale)
    yield from _cost_rows(holder, empty)
    holder.run(1)  # the first one fetches
    until_started(holder.argument, 1)
    holder.stop()
    for full in SIZES:
        count = scale.count(full)
        holder.run(count)
        until_started(holder.argument, count)
        costs = _costs(holder, count, scale)
        yield from _cost_rows(holder, costs)
        yield _app_row(holder, costs, empty, alone)
        if full == KILLED_WITH:
            yield _killed(holder, count)
        holder.stop()
    yield from _starts(holder, scale)


def _starts(holder: Holder, scale: Scale) -> Iterator[Row]:
    for full in STARTS:
        count = 1 if full == 1 else scale.count(full)
        started, stopped = [], []
        for _ in range(ONES if full == 1 else scale.rounds):
            started.append(holder.run(count))
            until_started(holder.argument, count)
            stopped.append(holder.stop())
        aim = _aim(holder, START_AIMS[full])
        yield Row(f"{holder.name}: {count} asked for to all running", _seconds(started), "", aim)
        yield Row(f"  and asked to stop to all gone: {count}", _seconds(stopped))


def _seconds(found: list[float]) -> str:
    return f"{median(found):.3f} s ({' '.join(f'{one:.3f}' for one in found)})"


def _costs(holder: Holder, count: int, scale: Scale) -> Costs:
    accounts.until_quiet([*holder.own(), *holder.shims()])
    kernel = accounts.kernel()
    shims, helpers = holder.shims(), set(holder.helpers())
    own = set(holder.own()) - helpers
    busy = accounts.idle([*own, *helpers, *shims], holder.period * min(1.0, scale.seconds / 3))
    return Costs(count, accounts.pss(own), accounts.pss(helpers), accounts.pss(shims), kernel, busy)


def _cost_rows(holder: Holder, costs: Costs) -> Iterator[Row]:
    """Memory and processors with so many apps."""
    figure = megabytes(costs.own)
    figure += f", its helpers {megabytes(costs.helpers)}" if costs.helpers else ""
    figure += f", shims {costs.shims / costs.count / 1e6:.3f} MB each" if costs.shims else ""
    yield Row(f"{holder.name}: memory with {costs.count} apps", figure, "", _aim(holder, OWN_AIM))
    yield Row(f"  processors with {costs.count} idle apps", f"{costs.busy:.2%} of a core")


def _app_row(holder: Holder, costs: Costs, empty: Costs, alone: float) -> Row:
    user, kernel = costs.an_app(empty, alone)
    figure = f"{(user + kernel) / 1e6:.3f} MB, of it the kernel's {kernel / 1e6:.3f} MB"
    return Row(f"  each of {costs.count} apps costs beyond itself", figure, "", _aim(holder, APP_AIM))


def _aim(holder: Holder, aim: str) -> str:
    return aim if isinstance(holder, Plum) else ""


def _killed(holder: Holder, count: int) -> Row:
    """kill -9 of the holder and a new one: who of the apps is still the same and known, who runs unknown."""
    before = accounts.sleepers(holder.argument)
    holder.kill()
    holder.revive()
    alive = _settled(holder.argument)
    managed = holder.managed()
    kept, orphans, doubles = before & alive & managed, alive - managed, len(alive) - count
    end_all(orphans)
    figure = f"{len(kept)} kept, {len(before - alive)} ended, {len(orphans)} orphans, {max(0, doubles)} doubles"
    return Row(f"{holder.name}: killed -9 and started again, {count} apps", figure)


def _settled(argument: str) -> set[int]:
    """The apps that are alive, once they have been the same for a while."""
    found, since = accounts.sleepers(argument), time.monotonic()
    while time.monotonic() < since + SETTLED_SECONDS:
        time.sleep(0.1)
        now = accounts.sleepers(argument)
        if now != found:
            found, since = now, time.monotonic()
    return found


@contextmanager
def _sleeping(count: int) -> Iterator[float]:
    """So many sleeps of nobody's, ended afterwards; the seconds that their starts took."""
    began = time.monotonic()
    found = [subprocess.Popen(["sleep", RAW], stdin=subprocess.DEVNULL) for _ in range(count)]
    took = time.monotonic() - began
    try:
        yield took
    finally:
        for one in found:
            one.kill()
        for one in found:
            one.wait()
        until_gone(RAW)


def _spawned(count: int) -> float:
    with _sleeping(count) as took:
        return took


def _alone(count: int) -> float:
    """Bytes that the kernel holds for one sleep."""
    before = accounts.kernel()
    with _sleeping(count):
        return (accounts.kernel() - before) / count
