"""Looking and going back on the command line, against a real server."""

import asyncio
import json
import re
from typing import Any

import httpx
import pytest
import yaml

from apiserver.api.kinds.task import Task
from apiserver.api.scheme import SCHEME
from apiserver.client.config import Config
from apiserver.client.rest import JSON_PATCH, MERGE, RestClient
from plumctl.cli import Failure
from plumctl.rollout import PAUSES, roll_back
from plumctl.targets import Named
from tests.unit.plumctl.conftest import Ctl

TASKS = "/apis/plum.dev/v1/namespaces/default/tasks"


def entry(cmd: str, *, name: str = "main", **counts: Any) -> dict[str, Any]:
    return {"name": name, "artifactUrl": "http://x/y.zip", "sha256": "a" * 64, "startCmd": cmd} | counts


def apply(ctl: Ctl, name: str, *entries: dict[str, Any], **spec: Any) -> None:
    body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": name}}
    applied = ctl("apply", "-f", "-", stdin=json.dumps(body | {"spec": {"entries": entries} | spec}))
    assert applied.exit_code == 0, applied.stderr


def spec_of(ctl: Ctl, name: str, *arguments: str) -> dict[str, Any]:
    shown = ctl("get", f"task/{name}", "-o", "yaml", *arguments)
    assert shown.exit_code == 0, shown.stderr
    found: dict[str, Any] = yaml.safe_load(shown.stdout)["spec"]
    return found


def commands(ctl: Ctl, name: str) -> dict[str, str]:
    return {one["name"]: one["startCmd"] for one in spec_of(ctl, name)["entries"]}


def versions(ctl: Ctl, name: str) -> list[str]:
    return [item["version"] for item in json.loads(ctl("history", f"task/{name}", "-o", "json").stdout)["items"]]


def one_line(result: Any, code: int, text: str) -> None:
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert result.stderr.startswith("error: ")
    assert text in result.stderr
    assert result.stderr.count("\n") == 1


def test_get_as_it_was(ctl: Ctl) -> None:
    apply(ctl, "was", entry("good"))
    apply(ctl, "was", entry("bad"))
    newest, oldest = versions(ctl, "was")
    assert spec_of(ctl, "was", "--at", oldest)["entries"][0]["startCmd"] == "good"
    assert spec_of(ctl, "was", "--at", newest)["entries"][0]["startCmd"] == "bad"
    assert spec_of(ctl, "was", "--at", "0s")["entries"][0]["startCmd"] == "bad"
    assert ctl("get", "task", "was", "--at", oldest).stdout.split()[5] == "was"
    assert (
        json.loads(ctl("get", "task/was", "--at", oldest, "-o", "json").stdout)["metadata"]["resourceVersion"] == oldest
    )
    one_line(ctl("get", "task/was", "--at", "2h"), 1, 'tasks.plum.dev "was" not found: there was none by')
    for arguments in (("tasks",), ("task", "a", "b"), ("task/was", "-w")):
        one_line(ctl("get", *arguments, "--at", oldest), 2, "--at takes one object, and no --watch")
    one_line(ctl("get", "task/was", "--at", "yesterday"), 2, "names no point in the past")


def test_history(ctl: Ctl, server: str) -> None:
    apply(ctl, "told", entry("a", replicas=1))
    apply(ctl, "told", entry("b", replicas=1))
    for ready in (1, 2):
        httpx.patch(
            f"{server}{TASKS}/told/status",
            params={"fieldManager": "controller"},
            content=json.dumps({"status": {"readyReplicas": ready}}),
            headers={"content-type": MERGE},
            trust_env=False,
        )
    httpx.delete(f"{server}{TASKS}/told", trust_env=False)
    shown = ctl("history", "task/told")
    assert shown.exit_code == 0, shown.stderr
    rows = [re.split(r"   +", line) for line in shown.stdout.splitlines()]
    assert rows[0] == ["VERSION", "AGE", "WHO", "WHAT"]
    assert [row[2:] for row in rows[1:]] == [
        ["anonymous", "deleted"],
        ["controller", "status, 2 times: readyReplicas: 0 -> 2"],
        ["plumctl", 'spec.entries[main].startCmd: "a" -> "b"'],
        ["plumctl", "created"],
    ]
    assert shown.stderr == ""
    cut = ctl("history", "task", "told", "--limit", "2")
    assert len(cut.stdout.splitlines()) == 3
    assert cut.stderr == "there are older changes; --limit shows more\n"
    one_line(ctl("history", "task/never"), 1, 'tasks.plum.dev "never" not found')
    one_line(ctl("history", "tasks"), 2, "name the object")
    one_line(ctl("history", "task/a", "task/b"), 2, "name one object, not 2")


def test_history_beyond_one_page(ctl: Ctl) -> None:
    apply(ctl, "long", entry("a"))
    for number in range(3):
        ctl("restart", "task/long")
        apply(ctl, "long", entry(f"{number}"))
    body = json.loads(ctl("history", "task/long", "--limit", "1000", "-o", "json").stdout)
    assert len(body["items"]) == 7
    assert "continue" not in body["metadata"]


def test_rollout_history(ctl: Ctl) -> None:
    apply(ctl, "rolled", entry("a"))
    apply(ctl, "rolled", entry("a", replicas=4))
    apply(ctl, "rolled", entry("b", replicas=4), entry("x", name="extra"))
    shown = ctl("rollout", "history", "task/rolled").stdout
    rows = [re.split(r"   +", line) for line in shown.splitlines()]
    assert rows[0] == ["REVISION", "TIME", "WHO", "CHANGES"]
    assert [[row[0], *row[2:]] for row in rows[1:]] == [
        ["1", "plumctl", "created"],
        ["3", "plumctl", 'spec.entries[main].startCmd: "a" -> "b", spec.entries[extra] added'],
    ]
    assert (
        yaml.safe_load(ctl("rollout", "history", "task/rolled", "--revision", "1").stdout)["entries"][0]["startCmd"]
        == "a"
    )
    one_line(
        ctl("rollout", "history", "task/rolled", "--revision", "2"), 1, "unable to find specified revision 2 in history"
    )
    one_line(ctl("rollout", "history", "task/never"), 1, 'tasks.plum.dev "never" not found')
    one_line(ctl("rollout", "history", "ns/default"), 2, "only tasks have revisions")


def test_undo_keeps_a_scale_made_after_the_bad_rollout(ctl: Ctl) -> None:
    apply(ctl, "undone", entry("good", replicas=1), entry("x", name="gone", replicas=5))
    apply(ctl, "undone", entry("bad", replicas=1), entry("y", name="new"))
    apply(ctl, "undone", entry("bad", replicas=7), entry("y", name="new"))
    ctl("stop", "task/undone")
    dry = ctl("rollout", "undo", "task/undone", "--dry-run")
    assert dry.stdout.splitlines() == [
        "task/undone rolled back to revision 1 (dry run)",
        '  spec.entries[main].startCmd: "bad" -> "good"',
        "  spec.entries[gone] added",
        "  spec.entries[new] removed",
    ]
    assert commands(ctl, "undone") == {"main": "bad", "new": "y"}
    assert ctl("rollout", "undo", "task/undone").stdout == "task/undone rolled back to revision 1\n"
    spec = spec_of(ctl, "undone")
    assert [(one["name"], one["startCmd"], one["replicas"]) for one in spec["entries"]] == [
        ("main", "good", 7),
        ("gone", "x", 5),
    ]
    assert spec["state"] == "Stopped"
    # The manifest is the truth again as soon as it is applied.
    apply(ctl, "undone", entry("good", replicas=2))
    assert spec_of(ctl, "undone")["entries"][0]["replicas"] == 2


def test_undo_toggles(ctl: Ctl) -> None:
    apply(ctl, "toggled", entry("a"))
    one_line(ctl("rollout", "undo", "task/toggled"), 1, 'no rollout history found for task "toggled"')
    apply(ctl, "toggled", entry("b"))
    for expected in ("a", "b", "a"):
        assert ctl("rollout", "undo", "task/toggled").exit_code == 0
        assert commands(ctl, "toggled") == {"main": expected}
    skipped = ctl("rollout", "undo", "task/toggled", "--to-revision", "1")
    assert skipped.stdout == "task/toggled skipped rollback (current template already matches revision 1)\n"
    one_line(
        ctl("rollout", "undo", "task/toggled", "--to-revision", "7"),
        1,
        "unable to find specified revision 7 in history",
    )
    assert ctl("rollout", "undo", "task/toggled", "--to-revision", "2").stdout.endswith("rolled back to revision 2\n")
    one_line(ctl("rollout", "undo", "task/never"), 1, 'tasks.plum.dev "never" not found')
    one_line(ctl("rollout", "undo", "node/n"), 2, "only tasks have revisions")


class Racing(httpx.AsyncHTTPTransport):
    """The way to the server, on which somebody else scales the task just before each of the first patches."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times, self.sent = times, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            self.sent += 1
            if self.sent <= self.times:
                scale = [{"op": "replace", "path": "/spec/entries/0/replicas", "value": 10 + self.sent}]
                headers = {"content-type": JSON_PATCH}
                other = httpx.Request("PATCH", request.url.copy_with(query=None), json=scale, headers=headers)
                assert (await super().handle_async_request(other)).status_code == 200
        return await super().handle_async_request(request)


@pytest.mark.parametrize("times", [1, 3, 99])
async def test_undo_takes_back_nothing_that_was_written_meanwhile(ctl: Ctl, server: str, times: int) -> None:
    name = f"raced-{times}"
    await asyncio.to_thread(apply, ctl, name, entry("a", replicas=1))
    await asyncio.to_thread(apply, ctl, name, entry("b", replicas=1))
    transport = Racing(times)
    async with RestClient(Config(server), manager="plumctl", transport=transport) as client:
        undo = roll_back(client, f"{TASKS}/{name}", Named(SCHEME.named("task"), name), 0, dry_run=False)
        if times < len(PAUSES):
            assert await undo == [f"task/{name} rolled back to revision 1"]
        else:
            with pytest.raises(Failure, match="keeps changing while it is rolled back; try again"):
                await undo
        [found] = (await client.get(Task, name, namespace="default")).spec.entries
    assert transport.sent == min(times + 1, len(PAUSES))
    assert (found.start_cmd, found.replicas) == ("a" if times < len(PAUSES) else "b", 10 + min(times, len(PAUSES)))
