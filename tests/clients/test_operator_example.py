"""``manifests/operator`` as it is."""

import importlib.util
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml

from tests.clients.bodies import with_replicas
from tests.clients.objects import Tasks
from tests.clients.operators import Operator
from tests.e2e.cluster import wait_for

EXAMPLE = Path("manifests/operator")
COPIES = "example.com/copies"


@pytest.fixture(scope="module")
def scheduler() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scheduler", EXAMPLE / "scheduler.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("hour", "count"), [(0, 1), (7, 1), (8, 3), (17, 3), (18, 1), (23, 1)])
def test_the_schedule_by_day_and_night(scheduler: ModuleType, hour: int, count: int) -> None:
    assert scheduler.wanted("18:00=1 08:00=3", time(hour)) == count


@pytest.mark.parametrize("text", ["", "noon=3", "08:00", "25:00=1", "08:00=99999"])
def test_what_is_no_schedule(scheduler: ModuleType, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        scheduler.wanted(text, time(12))


@pytest.fixture
def tasks(server: str, kubeconfig: Path, namespace: str, tmp_path: Path) -> Iterator[Tasks]:
    operator = Operator(EXAMPLE / "scheduler.py", kubeconfig, namespace, tmp_path)
    with operator.running(), httpx.Client(base_url=server, trust_env=False) as http:
        yield Tasks(http, namespace)


def test_it_scales_and_leaves_the_rest_alone(tasks: Tasks) -> None:
    made = tasks.create(shop("00:00=5"))
    uid = made["metadata"]["uid"]
    wait_for("five copies", lambda: replicas(tasks) == 5)
    (event,) = wait_for("the event", lambda: tasks.events(uid, "Scaled"))
    assert event["message"].startswith("5 copies")
    found = tasks.get("shop")
    assert found["spec"]["entries"] == [made["spec"]["entries"][0] | {"replicas": 5}]
    tasks.patch("shop", {"metadata": {"annotations": {COPIES: "00:00=2"}}})
    wait_for("two copies", lambda: replicas(tasks) == 2)
    tasks.patch("shop", {"metadata": {"annotations": {COPIES: "tomorrow"}}})
    (warning,) = wait_for("the warning", lambda: tasks.events(uid, "BadSchedule", "Warning"))
    assert "'tomorrow' is not HH:MM=COPIES" in warning["message"]
    tasks.patch("shop", {"metadata": {"annotations": {COPIES: None}}} | with_replicas(7))
    assert replicas(tasks) == 7
    tasks.delete("shop")
    tasks.wait_until_gone("shop")


def shop(schedule: str) -> dict[str, Any]:
    """The example's task with another schedule."""
    found: dict[str, Any] = yaml.safe_load((EXAMPLE / "task.yaml").read_text())
    found["metadata"]["annotations"][COPIES] = schedule
    return found


def replicas(tasks: Tasks) -> int:
    return int(tasks.get("shop")["spec"]["entries"][0].get("replicas", 1))
