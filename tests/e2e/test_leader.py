"""Several controller processes over one server: one acts, and another when it is gone, whatever way it goes."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.cluster import wait_for
from tests.e2e.proxy import running_proxy
from tests.servers import end, first_line, start_apiserver

LEASE = "/apis/coordination.k8s.io/v1/namespaces/plum-system/leases/plum-controllers"
TASKS = "/apis/plum.dev/v1/namespaces/default/tasks"
ASSIGNMENTS = TASKS.replace("tasks", "assignments")


class Controllers:
    """One ``plum-controllers`` whose caches are complete."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process, self._log = process, log

    def says(self, pattern: str) -> str:
        """Wait for its log to say something; the pattern's first group, or all of it."""
        found = wait_for(pattern, lambda: re.search(pattern, self._log.read_text()))
        return found[found.lastindex or 0]

    def metric(self, series: str) -> float:
        url = self.says(r"metrics: (http\S+)")
        text = httpx.get(url, trust_env=False).text
        (value,) = re.findall(f"^{re.escape(series)} (.*)$", text, re.MULTILINE)
        return float(value)


@contextmanager
def controllers(server: str, log: Path, *args: str) -> Iterator[Controllers]:
    command = [sys.executable, "-m", "controllers", "--server", server, *args]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file)
    assert process.stdout
    try:
        assert first_line(process.stdout, 30) == "plum-controllers: running"
        yield Controllers(process, log)
    finally:
        process.send_signal(signal.SIGCONT)
        end(process, 15)
        process.stdout.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with start_apiserver(tmp_path / "data") as url:
        yield url


@pytest.fixture
def http(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server, trust_env=False, timeout=10) as client:
        yield client


def leader(http: httpx.Client) -> tuple[int, int]:
    """Process id and token of who holds the lease; 0 for nobody."""
    response = http.get(LEASE)
    if response.status_code == 404:
        return 0, 0
    spec: dict[str, Any] = response.json()["spec"]
    holder = spec.get("holderIdentity") or "nobody-0-x"
    return int(holder.split("-")[-2]), spec["leaseTransitions"]


def led_by(http: httpx.Client, *candidates: Controllers) -> tuple[Controllers, int]:
    """Wait until one of them leads; it, and its token."""

    def look() -> tuple[Controllers, int] | None:
        pid, token = leader(http)
        return next(((one, token) for one in candidates if one.process.pid == pid), None)

    return wait_for("a leader", look)


def add_task(http: httpx.Client, name: str, replicas: int = 2) -> None:
    entry = {"artifactUrl": str(http.base_url.join("/x")), "sha256": "0" * 64, "replicas": replicas}
    body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": name}, "spec": {"entries": [entry]}}
    response = http.post(TASKS, json=body)
    assert response.status_code == 201, response.text


def acted_upon(http: httpx.Client, name: str, copies: int = 2) -> None:
    """Wait until the task has exactly so many assignments."""

    def look() -> bool:
        items = http.get(ASSIGNMENTS, params={"labelSelector": f"plum.dev/task={name}"}).json()["items"]
        return len(items) == copies

    wait_for(f"{copies} assignments of {name}", look)


def test_when_the_leader_goes_another_acts(http: httpx.Client, server: str, tmp_path: Path) -> None:
    with (
        controllers(server, tmp_path / "a.log") as a,
        controllers(server, tmp_path / "b.log") as b,
        controllers(server, tmp_path / "c.log") as c,
    ):
        first, token = led_by(http, a, b, c)
        add_task(http, "one")
        acted_upon(http, "one")
        first.process.kill()
        add_task(http, "two")
        rest = [one for one in (a, b, c) if one is not first]
        second, next_token = led_by(http, *rest)
        assert next_token > token
        acted_upon(http, "two")
        second.process.terminate()
        assert second.process.wait(15) == 0
        second.says("released")
        add_task(http, "three")
        last, last_token = led_by(http, *(one for one in rest if one is not second))
        assert last_token > next_token
        acted_upon(http, "three")
        last.process.terminate()
        assert last.process.wait(15) == 0
        assert leader(http) == (0, last_token)


def test_what_a_paused_leader_sent_is_refused_after_a_takeover(http: httpx.Client, server: str, tmp_path: Path) -> None:
    leads, lists = 'plum_leader{name="plum-controllers"}', 'plum_informer_lists_total{resource="tasks"}'
    with (
        running_proxy(server) as network,
        controllers(network.url, tmp_path / "a.log", "--metrics-addr", "127.0.0.1:0") as a,
    ):
        _, token = led_by(http, a)
        with controllers(server, tmp_path / "b.log", "--metrics-addr", ":0") as b:
            assert (a.metric(leads), b.metric(leads)) == (1, 0)
            network.passing.clear()
            add_task(http, "task", replicas=3)
            wait_for("a write on its way", lambda: b"plum-fence: plum-system/plum-controllers/" in network.held)
            a.process.send_signal(signal.SIGSTOP)
            _, next_token = led_by(http, b)
            assert next_token > token
            acted_upon(http, "task", 3)

            network.passing.set()
            refusal = f"superseded: the write carries token {token} of the lease plum-system/plum-controllers"
            wait_for("the refusal", lambda: refusal.encode() in network.answers)
            a.process.send_signal(signal.SIGCONT)
            a.says(f"the lead under token {token} is lost; the work stops")
            a.says(f"held by .*-{b.process.pid}-.*, token {next_token}")
            assert leader(http) == (b.process.pid, next_token)
            acted_upon(http, "task", 3)
            b.process.kill()

        assert led_by(http, a)[1] > next_token
        add_task(http, "another")
        acted_upon(http, "another")
        assert (a.metric(leads), a.metric(lists)) == (1, 1)
