"""``plumctl top``: what nodes and assignments use now."""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from apiserver.api.errors import Expired
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.node import NODES
from apiserver.api.meta import Body
from apiserver.api.selectors import escaped
from apiserver.client.rest import RestClient
from plumctl.cli import Failure, Session, namespace_option, pass_session, talk
from plumctl.printers import cell, columns, show
from plumctl.raw import place, read, read_items
from plumctl.targets import Named, parse_targets

USAGE = "/apis/plum.dev/v1/usage"
UNKNOWN = "<unknown>"
LIST_TRIES = 3
_SORTED = {"cpu": "cpu", "memory": "memoryBytes"}
_SOON = "agents report every 15 s, and an assignment has figures once its process runs"


@dataclass(frozen=True)
class View:
    """What is asked for and how it is shown."""

    target: Named
    namespace: str
    everywhere: bool
    labels: str
    task: str
    sort_by: str
    headers: bool


@click.command()
@click.argument("what", nargs=-1, required=True)
@click.option("-l", "--selector", default="", help="Label selector, for example app=web,tier!=test.")
@click.option("-A", "--all-namespaces", is_flag=True, help="In all namespaces.")
@click.option("--task", default="", help="Only the assignments of a task.")
@click.option("--sort-by", type=click.Choice(list(_SORTED)), help="The largest first; by default by name.")
@click.option("--no-headers", is_flag=True, help="Without the line of headings.")
@namespace_option
@pass_session
def top(
    session: Session,
    *,
    what: tuple[str, ...],
    selector: str,
    all_namespaces: bool,
    task: str,
    sort_by: str | None,
    no_headers: bool,
    namespace: str,
) -> None:
    """Show what nodes or assignments use: processors (1000m is one), memory, and more.

    \b
      plumctl top nodes
      plumctl top assignments -A --sort-by cpu
      plumctl top assignments --task hello
      plumctl top assignment hello-main-abcdefgh
    """
    targets = parse_targets(what)
    if len(targets) != 1 or targets[0].kind not in (NODES, ASSIGNMENTS):
        raise click.UsageError("say whose use: nodes or assignments, of which one may be named")
    target = targets[0]
    if target.kind is NODES and (task or all_namespaces):
        raise click.UsageError("--task and --all-namespaces are for assignments")
    if target.name and (task or all_namespaces or selector):
        raise click.UsageError("give a name, or --task, --selector and --all-namespaces, not both")
    view = View(target, namespace, all_namespaces, selector, task, sort_by or "", not no_headers)
    session.run(lambda client: _nodes(client, view) if target.kind is NODES else _assignments(client, view))


async def _nodes(client: RestClient, view: View) -> None:
    if view.target.name:
        await read(client, place(client, NODES, "", view.target.name))  # tell a wrong name at once
        names = [view.target.name]
    else:
        selected = {"labelSelector": view.labels} if view.labels else {}
        names = [item["metadata"]["name"] for item in await _all(client, NODES.path(), selected)]
    if not names:
        talk("No resources found.")
        return
    page = await read(client, USAGE, query={"resources": "nodes"})
    known: dict[str, Body] = {item["name"]: item for item in page["nodes"]}
    if not any(name in known for name in names):
        raise Failure(f"no usage of {'the node' if view.target.name else 'any node'} is known yet: {_SOON}")
    found = _ordered([known.get(name, {"name": name}) for name in names], view.sort_by)
    show(_table(NODE_COLUMNS, found, headers=view.headers))


async def _assignments(client: RestClient, view: View) -> None:
    namespace = "" if view.everywhere else view.namespace or client.config.namespace
    query = {"resources": "assignments", "namespace": namespace, "labelSelector": view.labels}
    if view.target.name:
        await read(client, place(client, ASSIGNMENTS, view.namespace, view.target.name))
        query["fieldSelector"] = f"metadata.name={escaped(view.target.name)}"
    elif view.task:
        query["fieldSelector"] = f"spec.taskName={escaped(view.task)}"
    found = await _all(client, USAGE, {key: value for key, value in query.items() if value})
    if found:
        shown = (NAMESPACE, *ASSIGNMENT_COLUMNS) if view.everywhere else ASSIGNMENT_COLUMNS
        show(_table(shown, _ordered(found, view.sort_by), headers=view.headers))
        return
    if view.target.name or await _exist(client, view, query):
        raise Failure(
            f"no usage of {'the assignment' if view.target.name else 'these assignments'} is known yet: {_SOON}"
        )
    talk(f"No resources found{'' if view.everywhere else f' in {namespace} namespace'}.")


async def _exist(client: RestClient, view: View, query: Mapping[str, str]) -> bool:
    """Whether there are assignments that are meant, with or without figures."""
    selected = {key: query[key] for key in ("labelSelector", "fieldSelector") if query.get(key)}
    path = place(client, ASSIGNMENTS, view.namespace, everywhere=view.everywhere)
    return bool((await read(client, path, query={"limit": "1", **selected}))["items"])


async def _all(client: RestClient, path: str, query: Mapping[str, str]) -> list[Body]:
    """The items of all pages. Raises ApiError."""
    for tries in range(LIST_TRIES):
        try:
            return [item async for item in read_items(client, path, query=query)]
        except Expired:
            await asyncio.sleep(0.1 * 2**tries)
    return [item async for item in read_items(client, path, query=query)]


def _ordered(items: list[Body], sort_by: str) -> list[Body]:
    if not sort_by:
        return sorted(items, key=lambda item: (item.get("namespace", ""), item["name"]))
    return sorted(items, key=lambda item: (-(item.get(_SORTED[sort_by]) or 0), item.get("namespace", ""), item["name"]))


Column = tuple[str, Callable[[Body], str]]


def _table(shown: Sequence[Column], items: Iterable[Body], *, headers: bool) -> list[str]:
    lines = [[value(item) for _, value in shown] for item in items]
    return columns([[name for name, _ in shown], *lines] if headers else lines)


def _of(key: str, show_as: Callable[[float], str]) -> Callable[[Body], str]:
    """A column of figures, which may not be known."""

    def value(item: Body) -> str:
        found = item.get(key)
        return UNKNOWN if found is None else show_as(found)

    return value


def _text(key: str) -> Callable[[Body], str]:
    return lambda item: cell(item.get(key, ""))


def _share(key: str, whole: str) -> Callable[[Body], str]:
    """A column of percents."""

    def value(item: Body) -> str:
        found, of = item.get(key), item.get(whole)
        return UNKNOWN if found is None or not of else f"{100 * found / of:.0f}%"

    return value


def millicores(cores: float) -> str:
    """Processors as kubectl prints them, rounded up: ``12m``."""
    return f"{math.ceil(round(cores * 1000, 3))}m"


def mebibytes(count: float) -> str:
    """Memory as kubectl prints it, ``34Mi``; less than one in ``Ki``."""
    return f"{int(count) >> 20}Mi" if count >= 1 << 20 else f"{int(count) >> 10}Ki"


def compact(count: float) -> str:
    """Bytes in the largest unit of which there is one: ``0``, ``999``, ``12Ki``."""
    for unit, size in (("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if count >= size:
            return f"{count / size:.0f}{unit}"
    return f"{count:.0f}"


def _number(value: Any) -> str:
    return str(value)


NAMESPACE: Column = ("NAMESPACE", _text("namespace"))
ASSIGNMENT_COLUMNS: Sequence[Column] = (
    ("NAME", _text("name")),
    ("CPU(cores)", _of("cpu", millicores)),
    ("MEMORY(bytes)", _of("memoryBytes", mebibytes)),
    ("THREADS", _of("threads", _number)),
    ("FDS", _of("openFds", _number)),
    ("READ/s", _of("readRate", compact)),
    ("WRITE/s", _of("writeRate", compact)),
    ("NODE", _text("node")),
)
NODE_COLUMNS: Sequence[Column] = (
    ("NAME", _text("name")),
    ("CPU(cores)", _of("cpu", millicores)),
    ("CPU%", _share("cpu", "cpus")),
    ("MEMORY(bytes)", _of("memoryBytes", mebibytes)),
    ("MEMORY%", _share("memoryBytes", "memoryTotalBytes")),
    ("LOAD", _of("load1", lambda load: f"{load:.2f}")),
    ("DISK-FREE", _of("diskFreeBytes", compact)),
)
