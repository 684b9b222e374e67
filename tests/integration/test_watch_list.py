"""WatchList: what there is, a bookmark, then the changes, in one watch and in every form."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.test_resources import MERGE, TABLE, TASKS, create, expect, task

WATCH_LIST = {
    "watch": "true",
    "sendInitialEvents": "true",
    "resourceVersionMatch": "NotOlderThan",
    "allowWatchBookmarks": "true",
    "timeoutSeconds": "20",
}
PARTIAL = {"accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"}
END = {"k8s.io/initial-events-end": "true"}


@contextmanager
def frames(http: httpx.Client, url: str = TASKS, headers: Any = None, **query: str) -> Iterator[Iterator[Any]]:
    with http.stream("GET", url, params=WATCH_LIST | query, headers=headers or {}) as response:
        assert response.status_code == 200
        yield (json.loads(line) for line in response.iter_lines())


def initial(events: Iterator[Any]) -> tuple[list[Any], Any]:
    """The frames before the bookmark that ends them, and it."""
    found: list[Any] = []
    for event in events:
        if event["type"] == "BOOKMARK":
            return found, event["object"]
        found.append(event)
    raise AssertionError("the watch ended before the bookmark")


def version(http: httpx.Client) -> str:
    return str(http.get(TASKS, params={"limit": "1"}).json()["metadata"]["resourceVersion"])


def test_what_there_is_a_bookmark_then_the_changes(http: httpx.Client) -> None:
    create(http, "wl-a")
    mark_of = {"labelSelector": "test in (wl-a,wl-b)"}
    with frames(http, **mark_of) as events:
        found, mark = initial(events)
        assert [(one["type"], one["object"]["metadata"]["name"]) for one in found] == [("ADDED", "wl-a")]
        assert mark["metadata"]["annotations"] == END
        assert (mark["kind"], mark["apiVersion"]) == ("Task", "plum.dev/v1")
        assert int(mark["metadata"]["resourceVersion"]) >= int(found[0]["object"]["metadata"]["resourceVersion"])
        create(http, "wl-b")
        assert next(events)["object"]["metadata"]["name"] == "wl-b"


def test_an_empty_collection_ends_at_once(http: httpx.Client) -> None:
    with frames(http, labelSelector="test=none", resourceVersion=version(http)) as events:
        found, mark = initial(events)
    assert (found, mark["metadata"]["annotations"]) == ([], END)


def test_without_initial_events_only_what_is_new_comes(http: httpx.Client) -> None:
    create(http, "wl-old")
    with frames(http, sendInitialEvents="false", fieldSelector="metadata.name!=x") as events:
        create(http, "wl-new")
        assert next(events)["object"]["metadata"]["name"] == "wl-new"


def test_no_bookmark_for_who_does_not_take_them(http: httpx.Client) -> None:
    create(http, "wl-c")
    with frames(http, allowWatchBookmarks="false", fieldSelector="metadata.name=wl-c") as events:
        assert next(events)["type"] == "ADDED"
        http.patch(f"{TASKS}/wl-c", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
        assert next(events)["type"] == "MODIFIED"


def test_as_tables(http: httpx.Client) -> None:
    create(http, "wl-t")
    with frames(http, headers=TABLE, fieldSelector="metadata.name=wl-t") as events:
        found, mark = initial(events)
    assert [one["object"]["rows"][0]["cells"][0] for one in found] == ["wl-t"]
    assert (mark["kind"], mark["rows"], mark["metadata"]["annotations"]) == ("Table", [], END)


def test_as_metadata_only(http: httpx.Client) -> None:
    made = create(http, "wl-p")
    with frames(http, headers=PARTIAL, fieldSelector="metadata.name=wl-p") as events:
        found, mark = initial(events)
    assert found[0]["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": made["metadata"],
    }
    assert (mark["kind"], mark["metadata"]["annotations"]) == ("PartialObjectMetadata", END)


@pytest.mark.parametrize("query", [{"resourceVersionMatch": ""}, {"resourceVersionMatch": "Exact"}])
def test_what_does_not_go_together_is_refused(http: httpx.Client, query: dict[str, str]) -> None:
    refused = http.get(TASKS, params=WATCH_LIST | query)
    expect(refused, 422, "Invalid", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from(["put", "delete"])), max_size=5),
    after=st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from(["put", "delete"])), max_size=5),
)
def test_it_tells_what_a_list_and_a_watch_tell(
    http: httpx.Client, before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    """The same selection once by list and watch, once by WatchList: the same objects, then the same changes."""
    selection = {"labelSelector": "equivalence"}
    act(http, before)
    with frames(http, **selection) as events:
        found, mark = initial(events)
        listed = http.get(TASKS, params=selection).json()
        assert [one["object"] for one in found] == listed["items"]
        assert {one["type"] for one in found} <= {"ADDED"}
        act(http, after)
        act(http, [("last", "put")])
        told = []
        for event in events:
            told.append((event["type"], event["object"]))
            if event["object"]["metadata"]["name"] == "eq-last":
                break
        act(http, [("last", "delete")])
    query = selection | {"watch": "poll", "resourceVersion": listed["metadata"]["resourceVersion"]}
    polled = http.get(TASKS, params=query | {"limit": "10000"}).json()["items"]
    assert told == [(one["type"], one["object"]) for one in polled][: len(told)]
    assert mark["metadata"]["annotations"] == END


def act(http: httpx.Client, steps: list[tuple[str, str]]) -> None:
    """Bring objects into being, change them and delete them, without a word where there is nothing to do."""
    for name, what in steps:
        url = f"{TASKS}/eq-{name}"
        if what == "delete":
            http.delete(url)
            continue
        body = task(f"eq-{name}")
        body["metadata"]["labels"] = {"equivalence": "yes"}
        if http.post(TASKS, json=body).status_code == 409:
            old = http.get(url).json()
            state = "Running" if old["spec"]["state"] == "Stopped" else "Stopped"
            http.patch(url, json={"spec": {"state": state}}, headers=MERGE).raise_for_status()
