"""Statuses over HTTP, many in one request: each written as it would be alone, and refused alone."""

import gzip
from typing import Any

import httpx
import orjson
import pytest

from tests.integration.test_usage import ASSIGNMENTS, assignment, node

RUNNING = {"phase": "Running", "pid": 7, "reportedAt": "2026-01-01T00:00:00.000000Z"}


def path(http: httpx.Client, name: str) -> str:
    return node(http, name).removesuffix("usage") + "statuses"


def status(http: httpx.Client, made: str, on: str, **changes: Any) -> dict[str, Any]:
    """Create the assignment; what its node says of it."""
    uid = assignment(http, made, on)["uid"]
    return {"namespace": "default", "name": made, "uid": uid, "status": RUNNING} | changes


def test_each_is_written_as_by_an_apply_of_the_manager(http: httpx.Client) -> None:
    url = path(http, "busy")
    items = [status(http, f"busy-{number}", "busy") for number in range(3)]
    packed = gzip.compress(orjson.dumps({"items": items}))
    for content, headers in ((orjson.dumps({"items": items}), {}), (packed, {"content-encoding": "gzip"})):
        answer = http.post(url, content=content, headers=headers, params={"fieldManager": "plum-agent"})
        assert answer.status_code == 200, answer.text
        objects = [item["object"] for item in answer.json()["items"]]
        assert [one["metadata"]["name"] for one in objects] == ["busy-0", "busy-1", "busy-2"]
        for one in objects:
            assert one == http.get(f"{ASSIGNMENTS}/{one['metadata']['name']}").json()
            assert one["status"]["phase"] == "Running"
            entry = next(e for e in one["metadata"]["managedFields"] if e["manager"] == "plum-agent")
            assert (entry["operation"], entry["subresource"]) == ("Apply", "status")


def test_what_is_refused_of_one_holds_up_no_other(http: httpx.Client) -> None:
    url = path(http, "mixed")
    path(http, "other")
    good = status(http, "mixed-good", "mixed")
    items = [
        status(http, "mixed-gone", "mixed", name="mixed-absent"),
        status(http, "mixed-twin", "mixed", uid="another"),
        status(http, "mixed-away", "other"),
        status(http, "mixed-odd", "mixed", status={"phase": "Sideways"}),
        status(http, "mixed-list", "mixed", namespace="kube/../x"),
        good,
    ]
    answer = http.post(url, json={"items": items})
    assert answer.status_code == 200, answer.text
    *refused, written = answer.json()["items"]
    assert [(one["error"]["code"], one["error"]["kind"]) for one in refused] == [
        (404, "Status"),
        (409, "Status"),
        (409, "Status"),
        (422, "Status"),
        (404, "Status"),
    ]
    assert 'does not run on node "mixed"' in refused[2]["error"]["message"]
    assert written["object"]["status"]["phase"] == "Running"
    assert http.get(f"{ASSIGNMENTS}/mixed-away").json().get("status", {}).get("phase") != "Running"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items: Required value"),
        ({"items": [{"namespace": "default", "name": "x", "status": {}}]}, "items[0].uid: Required value"),
        ({"items": [{"namespace": "default", "name": "x", "uid": "u", "status": []}]}, "items[0].status"),
        ({"items": [{"namespace": "default", "name": "x", "uid": "u", "status": {}}] * 501}, "items"),
    ],
)
def test_a_wrong_report_is_refused_with_the_field(http: httpx.Client, body: dict[str, Any], field: str) -> None:
    answer = http.post(path(http, "wrong"), json=body)
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["message"]


def test_only_a_known_node_reports_and_only_by_post(http: httpx.Client) -> None:
    url = path(http, "known")
    assert http.post(url.replace("known", "unknown"), json={"items": []}).status_code == 404
    assert http.post(url, json={"items": []}).json()["items"] == []
    assert http.get(url).status_code == 405
    assert http.put(url, json={"items": []}).status_code == 405
