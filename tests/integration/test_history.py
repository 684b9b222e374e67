"""Looking back over HTTP: objects as they were, what changed them, and the specs that are kept."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from apiserver.api.meta import format_micro_time
from tests.integration.test_resources import DIGEST, JSON_PATCH, MERGE, TABLE, TASKS, create, expect
from tests.servers import start_apiserver

Body = dict[str, Any]


def patch(http: httpx.Client, name: str, body: Any, *, below: str = "", manager: str = "me") -> Body:
    query = {"fieldManager": manager}
    kind = JSON_PATCH if isinstance(body, list) else MERGE
    response = http.patch(f"{TASKS}/{name}{below}", json=body, headers=kind, params=query)
    assert response.status_code == 200, response.text
    found: Body = response.json()
    return found


def command(http: httpx.Client, name: str, text: str) -> Body:
    return patch(http, name, [{"op": "add", "path": "/spec/entries/0/startCmd", "value": text}])


def version(body: Body) -> str:
    return str(body["metadata"]["resourceVersion"])


def exact(number: str | int) -> dict[str, str]:
    return {"resourceVersion": str(number), "resourceVersionMatch": "Exact"}


def history(http: httpx.Client, name: str, **query: str | int) -> Body:
    response = http.get(f"{TASKS}/{name}/history", params=query)
    assert response.status_code == 200, response.text
    body: Body = response.json()
    return body


def test_an_object_as_it_was_at_a_version(http: httpx.Client) -> None:
    url = f"{TASKS}/as-it-was"
    before = version(http.get(TASKS).json())
    first = create(http, "as-it-was")
    second = command(http, "as-it-was", "b")
    for body in (first, second):
        assert http.get(url, params=exact(version(body))).json() == body
    create(http, "another")
    assert http.get(url, params=exact(version(http.get(TASKS).json()))).json() == second
    absent = expect(http.get(url, params=exact(before)), 404, "NotFound", "as-it-was", f"at version {before}")
    assert absent["details"] == {"name": "as-it-was", "group": "plum.dev", "kind": "tasks"}
    table = http.get(url, params=exact(version(first)), headers=TABLE).json()
    assert [row["cells"][0] for row in table["rows"]] == ["as-it-was"]
    assert table["metadata"]["resourceVersion"] == version(first)
    assert http.get(f"{url}/status", params=exact(version(first))).json() == first
    assert http.get(url, params={"resourceVersion": version(first)}).json() == second
    newer = {"resourceVersion": version(first), "resourceVersionMatch": "NotOlderThan"}
    assert http.get(url, params=newer).json() == second


def test_deleted_and_made_again_under_the_same_name(http: httpx.Client) -> None:
    url = f"{TASKS}/again"
    first = create(http, "again")
    patch(http, "again", {"metadata": {"labels": {"a": "b"}}})
    http.delete(url)
    gone = version(http.get(TASKS).json())
    assert [item["type"] for item in history(http, "again")["items"]] == ["DELETED", "MODIFIED", "ADDED"]
    second = create(http, "again")
    assert http.get(url, params=exact(version(first))).json()["metadata"]["uid"] == first["metadata"]["uid"]
    expect(http.get(url, params=exact(gone)), 404, "NotFound", f"at version {gone}")
    assert http.get(url, params=exact(version(second))).json() == second
    items = history(http, "again")["items"]
    assert [item["type"] for item in items] == ["ADDED", "DELETED", "MODIFIED", "ADDED"]
    assert [item["uid"] for item in items] == [second["metadata"]["uid"], *[first["metadata"]["uid"]] * 3]
    assert items[1]["changes"] == []
    assert items[2]["changes"] == [{"path": "metadata.labels.a", "to": "b"}]
    assert "spec.entries[main]" in [change["path"] for change in items[0]["changes"]]
    assert not any("truncated" in item for item in items)


def test_an_object_as_it_was_at_a_time(http: httpx.Client) -> None:
    url = f"{TASKS}/timed"
    first = create(http, "timed")
    between = format_micro_time(datetime.now(UTC))
    second = command(http, "timed", "b")
    assert http.get(url, params={"at": between}).json() == first
    newest, oldest = (item["time"] for item in history(http, "timed")["items"])
    assert oldest <= between <= newest
    assert http.get(url, params={"at": newest}).json() == second
    expect(http.get(url, params={"at": "2001-01-01T02:00:00+02:00"}), 404, "NotFound", "by 2001-01-01T00:00:00.000000Z")
    expect(http.get(url, params={"at": "0001-01-01T00:00:00Z"}), 404, "NotFound")


def test_what_cannot_be_asked(http: httpx.Client) -> None:
    url = f"{TASKS}/asked"
    body = create(http, "asked")
    tomorrow = format_micro_time(datetime.now(UTC) + timedelta(days=1))
    expect(http.get(url, params={"at": tomorrow}), 400, "BadRequest", "is in the future")
    for text in ("", "now", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"):
        expect(http.get(url, params={"at": text}), 400, "BadRequest", "at: Invalid value", "RFC 3339")
    expect(http.get(url, params={"at": tomorrow} | exact(version(body))), 400, "BadRequest", "not both")
    expect(http.get(url, params={"resourceVersionMatch": "Exact"}), 400, "BadRequest", "resourceVersion: Required")
    expect(http.get(url, params={"resourceVersionMatch": "Near"}), 400, "BadRequest", "Unsupported value")
    future = int(version(body)) + 10**6
    expect(http.get(url, params=exact(future)), 504, "Timeout", f"Too large resource version: {future}")
    for token in ("x", "5-9", "9" * 18 + "-1", "1-" + "9" * 30):
        refused = http.get(f"{url}/history", params={"continue": token})
        assert refused.json()["reason"] in ("BadRequest", "Expired")
    for below in ("history", "revisions"):
        for method in ("PUT", "PATCH", "DELETE", "POST"):
            expect(http.request(method, f"{url}/{below}", json={}), 405, "MethodNotAllowed")
        expect(http.get(f"{TASKS}/never/{below}"), 404, "NotFound", 'tasks.plum.dev "never" not found')
    expect(http.get("/api/v1/namespaces/default/revisions"), 404, "NotFound", "could not find the requested resource")
    expect(http.get("/api/v1/namespaces/default/nonsense/x"), 404, "NotFound")


def test_who_changed_what(http: httpx.Client) -> None:
    created = create(http, "changed")
    command(http, "changed", "x" * 300)
    patch(http, "changed", {"status": {"readyReplicas": 1}}, below="/status", manager="controller")
    found = history(http, "changed")
    assert (found["kind"], found["apiVersion"]) == ("HistoryList", "plum.dev/v1")
    status, spec, first = found["items"]
    assert int(status["version"]) > int(spec["version"]) > int(first["version"]) == int(version(created))
    assert [item["manager"] for item in found["items"]] == ["controller", "me", "python-httpx"]
    assert {item["user"] for item in found["items"]} == {"system:anonymous"}
    assert [item["generation"] for item in found["items"]] == [2, 2, 1]
    assert status["changes"] == [{"path": "status.readyReplicas", "from": 0, "to": 1}]
    assert spec["changes"] == [{"path": "spec.entries[main].startCmd", "to": "x" * 200 + "… (300 characters)"}]
    labels = {f"l{number}": "x" for number in range(150)}
    patch(http, "changed", {"metadata": {"labels": labels}})
    newest = history(http, "changed", limit=1)["items"][0]
    assert (len(newest["changes"]), newest["omitted"]) == (100, 50)


def test_history_of_a_namespace(http: httpx.Client) -> None:
    http.post("/api/v1/namespaces", json={"metadata": {"name": "looked-at"}})
    found = http.get("/api/v1/namespaces/looked-at/history").json()
    assert [item["type"] for item in found["items"]] == ["ADDED"]
    assert http.head("/api/v1/namespaces/looked-at/history").status_code == 200


def test_pages_show_each_change_once_while_others_come(http: httpx.Client) -> None:
    create(http, "paged")
    for number in range(24):
        command(http, "paged", str(number))
    whole = history(http, "paged", limit=100)["items"]
    page = history(http, "paged", limit=0)
    assert len(page["items"]) == 20
    page = history(http, "paged", limit=7)
    versions, seen = {page["metadata"]["resourceVersion"]}, page["items"]
    while token := page["metadata"].get("continue"):
        command(http, "paged", f"later {len(seen)}")
        page = history(http, "paged", limit=7, **{"continue": token})
        versions.add(page["metadata"]["resourceVersion"])
        seen += page["items"]
    assert len(versions) == 1
    assert seen == whole
    assert [change["changes"][0]["to"] for change in seen[:-1]] == [str(number) for number in reversed(range(24))]


def test_revisions(http: httpx.Client) -> None:
    create(http, "revised")
    command(http, "revised", "b")
    patch(http, "revised", [{"op": "add", "path": "/spec/entries/0/replicas", "value": 3}])
    http.patch(f"{TASKS}/revised", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
    body = http.get(f"{TASKS}/revised/revisions").json()
    assert (body["kind"], body["apiVersion"]) == ("RevisionList", "plum.dev/v1")
    assert [(one["revision"], one["manager"]) for one in body["items"]] == [(2, "me"), (1, "python-httpx")]
    assert [one["spec"]["entries"][0].get("startCmd") for one in body["items"]] == ["b", None]
    http.delete(f"{TASKS}/revised")
    expect(http.get(f"{TASKS}/revised/revisions"), 404, "NotFound")


def test_discovery_lists_them(http: httpx.Client) -> None:
    listed = {one["name"]: one for one in http.get("/apis/plum.dev/v1").json()["resources"]}
    assert listed["tasks/history"] == {
        "name": "tasks/history",
        "singularName": "",
        "namespaced": True,
        "kind": "HistoryList",
        "verbs": ["get"],
    }
    assert listed["tasks/revisions"]["kind"] == "RevisionList"
    assert "nodes/revisions" not in listed
    core = {one["name"]: one for one in http.get("/api/v1").json()["resources"]}
    assert (core["namespaces/history"]["group"], core["namespaces/history"]["version"]) == ("plum.dev", "v1")
    accept = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    groups = http.get("/apis", headers=accept).json()["items"]
    ours = next(group for group in groups if group["metadata"]["name"] == "plum.dev")["versions"][0]["resources"]
    tasks = next(one for one in ours if one["resource"] == "tasks")
    assert [(one["subresource"], one["verbs"]) for one in tasks["subresources"]] == [
        ("status", ["get", "patch", "update"]),
        ("scale", ["get", "patch", "update"]),
        ("history", ["get"]),
        ("revisions", ["get"]),
    ]


@pytest.fixture
def short_log(tmp_path: Path) -> Iterator[Callable[[], httpx.Client]]:
    """Starts the server, each time anew on the same data, with a log that is as short as it may be."""
    limits = ("--history-changes", "1000", "--history-bytes", str(1 << 20))
    with ExitStack() as running:

        def start() -> httpx.Client:
            running.close()
            url = running.enter_context(start_apiserver(tmp_path / "data", *limits))
            return running.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=30))

        yield start


def compacted(http: httpx.Client) -> int:
    found = re.search(r"^plum_store_compacted_version (\S+)$", http.get("/metrics").text, re.MULTILINE)
    assert found
    return int(float(found[1]))


def forget(http: httpx.Client, upto: str) -> None:
    """Write about other things until the log begins after a version."""
    deadline = time.monotonic() + 60
    while compacted(http) < int(upto):
        for number in range(20):
            annotation = {"metadata": {"annotations": {"filler": f"{number}" * 30_000}}}
            patch(http, "filler", annotation)
        assert time.monotonic() < deadline


def test_what_the_log_has_forgotten(short_log: Callable[[], httpx.Client]) -> None:
    http = short_log()
    create(http, "filler")
    start = format_micro_time(datetime.now(UTC))
    first = create(http, "old")
    untouched = create(http, "untouched")
    last = [command(http, "old", str(number)) for number in range(12)][-1]
    forget(http, version(last))
    kept = http.get(f"{TASKS}/old/revisions").json()["items"]
    assert [one["revision"] for one in kept] == list(range(13, 3, -1))
    assert http.get(f"{TASKS}/old", params=exact(version(last))).json() == last
    assert http.get(f"{TASKS}/untouched", params=exact(version(untouched))).json() == untouched
    expect(http.get(f"{TASKS}/old", params=exact(version(first))), 410, "Expired", "the log begins after version")
    expect(http.get(f"{TASKS}/old", params={"at": start}), 410, "Expired", "the log begins later")
    assert history(http, "old")["items"] == []

    # Memory still knows what the log does not: the state before the first change that the log has.
    changed = command(http, "old", "after")
    before = exact(int(version(changed)) - 1)
    assert http.get(f"{TASKS}/old", params=before).json() == last
    [item] = history(http, "old")["items"]
    assert item["changes"] == [{"path": "spec.entries[main].startCmd", "from": "11", "to": "after"}]

    # After a restart it does not.
    http = short_log()
    assert http.get(f"{TASKS}/old", params=exact(version(changed))).json() == changed
    expect(http.get(f"{TASKS}/old", params=before), 410, "Expired", f"from version {version(changed)} on")
    [item] = history(http, "old")["items"]
    assert (item["changes"], item["truncated"], item["type"]) == ([], True, "MODIFIED")
    assert [one["revision"] for one in http.get(f"{TASKS}/old/revisions").json()["items"]] == list(range(14, 4, -1))
    assert DIGEST in kept[0]["spec"]["entries"][0]["artifactUrl"]
