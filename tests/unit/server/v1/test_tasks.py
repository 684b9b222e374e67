"""A task whose instances take several commits, and what may happen between two of them."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.namespace import NAMESPACES
from apiserver.api.kinds.task import TASKS
from apiserver.server.blobs import Blobs
from apiserver.server.leases import ACTOR, NodeLeases
from apiserver.server.registry import Options, Registry, Target
from apiserver.server.store.decisions import Put
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.snapshot import Filter
from apiserver.server.v1 import tasks
from apiserver.server.v1.calls import Call
from apiserver.server.v1.parts import Parts
from apiserver.server.v1.shapes import TaskGiven
from apiserver.server.v1.tasks import Tasks
from apiserver.server.v1.uploads import Uploads
from apiserver.server.v1.views import Views
from tests.stores import NOW, running

WEB = Target(TASKS, "default", "web")


class Request:
    """Asks for three instances."""

    actor = ACTOR
    headers: dict[str, str] = {}

    @property
    def request(self) -> "Request":
        return self

    async def body(self, model: type[TaskGiven]) -> TaskGiven:
        return model(name="web", artifact_url="/x.zip", replicas={"nodeA": 3})


@asynccontextmanager
async def registries() -> AsyncIterator[Registry]:
    async with running(MemoryEngine()) as store:
        room = {"kind": "Namespace", "metadata": {"name": "default", "uid": "d"}}
        await store.write(lambda view: [Put(NAMESPACES, room)])
        leases, uids = NodeLeases(store, monotonic=lambda: 0.0, clock=lambda: NOW), iter(range(1000))
        new_uid = lambda: f"u{next(uids)}"  # noqa: E731
        yield Registry(store, leases, {}, clock=lambda: NOW, new_uid=new_uid, rng=random.Random(1))


@pytest.mark.parametrize(("count", "made"), [(None, 3), (2, 1)])
async def test_what_somebody_has_changed_meanwhile_is_left_to_the_controller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int | None, made: int
) -> None:
    monkeypatch.setattr(tasks, "AT_ONCE", 1)
    async with registries() as registry:
        transact: Callable[..., Any] = registry.transact

        async def then_change(*args: Any) -> Any:
            result = await transact(*args)
            if count is not None:
                entry = {"name": "main", "artifactUrl": "/x.zip", "nodeReplicas": {"nodeA": count}}
                await registry.patch(WEB, {"spec": {"entries": [entry]}}, "merge", Options(manager="someone"))
            return result

        monkeypatch.setattr(registry, "transact", then_change)
        parts = cast(Parts, type("P", (), {"registry": registry}))
        uploads = Uploads(registry.store, Blobs(tmp_path, max_bytes=1))
        await Tasks(parts, Views(registry.store), uploads).create(cast(Call, Request()))
        assert len(list(registry.store.cache.select(Filter(ASSIGNMENTS)))) == made
