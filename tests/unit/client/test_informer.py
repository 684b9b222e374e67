import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.errors import AlreadyExists, Expired, InternalError, NotFound, ServiceUnavailable, Timeout
from apiserver.api.kinds.node import Node
from apiserver.api.meta import ObjectMeta
from apiserver.client.backoff import Backoff
from apiserver.client.informer import Informer
from apiserver.client.interface import Page, WatchEvent
from apiserver.client.testing import MemoryClient, MemoryCluster

T = TypeVar("T")
QUICK = Backoff(base=0.001, cap=0.005)


def informer(client: MemoryClient, *, page_size: int = 500, labels: str = "") -> Informer[Node]:
    by_zone = {"zone": lambda node: filter(None, [node.metadata.labels.get("zone")])}
    return Informer(
        client, Node, labels=labels, indexes=by_zone, page_size=page_size, backoff=QUICK, rng=random.Random(0)
    )


def node(name: str, **labels: str) -> Node:
    return Node(metadata=ObjectMeta(name=name, labels=labels))


class Mirror:
    """What a handler that believes everything it is told knows."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.told: list[str] = []

    def __call__(self, old: Node | None, new: Node | None) -> None:
        now = new or old
        assert now
        assert self.nodes.get(now.metadata.name) == old
        if new is None:
            del self.nodes[now.metadata.name]
        else:
            self.nodes[new.metadata.name] = new
        self.told.append(f"{'+' if old is None else '-' if new is None else '~'}{now.metadata.name}")


@asynccontextmanager
async def running(made: Informer[Node]) -> AsyncIterator[None]:
    task = asyncio.create_task(made.run())
    try:
        await asyncio.wait_for(made.has_synced.wait(), 5)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def insist(request: Callable[[], Awaitable[T]]) -> T:
    """Ask until the faults are used up."""
    while True:
        with suppress(ServiceUnavailable):
            return await request()


async def label(client: MemoryClient, name: str, zone: str | None) -> None:
    await client.patch(Node, name, {"metadata": {"labels": {"zone": zone}}})


async def test_managed_fields_are_left_out_where_nobody_reads_them() -> None:
    client = MemoryClient()
    whole, cut = informer(client), Informer(client, Node, managed_fields=False, backoff=QUICK)
    await client.create(node("listed"))
    async with running(whole), running(cut):
        version = (await client.create(node("watched", zone="z"))).metadata.resource_version or ""
        for made in whole, cut:
            await made.wait_for_version(version, timeout=5)
    assert all(found.metadata.managed_fields for found in whole.items())
    assert cut.items() == tuple(found.without_managed_fields() for found in whole.items())
    assert not any(found.metadata.managed_fields for found in cut.items())


async def test_handlers_see_what_happens_in_order() -> None:
    client, mirror = MemoryClient(), Mirror()
    made = informer(client)
    made.add_handler(mirror)
    await client.create(node("a"))
    async with running(made):
        assert mirror.told == ["+a"]
        await client.create(node("b"))
        await label(client, "a", "x")
        await client.delete(Node, "b")
        await made.wait_for_version(client.cluster.version, timeout=5)
    assert mirror.told == ["+a", "+b", "~a", "-b"]
    assert made.resource_version == client.cluster.version
    assert [item.metadata.name for item in made.items()] == ["a"]
    assert made.get("", "b") is None


async def test_a_late_handler_is_told_what_is_there() -> None:
    client, mirror = MemoryClient(), Mirror()
    await client.create(node("a"))
    made = informer(client)
    async with running(made):
        made.add_handler(mirror)
    assert mirror.told == ["+a"]


async def test_indexes_follow_the_cache() -> None:
    client = MemoryClient()
    made = informer(client)
    await client.create(node("a", zone="x"))
    await client.create(node("b", zone="x"))
    async with running(made):
        assert {item.metadata.name for item in made.by_index("zone", "x")} == {"a", "b"}
        await label(client, "a", "y")
        await client.delete(Node, "b")
        await made.wait_for_version(client.cluster.version, timeout=5)
        assert made.by_index("zone", "x") == ()
        assert [item.metadata.name for item in made.by_index("zone", "y")] == ["a"]
        with pytest.raises(KeyError):
            made.by_index("rack", "y")


async def test_after_expiry_the_difference_is_told() -> None:
    cluster, mirror = MemoryCluster(), Mirror()
    client = cluster.client("me")
    for name in ("stays", "changes", "goes", "returns"):
        await client.create(node(name))
    made = informer(client, page_size=2)
    made.add_handler(mirror)
    async with running(made):
        pass
    mirror.told.clear()
    await label(client, "changes", "x")
    await client.delete(Node, "goes")
    await client.delete(Node, "returns")
    await client.create(node("returns"))
    await client.create(node("comes"))
    cluster.compact()
    async with running(made):
        await made.wait_for_version(cluster.version, timeout=5)
    assert set(mirror.told) == {"~changes", "-goes", "-returns", "+returns", "+comes"}


async def test_a_failing_server_is_asked_again_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    cluster = MemoryCluster()
    client = cluster.client("me")
    cluster.fail_next(10, ServiceUnavailable("away"))
    made = informer(client)
    async with running(made):
        pass
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "Node: ServiceUnavailable: away; trying again"
    ]


async def test_a_handler_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(old: Node | None, new: Node | None) -> None:
        raise ValueError("bug in the handler")

    client, mirror = MemoryClient(), Mirror()
    made = informer(client)
    made.add_handler(fail)
    made.add_handler(mirror)
    await client.create(node("a"))
    async with running(made):
        assert mirror.told == ["+a"]
    assert "bug in the handler" in caplog.text


async def test_waiting_for_a_version_has_an_end() -> None:
    client = MemoryClient()
    made = informer(client)
    async with running(made):
        with pytest.raises(TimeoutError):
            await made.wait_for_version(client.cluster.version + 1, timeout=0.01)


class Scripted(MemoryClient):
    """Answers lists and watches from a script; then the watch stays silent."""

    def __init__(self, *steps: "Page[Node] | Exception | list[WatchEvent[Node] | Exception]") -> None:
        super().__init__()
        self.steps = list(steps)
        self.resumed: list[str] = []

    async def list(self, *args: object, **options: object) -> Page[Node]:  # type: ignore[override]
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        assert isinstance(step, Page)
        return step

    async def watch(  # type: ignore[override]
        self, *args: object, resource_version: str, **options: object
    ) -> AsyncGenerator[WatchEvent[Node], None]:
        self.resumed.append(resource_version)
        step = self.steps.pop(0) if self.steps else []
        assert isinstance(step, list)
        for event in step:
            if isinstance(event, Exception):
                raise event
            yield event
        if not self.steps:
            yield WatchEvent("BOOKMARK", "1000")
            await asyncio.Event().wait()


def at(version: int, name: str = "a", uid: str = "u") -> Node:
    return Node(metadata=ObjectMeta(name=name, uid=uid, resource_version=str(version)))


def event(kind: str, version: int, name: str = "a", uid: str = "u") -> WatchEvent[Node]:
    return WatchEvent(kind, str(version), at(version, name, uid))  # type: ignore[arg-type]


async def follow(*steps: "Page[Node] | Exception | list[WatchEvent[Node] | Exception]") -> tuple[Mirror, Scripted]:
    client, mirror = Scripted(*steps), Mirror()
    made = informer(client)
    made.add_handler(mirror)
    async with running(made):
        await made.wait_for_version(1000, timeout=5)
    assert {item.metadata.name: item for item in made.items()} == mirror.nodes
    return mirror, client


async def test_changes_that_the_list_already_had_are_not_told_again() -> None:
    mirror, _ = await follow(
        Page((at(7),), "5"),
        [event("MODIFIED", 6), event("DELETED", 6, uid="before"), event("MODIFIED", 7), event("MODIFIED", 8)],
    )
    assert mirror.told == ["+a", "~a"]


async def test_a_broken_stream_resumes_where_every_change_is_certain() -> None:
    """Two objects of one commit share version 7; the stream breaks between them."""
    mirror, client = await follow(
        Page((), "5"),
        [event("ADDED", 7), ServiceUnavailable("broken")],
        [event("ADDED", 7), event("ADDED", 7, "b"), WatchEvent("BOOKMARK", "9"), ServiceUnavailable("broken")],
    )
    assert client.resumed == ["5", "6", "9"]
    assert mirror.told == ["+a", "+b"]


async def test_an_object_that_cannot_be_read_stays_as_it_was() -> None:
    mirror, _ = await follow(
        Page((at(3), at(4, "b")), "5"),
        [Expired("list again")],
        Page((), "9", skipped=(("", "a"),)),
    )
    assert mirror.told == ["+a", "+b", "-b"]


async def test_an_outlived_page_token_starts_the_list_anew() -> None:
    mirror, _ = await follow(Page((at(3),), "5", "token"), Expired("token"), Page((at(3), at(4, "b")), "6"))
    assert mirror.told == ["+a", "+b"]


async def test_another_object_of_the_same_name_is_gone_and_new() -> None:
    mirror, _ = await follow(Page((at(3),), "5"), [Expired("x")], Page((at(8, uid="other"),), "9"))
    assert mirror.told == ["+a", "-a", "+a"]


async def test_a_server_restored_from_a_backup_is_listed_again() -> None:
    mirror, client = await follow(Page((at(90),), "95"), [Timeout("Too large resource version")], Page((at(40),), "50"))
    assert client.resumed[:2] == ["95", "50"]
    assert mirror.told == ["+a", "~a"]


async def test_a_bug_in_the_client_is_survived_by_listing_again() -> None:
    mirror, client = await follow(Page((), "5"), [ValueError("bug")], Page((at(6),), "7"), [InternalError("x")])
    assert client.resumed == ["5", "7", "7"]
    assert mirror.told == ["+a"]


async def test_handlers_of_a_block_are_told_all_there_is_and_nothing_after_it() -> None:
    cluster, forever = MemoryCluster(), Mirror()
    client, made = cluster.client("writer"), informer(cluster.client("reader"))
    made.add_handler(forever)
    await client.create(node("a"))
    async with running(made):
        for number, name in enumerate(("b", "c"), start=1):
            mirror = Mirror()
            with made.listening():
                made.add_handler(mirror)
                assert (len(mirror.nodes), len(made)) == (number, number)
                await client.create(node(name))
                await made.wait_for_version(cluster.version, timeout=5)
            await label(client, "a", name)
            await made.wait_for_version(cluster.version, timeout=5)
            assert sorted(mirror.told) == ["+a", "+b", "+c"][: number + 1]
    assert forever.told == ["+a", "+b", "~a", "+c", "~a"]
    assert made.lists == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["create", "label", "delete"]), st.sampled_from("abc")),
        st.tuples(st.sampled_from(["cut", "compact", "fail", "let run"]), st.just("")),
    ),
    max_size=25,
)


@settings(max_examples=50, deadline=None)
@given(steps=STEPS, labels=st.sampled_from(["", "zone=x", "zone!=x"]), page_size=st.integers(1, 3))
async def test_whatever_happens_cache_and_handlers_end_with_the_truth(
    steps: list[tuple[str, str]], labels: str, page_size: int
) -> None:
    cluster, mirror = MemoryCluster(), Mirror()
    made = informer(cluster.client("reader"), page_size=page_size, labels=labels)
    made.add_handler(mirror)
    writer = cluster.client("writer")
    async with running(made):
        for number, (step, name) in enumerate(steps):
            with suppress(ServiceUnavailable, NotFound, AlreadyExists):
                match step:
                    case "create":
                        await writer.create(node(name))
                    case "label":
                        await label(writer, name, "x" if number % 2 else None)
                    case "delete":
                        await writer.delete(Node, name)
                    case "cut":
                        cluster.cut_watches()
                    case "compact":
                        cluster.compact()
                    case "fail":
                        cluster.fail_next(2, ServiceUnavailable("away"))
                    case _:
                        await asyncio.sleep(0.001)
        # The last words: an object that enters whatever the informer selects.
        last = node("last", **({"zone": "x"} if labels == "zone=x" else {}))
        await insist(lambda: writer.create(last))
        await made.wait_for_version(cluster.version, timeout=5)
        truth = await insist(lambda: writer.list(Node, labels=labels))
    assert {item.metadata.name: item for item in truth.items} == mirror.nodes
    assert {item.metadata.name: item for item in made.items()} == mirror.nodes
