"""The stream: which events come, in what order, and that what they tell of can be read by then."""

import threading

import pytest

from tests.v1.client import ALSO_VITE, V1, VITE, Apis, Reply, Stream
from tests.v1.objects import add_assignment, add_namespace

QUIET = 0.3
"""Seconds without an event after which none is expected any more."""


@pytest.mark.parametrize("query", ["", "?nodeId=", "?node=a"])
def test_a_node_has_to_be_named(v1: V1, query: str) -> None:
    v1.ask("GET", f"/v1/stream{query}").error(400, "nodeId required")


def test_it_has_no_head_that_would_never_end(v1: V1, node: str) -> None:
    found = v1.ask("HEAD", f"/v1/stream?nodeId={node}")
    assert (found.status, found.headers["allow"]) == (405, "GET, OPTIONS")


def test_it_begins_at_once_and_is_no_cached_page(server: str, node: str) -> None:
    with Stream(server, node) as stream:
        assert (stream.status, stream.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        assert "no-cache" in stream.headers["cache-control"] or "no-store" in stream.headers["cache-control"]
        stream.begin()
        assert stream.rest(QUIET) == []


@pytest.mark.parametrize("origin", [VITE, ALSO_VITE])
def test_a_page_of_the_development_server_may_read_it(server: str, node: str, origin: str) -> None:
    with Stream(server, node, origin=origin) as stream:
        Reply(stream.status, stream.headers, b"").allows(origin)
        stream.begin()


def test_every_change_is_told_and_can_be_read_by_then(
    server: str, v1: V1, apis: Apis, fresh: str, node: str, artifact: str
) -> None:
    with Stream(server, node) as stream:
        stream.begin()
        made = v1.create(fresh, {"artifactUrl": artifact, "replicas": {node: 2}})["instances"]
        stream.updated()
        assert {item["instanceId"] for item in v1.items(node)} == set(made)
        stream.rest(QUIET)
        v1.patch(f"/v1/assignments/{made[0]}", {"desired": "Stopped"}).done()
        stream.updated()
        assert v1.item(node, made[0])["desired"] == "Stopped"
        stream.rest(QUIET)
        apis.merge("assignments", made[0], {"spec": {"desired": "Running"}})
        stream.updated()
        assert v1.item(node, made[0])["desired"] == "Running"
        stream.rest(QUIET)
        v1.delete(f"/v1/assignments/{made[0]}").done()
        stream.updated()
        assert [item["instanceId"] for item in v1.items(node)] == made[1:]
        stream.rest(QUIET)
        v1.delete(f"/v1/tasks/{fresh}").done()
        stream.updated()
        assert v1.items(node) == []


def test_an_update_never_comes_before_its_change(server: str, v1: V1, fresh: str, node: str, artifact: str) -> None:
    with Stream(server, node) as stream, V1(server) as other:
        stream.begin()
        for number in range(10):
            body = {"name": f"{fresh}-{number}", "entries": [{"artifactUrl": artifact, "replicas": {node: 1}}]}
            changing = threading.Thread(target=other.post, args=("/v1/tasks", body))
            changing.start()
            stream.updated()  # which may be there before the reply to the other
            assert len(v1.items(node)) == number + 1
            changing.join(10)
            stream.rest(0.05)


def test_only_the_nodes_own_changes_are_told(server: str, v1: V1, fresh: str, node: str, artifact: str) -> None:
    with Stream(server, node) as stream, Stream(server, f"{node}-b") as other:
        stream.begin()
        other.begin()
        v1.create(fresh, {"artifactUrl": artifact, "replicas": {f"{node}-b": 1}})
        other.updated()
        v1.heartbeat(node)
        v1.create(f"{fresh}-none", {"artifactUrl": artifact, "replicas": {f"{node}-c": 1}})
        assert stream.rest(QUIET) == []


def test_many_changes_are_told_as_few(server: str, v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    with Stream(server, node) as stream:
        stream.begin()
        v1.create(fresh, {"artifactUrl": artifact, "replicas": {node: 50}})
        stream.updated()
        assert len(stream.rest(QUIET)) < 10
        assert len(v1.items(node)) == 50


def test_a_node_is_told_of_every_namespace(server: str, apis: Apis, fresh: str, node: str) -> None:
    add_namespace(apis, fresh)
    with Stream(server, node) as stream:
        stream.begin()
        add_assignment(apis, "here", node, fresh)
        stream.updated()


def test_several_may_listen_and_leave(server: str, v1: V1, fresh: str, node: str, artifact: str) -> None:
    with Stream(server, node) as stream:
        stream.begin()
        with Stream(server, node) as other:
            other.begin()
        v1.create(fresh, {"artifactUrl": artifact, "replicas": {node: 1}})
        stream.updated()
    assert len(v1.items(node)) == 1
