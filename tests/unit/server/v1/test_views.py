"""What ``/v1`` shows of many objects: all of one state, and others have their turns meanwhile."""

import asyncio
from typing import Any

from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.task import TASKS
from apiserver.api.meta import Body
from apiserver.server.store.decisions import Put
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.v1.projections import STEP
from apiserver.server.v1.views import Views
from tests.stores import running


def metadata(name: str, **more: Any) -> Body:
    born = {"creationTimestamp": "2026-01-01T00:00:00Z", "uid": f"u-{name}"}
    return {"name": name, "namespace": "default"} | born | more


def task(name: str) -> Put:
    return Put(TASKS, {"metadata": metadata(name), "spec": {"entries": []}})


def copy(task: str, number: int, desired: str = "Running") -> Put:
    owner = {"uid": f"u-{task}", "controller": True}
    template = {"artifactUrl": "/x.zip", "sha256": ""}
    spec = {"taskName": task, "entry": "main", "desired": desired, "template": template}
    return Put(ASSIGNMENTS, {"metadata": metadata(f"{task}-{number}", ownerReferences=[owner]), "spec": spec})


async def test_a_long_list_is_of_one_state_and_others_have_their_turns() -> None:
    async with running(MemoryEngine()) as store:
        stopped = copy("web", 2 * STEP, "Stopped")
        await store.write(lambda view: [task("web"), stopped, *(copy("web", number) for number in range(2 * STEP))])
        listing = asyncio.create_task(Views(store).tasks("default"))
        await asyncio.sleep(0)
        assert not listing.done()
        await store.write(lambda view: [task("late"), copy("late", 1), copy("web", 1, "Stopped")])
        assert [(view.name, count) for view, count in await listing] == [("web", 2 * STEP)]
        found = await Views(store).tasks("default")
        assert [(view.name, count) for view, count in found] == [("web", 2 * STEP - 1), ("late", 1)]
