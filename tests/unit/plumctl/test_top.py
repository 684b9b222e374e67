"""``plumctl top`` against a real server that has been told figures."""

from typing import Any

import httpx
import pytest

from plumctl.top import compact, mebibytes, millicores
from tests.unit.plumctl.conftest import Ctl

API = "/apis/plum.dev/v1"


def create(server: str, path: str, name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> str:
    """Create an object; its uid."""
    body = {"metadata": {"name": name, "labels": labels or {}}, "spec": spec}
    created = httpx.post(f"{server}{API}/{path}", json=body, trust_env=False)
    assert created.status_code == 201, created.text
    return str(created.json()["metadata"]["uid"])


def assignment(server: str, name: str, node: str, *, namespace: str = "default", task: str = "web") -> dict[str, Any]:
    """Create it; the beginning of what its node reports of it."""
    template = {"artifactUrl": "/x", "sha256": "a" * 64}
    labels = {"plum.dev/task": task}
    uid = create(
        server, f"namespaces/{namespace}/assignments", name, labels=labels,
        taskName=task, entry="main", nodeName=node, template=template, templateHash="h",
    )  # fmt: skip
    return {"namespace": namespace, "name": name, "uid": uid}


def put(server: str, name: str, *instances: dict[str, Any], **figures: Any) -> None:
    report = {"windowSeconds": 15.0, "node": figures, "instances": instances}
    answer = httpx.put(f"{server}{API}/nodes/{name}/usage", json=report, trust_env=False)
    assert answer.status_code == 204, answer.text


def table(ctl: Ctl, *arguments: str) -> list[list[str]]:
    shown = ctl("top", *arguments)
    assert shown.exit_code == 0, shown.stderr
    return [line.split() for line in shown.stdout.splitlines()]


@pytest.fixture(scope="module")
def told(server: str) -> str:
    """A server that knows of two nodes, one of which is silent, and some assignments."""
    for name in ("busy", "silent"):
        create(server, "nodes", name, labels={"kind": name})
    httpx.post(f"{server}/api/v1/namespaces", json={"metadata": {"name": "team"}}, trust_env=False)
    small = assignment(server, "small", "busy") | {"cpu": 0.0121, "memoryBytes": 300 << 10, "threads": 2, "openFds": 5}
    large = assignment(server, "large", "busy", task="db") | {
        "cpu": 1.5, "memoryBytes": 34 << 20, "threads": 40, "openFds": 99, "readRate": 2048.0, "writeRate": 0.0,
    }  # fmt: skip
    other = assignment(server, "other", "busy", namespace="team") | {"cpu": 0.0}
    assignment(server, "mute", "silent", task="mute")
    put(
        server, "busy", small, large, other,
        cpus=4, cpu=1.0, memoryBytes=1 << 30, memoryTotalBytes=4 << 30, load1=0.5, diskFreeBytes=5 << 30,
    )  # fmt: skip
    return server


def test_nodes(ctl: Ctl, told: str) -> None:
    expected = [
        ["NAME", "CPU(cores)", "CPU%", "MEMORY(bytes)", "MEMORY%", "LOAD", "DISK-FREE"],
        ["busy", "1000m", "25%", "1024Mi", "25%", "0.50", "5Gi"],
        ["silent", *["<unknown>"] * 6],
    ]
    for name in ("nodes", "node", "no"):
        assert table(ctl, name) == expected
    assert table(ctl, "nodes", "busy") == table(ctl, "node/busy") == table(ctl, "no", "-l", "kind=busy") == expected[:2]
    assert table(ctl, "no", "--no-headers") == expected[1:]


def test_assignments(ctl: Ctl, told: str) -> None:
    header = ["NAME", "CPU(cores)", "MEMORY(bytes)", "THREADS", "FDS", "READ/s", "WRITE/s", "NODE"]
    large = ["large", "1500m", "34Mi", "40", "99", "2Ki", "0", "busy"]
    small = ["small", "13m", "300Ki", "2", "5", "<unknown>", "<unknown>", "busy"]
    for name in ("assignments", "assignment", "asg"):
        assert table(ctl, name) == [header, large, small]
    assert table(ctl, "asg", "small") == [header, small]
    assert table(ctl, "asg", "--task", "db") == table(ctl, "asg", "-l", "plum.dev/task=db") == [header, large]
    assert [line[0] for line in table(ctl, "asg", "-n", "team", "--no-headers")] == ["other"]
    everywhere = table(ctl, "asg", "-A", "--sort-by", "memory")
    assert [line[:2] for line in everywhere] == [
        ["NAMESPACE", "NAME"], ["default", "large"], ["default", "small"], ["team", "other"],
    ]  # fmt: skip
    assert [line[1] for line in table(ctl, "asg", "-A", "--sort-by", "cpu", "--no-headers")] == [
        "large", "small", "other",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("asg", "mute"), 1, "no usage of the assignment is known yet: agents report every 15 s"),
        (("asg", "--task", "mute"), 1, "no usage of these assignments is known yet"),
        (("node", "silent"), 1, "no usage of the node is known yet"),
        (("asg", "nobody"), 1, 'assignments.plum.dev "nobody" not found'),
        (("node", "nobody"), 1, 'nodes.plum.dev "nobody" not found'),
        (("tasks",), 2, "nodes or assignments"),
        (("asg", "a", "b"), 2, "nodes or assignments"),
        (("nodes", "--task", "web"), 2, "are for assignments"),
        (("asg", "small", "-A"), 2, "not both"),
        (("asg", "-l", "a=("), 1, "unable to parse label selector"),
    ],
)
def test_what_cannot_be_shown_is_told(ctl: Ctl, told: str, arguments: tuple[str, ...], code: int, text: str) -> None:
    result = ctl("top", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("error: ")
    assert text in result.stderr
    assert result.stderr.count("\n") == 1


def test_where_there_is_nothing_it_says_so(ctl: Ctl, told: str) -> None:
    for arguments, text in (
        (("asg", "-n", "empty"), "No resources found in empty namespace.\n"),
        (("asg", "-A", "--task", "none"), "No resources found.\n"),
        (("nodes", "-l", "kind=none"), "No resources found.\n"),
    ):
        result = ctl("top", *arguments)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", text)


def test_figures_for_people() -> None:
    assert [millicores(cores) for cores in (0, 0.0001, 0.012, 0.0121, 2)] == ["0m", "1m", "12m", "13m", "2000m"]
    assert [mebibytes(count) for count in (0, 1023, 1 << 20, (35 << 20) - 1)] == ["0Ki", "0Ki", "1Mi", "34Mi"]
    assert [compact(count) for count in (0, 999, 1024, 5.4 * 2**20, 3 << 30, 2 << 40)] == [
        "0", "999", "1Ki", "5Mi", "3Gi", "2Ti",
    ]  # fmt: skip
