"""Watches over HTTP: streaming and long-poll, one cursor."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.integration.test_resources import MERGE, TABLE, TASKS, create, expect


@contextmanager
def watching(http: httpx.Client, **params: str) -> Iterator[Iterator[dict[str, Any]]]:
    query = {"watch": "true", "timeoutSeconds": "20"} | params
    with http.stream("GET", TASKS, params=query, headers=TABLE if params.get("table") else {}) as response:
        assert response.status_code == 200
        yield (json.loads(line) for line in response.iter_lines())


def version(http: httpx.Client) -> str:
    return str(http.get(TASKS, params={"limit": "1"}).json()["metadata"]["resourceVersion"])


def test_a_stream_tells_every_change_once_in_order(http: httpx.Client) -> None:
    start = version(http)
    with watching(http, resourceVersion=start, fieldSelector="metadata.name=w1") as events:
        create(http, "w1")
        create(http, "w1-other")
        http.patch(f"{TASKS}/w1", json={"metadata": {"labels": {"x": "1"}}}, headers=MERGE)
        http.delete(f"{TASKS}/w1")
        found = [next(events) for _ in range(3)]
    assert [event["type"] for event in found] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in found]
    assert versions == sorted(set(versions))
    with watching(http, resourceVersion=str(versions[0]), fieldSelector="metadata.name=w1") as events:
        assert [next(events) for _ in range(2)] == found[1:]


def test_a_stream_without_a_version_begins_with_what_is_there(http: httpx.Client) -> None:
    create(http, "w2")
    with watching(http, resourceVersion="0", fieldSelector="metadata.name=w2") as events:
        first = next(events)
    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "w2")
    params = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "fieldSelector": "metadata.name=w2",
    }
    with watching(http, **params) as events:
        assert next(events)["type"] == "ADDED"
        mark = next(events)
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_stream_ends_by_itself(http: httpx.Client) -> None:
    with watching(http, resourceVersion=version(http), timeoutSeconds="1") as events:
        assert list(events) == []


def test_a_table_stream_heads_its_first_frame_only(http: httpx.Client) -> None:
    start = version(http)
    create(http, "w3")
    create(http, "w4")
    with watching(http, resourceVersion=start, table="1") as events:
        first, second = next(events), next(events)
    assert first["object"]["columnDefinitions"]
    assert not second["object"]["columnDefinitions"]
    assert second["object"]["rows"][0]["cells"][0] == "w4"


def test_a_version_of_the_future_is_an_error_frame(http: httpx.Client) -> None:
    with watching(http, resourceVersion="999999999") as events:
        frame = next(events)
    assert (frame["type"], frame["object"]["code"]) == ("ERROR", 504)


def test_long_poll(http: httpx.Client) -> None:
    start = version(http)
    poll = {"watch": "poll", "fieldSelector": "metadata.name=w5", "timeoutSeconds": "10"}
    create(http, "w5")
    batch = http.get(TASKS, params=poll | {"resourceVersion": start}).json()
    assert batch["kind"] == "WatchEventBatch"
    assert [item["type"] for item in batch["items"]] == ["ADDED"]
    reached = batch["metadata"]["resourceVersion"]
    create(http, "w5-other")
    quiet = http.get(TASKS, params=poll | {"resourceVersion": reached, "timeoutSeconds": "1"}).json()
    assert quiet["items"] == []
    assert int(quiet["metadata"]["resourceVersion"]) > int(reached)
    initial = http.get(TASKS, params=poll).json()
    assert [item["object"]["metadata"]["name"] for item in initial["items"]] == ["w5"]


@pytest.mark.parametrize(
    "query", [{"watch": "true", "labelSelector": "a=("}, {"watch": "poll", "resourceVersion": "x"}]
)
def test_a_bad_watch_is_refused(http: httpx.Client, query: dict[str, str]) -> None:
    expect(http.get(TASKS, params=query), 400, "BadRequest")


SEVERAL = "/apis/plum.dev/v1/watch"


def test_several_kinds_on_one_connection(http: httpx.Client) -> None:
    start = version(http)
    query = {"resources": "tasks,namespaces", "resourceVersion": start, "timeoutSeconds": "20", "watch": "true"}
    with http.stream("GET", SEVERAL, params=query) as response:
        create(http, "s1")
        http.post("/api/v1/namespaces", json={"metadata": {"name": "s2"}}).raise_for_status()
        http.delete(f"{TASKS}/s1").raise_for_status()
        lines = response.iter_lines()
        found = [json.loads(next(lines)) for _ in range(3)]
    assert [(event["type"], event["object"]["kind"]) for event in found] == [
        ("ADDED", "Task"),
        ("ADDED", "Namespace"),
        ("DELETED", "Task"),
    ]
    assert [int(event["object"]["metadata"]["resourceVersion"]) for event in found] == [
        int(start) + n for n in (1, 2, 3)
    ]
    poll = http.get(SEVERAL, params=query | {"watch": "poll"}).json()
    assert [item["object"]["kind"] for item in poll["items"]] == ["Task", "Namespace", "Task"]


def test_several_kinds_begin_with_what_is_there_and_a_bookmark(http: httpx.Client) -> None:
    create(http, "s3")
    query = {"resources": "namespaces,tasks", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    query |= {"labelSelector": "test=s3", "timeoutSeconds": "20", "allowWatchBookmarks": "true"}
    with http.stream("GET", SEVERAL, params=query) as response:
        lines = response.iter_lines()
        first, mark = json.loads(next(lines)), json.loads(next(lines))
    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "s3")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    expect(http.get(SEVERAL), 400, "BadRequest", "resources")
    expect(http.get(SEVERAL, params={"resources": "tasks,dragons"}), 400, "BadRequest", "dragons", "assignments")
    expect(http.get(SEVERAL, params={"resources": "tasks", "fieldSelector": "x=y"}), 400, "BadRequest", "fieldSelector")
    both = http.get(SEVERAL, params=[("resources", "tasks"), ("resources", "namespaces"), ("watch", "poll")]).json()
    assert {item["object"]["kind"] for item in both["items"]} == {"Task", "Namespace"}
    expect(http.post(SEVERAL), 405, "MethodNotAllowed")
