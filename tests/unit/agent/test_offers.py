"""What an app declares, as far as it can be read, and what its process offers."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent import offers
from agent.agent import MANAGER
from agent.offers import Declared
from agent.testing import FakeRuntime
from apiserver.api.kinds.app import AppService
from apiserver.api.kinds.assignment import Assignment, Offer
from apiserver.api.kinds.event import Event
from apiserver.api.kinds.task import OfferedService
from apiserver.api.package import MAX_META
from tests.unit.agent.archives import archive
from tests.unit.agent.driving import SHA, site
from tests.unit.agent.objects import assignment
from tests.unit.agent.waiting import eventually

ORDERS = AppService(name="orders", protocol="http", port=8080)


def template(*services: dict[str, Any]) -> Any:
    return assignment("web", template={"appVersion": "1", "services": list(services)}).spec.template


def offered(declared: Declared, *services: dict[str, Any], **ports: int) -> list[str]:
    found = offers.of(declared, template(*services), ports)
    return [f"{one.name}:{one.protocol}:{one.port}@{one.version}" for one in found]


@pytest.mark.parametrize(
    ("declared", "services", "expected"),
    [
        pytest.param(Declared(), [], [], id="nothing"),
        pytest.param(Declared(version="2", services=(ORDERS,)), [], ["orders:http:8080@2"], id="the app's"),
        pytest.param(Declared(services=(ORDERS,)), [], ["orders:http:8080@1"], id="the version of the App otherwise"),
        pytest.param(
            Declared(version="2", services=(ORDERS,)),
            [{"name": "orders", "port": "web", "protocol": "grpc", "version": "3"}],
            ["orders:grpc:30001@3"],
            id="a name in both means the entry's",
        ),
        pytest.param(
            Declared(version="2", services=(ORDERS,)),
            [{"name": "admin", "port": "web"}, {"name": "admin", "port": 9}],
            ["admin:tcp:9@2", "admin:tcp:30001@2", "orders:http:8080@2"],
            id="in order, with the app's version",
        ),
        pytest.param(Declared(), [{"name": "admin", "port": "none"}], [], id="a port that the process did not get"),
        pytest.param(
            Declared(version="2", services=(ORDERS, ORDERS.model_copy(update={"protocol": "grpc"}))),
            [],
            ["orders:grpc:8080@2", "orders:http:8080@2"],
            id="two protocols on a port of a service",
        ),
    ],
)
def test_offers(declared: Declared, services: list[dict[str, Any]], expected: list[str]) -> None:
    assert offered(declared, *services, web=30001) == expected


def test_a_port_written_as_a_text_is_a_number() -> None:
    assert OfferedService.model_validate({"name": "a", "port": "80"}).port == 80


def write(text: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(text)


@pytest.mark.parametrize(
    ("make", "trouble"),
    [
        pytest.param(lambda path: None, "No such file", id="missing"),
        pytest.param(write(b"name=\xff"), "not UTF-8", id="not text"),
        pytest.param(write(b"version=1\n"), "says no name", id="no app's"),
        pytest.param(write(b"name=a\nversion=1\nservice=orders\n"), "service=orders is not", id="a bad line"),
        pytest.param(write(b"#" * (MAX_META + 1)), "larger than", id="huge"),
        pytest.param(lambda path: path.symlink_to("/etc/passwd"), "symbolic links", id="a link"),
        pytest.param(lambda path: path.mkdir(), "directory", id="a folder"),
        pytest.param(os.mkfifo, "says no name", id="a pipe without a writer"),
    ],
)
def test_what_cannot_be_read_declares_nothing(tmp_path: Path, make: Callable[[Path], object], trouble: str) -> None:
    make(tmp_path / "meta.ini")
    declared, told = offers.read(tmp_path)
    assert declared == Declared()
    assert told.startswith("the app declares no version and no services: meta.ini")
    assert trouble in told


def test_a_byte_order_mark_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "meta.ini").write_bytes(b"\xef\xbb\xbfname=a\nversion=2\nservice=orders:http:8080\n")
    assert offers.read(tmp_path) == (Declared(version="2", services=(ORDERS,)), "")


async def test_a_process_offers_services_while_it_is_up_and_again_under_the_next_agent(tmp_path: Path) -> None:
    node = site(tmp_path, FakeRuntime())
    services = [{"name": "admin", "port": "web", "protocol": "http"}]
    async with node.agent() as agent:
        await node.create("web", template={"ports": [{"name": "web"}], "services": services})
        one = await node.reaches("web", "Running")
        port = one.status.ports[0].port
        both = (
            Offer(name="admin", port=port, protocol="http", version="1.2"),
            Offer(name="orders", port=8080, protocol="http", version="1.2"),
        )
        assert one.status.services == both
        await node.patch("web", {"spec": {"desired": "Stopped"}})
        assert (await node.reaches("web", "Stopped")).status.services == ()
        await node.patch("web", {"spec": {"desired": "Running"}})
        await node.reaches("web", "Running", but=lambda one: one.status.services == both)
        await agent.kill()
    # The app may write what it likes where it runs: what counts is what was unpacked.
    (node.folders.app(("default", "web")) / "meta.ini").write_text("name=web\nversion=666\n")
    await node.cluster.client(MANAGER).apply(type(one), "web", {"status": {}}, subresource="status")
    async with node.agent():
        await node.reaches("web", "Running", but=lambda one: one.status.services == both)
    assert (await node.reaches("web", "Stopped")).status.services == ()


async def test_a_prepared_folder_of_which_nothing_is_recorded_is_read_again_without_its_archive(tmp_path: Path) -> None:
    node = site(tmp_path, FakeRuntime())
    async with node.agent() as agent:
        await node.create("web")
        await node.reaches("web", "Running")
        await agent.kill()
    (record,) = node.folders.records("boot-1")
    node.folders.save(record.model_copy(update={"declared": None}))
    (node.folders.cache / f"{SHA}.zip").unlink()
    async with node.agent():
        await node.user.patch(Assignment, "web", {"status": {"services": []}}, subresource="status")
        one = await node.reaches("web", "Running", but=lambda one: one.status.services != ())
        assert [service.name for service in one.status.services] == ["orders"]


async def test_an_unreadable_meta_ini_costs_one_warning(tmp_path: Path) -> None:
    node = site(tmp_path, FakeRuntime())
    (node.folders.cache / f"{'3' * 64}.zip").write_bytes(archive({"start.sh": "", "meta.ini": "version=1"}))
    runtime = node.runtime
    assert isinstance(runtime, FakeRuntime)
    async with node.agent():
        await node.create("web", sha256="3" * 64)
        await node.reaches("web", "Running")
        await node.patch("web", {"spec": {"desired": "Stopped"}})
        await node.reaches("web", "Stopped")
        await node.patch("web", {"spec": {"desired": "Running"}})
        await node.reaches("web", "Running")
        await eventually(lambda: len(runtime.launches) == 2)
    events = (await node.user.list(Event)).items
    (warning,) = [event for event in events if event.type == "Warning"]
    assert (warning.reason, warning.count) == ("MetaUnreadable", 1)
    assert "add a line name=" in warning.message
