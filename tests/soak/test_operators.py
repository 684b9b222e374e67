"""An operator in ``kopf`` that is killed again and again while its tasks come, change and go, and its server too.

In the end every task has been seen as it is last, and everything that was deleted is gone and was told of.
``PLUM_SOAK_OPERATOR_KILLS`` says how many kills; without it the test is left out.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from apiserver.client.kubeconfig import write_kubeconfig
from tests.clients.bodies import task, with_replicas
from tests.clients.objects import Tasks
from tests.clients.operators import Operator
from tests.e2e.cluster import wait_for
from tests.servers import running_apiserver

KILLS = int(os.environ.get("PLUM_SOAK_OPERATOR_KILLS", "0"))
SEED = int(os.environ.get("PLUM_SOAK_SEED", "1"))
KEEPER = Path("tests/clients/keeper.py").resolve()
HANDLED = "kopf.zalando.org/last-handled-configuration"
MOST = 20
"""Tasks that there are at a time."""


@dataclass
class Writer:
    """Makes, changes and deletes tasks, and keeps a book of what it was answered."""

    tasks: Tasks
    rng: random.Random
    replicas: dict[str, int] = field(default_factory=dict)
    made: int = 0

    def write(self) -> None:
        """One write. One that the server's death left without an answer is made again."""
        names = sorted(self.replicas)
        if len(names) < MOST and self.rng.random() < 0.4:
            name, self.made = f"t{self.made}", self.made + 1
            again(lambda: self.tasks.create(task(name)), done=409)
            self.replicas[name] = 1
        elif names and self.rng.random() < 0.5:
            name = self.rng.choice(names)
            self.replicas[name] += 1
            again(lambda: self.tasks.patch(name, with_replicas(self.replicas[name])))
        elif names:
            name = self.rng.choice(names)
            again(lambda: self.tasks.delete(name), done=404)
            del self.replicas[name]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write on and on beside something else."""
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(self.rng.uniform(0.01, 0.2)):
                self.write()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def again(write: Callable[[], object], *, done: int = 0) -> None:
    """Until there is an answer; ``done`` is one that says that the former try came through."""

    def tried() -> bool:
        try:
            write()
        except httpx.HTTPStatusError as error:
            if error.response.status_code != done:
                raise
        except httpx.TransportError:
            return False
        return True

    wait_for("an answer", tried)


def kill_soon(operator: Operator, rng: random.Random) -> None:
    """Start the operator, and kill it in the middle of its work."""
    with operator.running() as process:
        seen = len(operator.told())
        wait_for("the operator", lambda: len(operator.told()) > seen)
        time.sleep(rng.uniform(0, 2))
        process.kill()
        process.wait(20)


@pytest.mark.skipif(not KILLS, reason="PLUM_SOAK_OPERATOR_KILLS says how often")
def test_nothing_is_lost(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    data, kubeconfig = tmp_path / "data", tmp_path / "kubeconfig"
    operator = Operator(KEEPER, kubeconfig, "default", tmp_path, {"KEEPER_STATUS": "1"})
    with ExitStack() as running:
        server, url = running.enter_context(running_apiserver(data))
        write_kubeconfig(kubeconfig, url)
        http = running.enter_context(httpx.Client(base_url=url, trust_env=False))
        writer = Writer(Tasks(http, "default"), rng)
        with writer.writing():
            for number in range(KILLS):
                kill_soon(operator, rng)
                if number % 3 == 2:
                    server.kill()
                    server.wait(20)
                    server, _ = running.enter_context(running_apiserver(data, "--addr", url.removeprefix("http://")))
        with operator.running():
            with suppress(AssertionError):
                wait_for("the last of it", lambda: not unsettled(writer), seconds=120)
            assert unsettled(writer) == []
    told = operator.told()
    assert [name for name in writer.replicas if f"made {name}" not in told] == []
    assert [name for name in deleted(writer) if f"made {name}" in told and f"gone {name}" not in told] == []


def deleted(writer: Writer) -> list[str]:
    return [name for name in (f"t{number}" for number in range(writer.made)) if name not in writer.replicas]


def unsettled(writer: Writer) -> list[str]:
    """What differs from the book, and tasks whose last state no handler has seen.

    That is what kopf writes down at once. Results of handlers go to the status in a request of their own, and are
    lost when the operator dies before it.
    """
    found = {item["metadata"]["name"]: item["metadata"] for item in writer.tasks.all()}
    wrong = [f"{name} is there or is not" for name in sorted(set(found) ^ set(writer.replicas))]
    for name in sorted(set(found) & set(writer.replicas)):
        seen = found[name].get("annotations", {}).get(HANDLED, "")
        if f'"replicas":{writer.replicas[name]}' not in seen:
            wrong.append(f"{name} has {writer.replicas[name]} copies, and this has been handled: {seen}")
    return wrong
