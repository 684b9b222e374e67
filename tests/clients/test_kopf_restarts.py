"""An operator in ``kopf``, and the server, killed at any moment: both go on where they were."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from apiserver.client.kubeconfig import write_kubeconfig
from tests.clients.bodies import task, with_replicas
from tests.clients.objects import Tasks
from tests.clients.operators import Operator
from tests.clients.test_kopf import GO, KEEPER, WAITS
from tests.e2e.cluster import wait_for
from tests.servers import running_apiserver


@pytest.fixture
def operator(kubeconfig: Path, namespace: str, tmp_path: Path) -> Operator:
    """It keeps how far it got in ``status.kopf``."""
    return Operator(KEEPER, kubeconfig, namespace, tmp_path, {"KEEPER_STATUS": "1"})


@pytest.fixture
def tasks(server: str, operator: Operator) -> Iterator[Tasks]:
    with httpx.Client(base_url=server, trust_env=False) as http:
        yield Tasks(http, operator.namespace)


def test_an_operator_that_is_killed_goes_on(tasks: Tasks, operator: Operator) -> None:
    """It is killed between two handlers of one object; meanwhile objects come, change and are to go."""
    with operator.running() as process:
        for name in ("slow", "old", "leaves"):
            tasks.create(task(name, annotations=WAITS if name == "slow" else {}))
        wait_for("a retry", lambda: "settling slow" in operator.told())
        wait_for("the notes", lambda: "settled" in tasks.get("slow")["status"].get("kopf", {}).get("progress", {}))
        for name in ("old", "leaves"):
            tasks.wait_for_status(name, "made")
        process.kill()
        process.wait(20)
    tasks.patch("slow", GO)
    tasks.patch("old", with_replicas(3))
    tasks.delete("leaves")
    tasks.create(task("new"))
    assert tasks.get("leaves")["metadata"]["deletionTimestamp"]
    with operator.running():
        assert tasks.wait_for_status("slow", "settled")["settled"] == "yes"
        result = "changed/spec.entries"
        assert tasks.wait_for_status("old", result)[result] == {"from": 1, "to": 3}
        tasks.wait_for_status("new", "made")
        tasks.wait_until_gone("leaves")
        wait_for("the end of the notes", lambda: not tasks.get("slow")["status"].get("kopf", {}).get("progress"))
    told = operator.told()
    assert told.count("made slow") == 1, "what had been done is not done again"
    assert told.count("gone leaves") == 1
    assert "found old" in told


def test_the_server_is_killed_under_an_operator(tmp_path: Path) -> None:
    """One that takes its lists as streams."""
    data, kubeconfig = tmp_path / "data", tmp_path / "kubeconfig"
    operator = Operator(KEEPER, kubeconfig, "default", tmp_path, {"KEEPER_STREAMS": "1"})
    with running_apiserver(data) as (server, url):
        write_kubeconfig(kubeconfig, url)
        with operator.running(), httpx.Client(base_url=url, trust_env=False) as http:
            tasks = Tasks(http, "default")
            tasks.create(task("before"))
            tasks.wait_for_status("before", "made")
            server.kill()
            server.wait(20)
            with running_apiserver(data, "--addr", url.removeprefix("http://")):
                tasks.create(task("after"))
                tasks.wait_for_status("after", "made")
                tasks.delete("before")
                tasks.wait_until_gone("before")
    assert operator.told().count("made before") == 1
