"""``plumctl get``: tables from the server, or the objects themselves; and watching them."""

import asyncio
import random
from dataclasses import dataclass, replace
from typing import Any

import click

from apiserver.api.errors import ApiError, Expired, ServiceUnavailable, Timeout
from apiserver.api.meta import Body
from apiserver.client.rest import RestClient
from plumctl.cli import Session, namespace_option, pass_session, talk
from plumctl.moments import Moment, Query
from plumctl.printers import TablePrinter, as_json, as_yaml, show
from plumctl.raw import TABLE, place, read, stream
from plumctl.targets import Named, parse_targets

MAX_PAGES = 10_000
LIST_TRIES = 3


@dataclass(frozen=True)
class View:
    """What is asked for and how it is shown."""

    output: str
    namespace: str
    everywhere: bool
    query: dict[str, str]
    chunk: int
    several: bool = False
    managed_fields: bool = False

    @property
    def accept(self) -> str:
        """The media type that the output is made from."""
        return TABLE if self.output in ("table", "wide") else "application/json"

    def trimmed(self, item: Body) -> Body:
        """An object without the book-keeping that few want to see."""
        if self.managed_fields:
            return item
        return dict(item, metadata={key: value for key, value in item["metadata"].items() if key != "managedFields"})


@click.command()
@click.argument("what", nargs=-1)
@click.option("-o", "--output", type=click.Choice(["table", "wide", "yaml", "json", "name"]), default="table")
@click.option("-w", "--watch", is_flag=True, help="Go on showing changes.")
@click.option("-l", "--selector", default="", help="Label selector, for example app=web,tier!=test.")
@click.option("--field-selector", default="", help="Field selector, for example status.phase=Running.")
@click.option("-A", "--all-namespaces", is_flag=True, help="In all namespaces.")
@click.option("--at", type=Moment(), help="As it was at a version, at a time (RFC 3339), or so long ago (10m, 2h).")
@click.option("--chunk-size", type=click.IntRange(0), default=500, help="Objects a request; 0: all at once.")
@click.option("--show-managed-fields", is_flag=True, help="Also show who owns which field.")
@namespace_option
@pass_session
def get(  # noqa: PLR0913 - one parameter an option
    session: Session,
    *,
    what: tuple[str, ...],
    output: str,
    watch: bool,
    selector: str,
    field_selector: str,
    all_namespaces: bool,
    at: Query | None,
    chunk_size: int,
    show_managed_fields: bool,
    namespace: str,
) -> None:
    """Show objects.

    \b
      plumctl get tasks
      plumctl get assignments -w -l plum.dev/task=hello
      plumctl get tasks,nodes -A -o wide
      plumctl get task/hello -o yaml
      plumctl get task/hello -o yaml --at 10m
    """
    targets = parse_targets(what)
    if watch and len(targets) > 1:
        raise click.UsageError("--watch takes one kind or one object")
    query = {k: v for k, v in (("labelSelector", selector), ("fieldSelector", field_selector)) if v}
    if any(target.name for target in targets) and (query or all_namespaces):
        raise click.UsageError("give names, or --selector, --field-selector and --all-namespaces, not both")
    if at and (watch or len(targets) > 1 or not targets[0].name):
        raise click.UsageError("--at takes one object, and no --watch")
    several = len({target.kind for target in targets}) > 1
    view = View(output, namespace, all_namespaces, at or query, chunk_size, several, show_managed_fields)
    session.run(lambda client: _watch(client, targets[0], view) if watch else _show(client, targets, view))


async def _show(client: RestClient, targets: list[Named], view: View) -> None:
    bodies = [(target, await fetch(client, target, view)) for target in targets]
    if view.accept == TABLE:
        shown = [_table(target, pages, view) for target, pages in bodies]
        filled = [lines for lines in shown if lines]
        if not filled:
            where = "" if view.everywhere else f" in {view.namespace or client.config.namespace} namespace"
            talk(f"No resources found{where if targets[0].kind.namespaced else ''}.")
        for index, lines in enumerate(filled):
            show(([""] if index else []) + lines)
        return
    items = [view.trimmed(item) for target, pages in bodies for page in pages for item in _items(target, page)]
    if view.output == "name":
        show([f"{_resource(item)}/{item['metadata']['name']}" for item in items])
        return
    single = len(targets) == 1 and targets[0].name
    body: Any = items[0] if single else {"apiVersion": "v1", "kind": "List", "items": items}
    show([as_yaml(body) if view.output == "yaml" else as_json(body)])


def _table(target: Named, pages: list[Body], view: View) -> list[str]:
    printer = TablePrinter(
        wide=view.output == "wide", namespaces=view.everywhere and target.kind.namespaced, kinds=view.several
    )
    merged = dict(pages[0], rows=[row for page in pages for row in page.get("rows") or []])
    return printer.lines(merged, target.kind.singular)


def _items(target: Named, page: Body) -> list[Body]:
    if target.name:
        return [page]
    items: list[Body] = page["items"]
    return items


def _resource(item: Body) -> str:
    group = str(item["apiVersion"]).rpartition("/")[0]
    kind = str(item["kind"]).lower()
    return f"{kind}.{group}" if group else kind


async def fetch(client: RestClient, target: Named, view: View) -> list[Body]:
    """The pages of a collection, or the one object. A list that expires while it is paged is begun anew."""
    if target.name:
        path = place(client, target.kind, view.namespace, target.name)
        return [await read(client, path, query=view.query, accept=view.accept)]
    path = place(client, target.kind, view.namespace, everywhere=view.everywhere)
    for tries in range(LIST_TRIES):
        try:
            return await _pages(client, path, view)
        except Expired:
            await asyncio.sleep(0.1 * 2**tries)
    # So much changes meanwhile that pages expire: ask for everything at once.
    return await _pages(client, path, replace(view, chunk=0))


async def _pages(client: RestClient, path: str, view: View) -> list[Body]:
    query = dict(view.query) | ({"limit": str(view.chunk)} if view.chunk else {})
    pages: list[Body] = []
    for _ in range(MAX_PAGES):
        pages.append(await read(client, path, query=query, accept=view.accept))
        token = pages[-1].get("metadata", {}).get("continue")
        if not token:
            break
        query["continue"] = token
    return pages


class _Watch:
    """One watch over restarts of the server: each change is shown once and none is left out, because the
    last version seen is where the next connection begins."""

    def __init__(self, client: RestClient, target: Named, view: View) -> None:
        self._client, self._target, self._view = client, target, view
        self._printer = TablePrinter(wide=view.output == "wide", namespaces=view.everywhere and target.kind.namespaced)
        self._shown: dict[tuple[str, str], tuple[int, Body]] = {}
        """What was shown last of each object, and its version: changes at or before it are not shown again."""
        self._version = ""
        self._age = -1
        query = dict(view.query)
        if target.name:
            query["fieldSelector"] = ",".join(
                filter(None, (query.get("fieldSelector"), f"metadata.name={target.name}"))
            )
        self._view = replace(view, query=query)
        self._all = Named(target.kind)

    async def run(self) -> None:
        """Until interrupted."""
        await self._list()
        tries = 0
        rng = random.Random()
        while True:
            before = self._version
            try:
                await self._follow()
                # A stream that always ends at once must not make this spin.
                tries = 0 if self._version != before else tries + 1
                await asyncio.sleep(min(5.0, 0.05 * 2**tries) * rng.uniform(0.5, 1.0))
            except Expired:
                talk("the watch is too far behind; listing again")
                await self._list()
            except (ServiceUnavailable, Timeout) as error:
                if tries == 0:
                    talk(f"{error.message}; trying again")
                tries = 1 if self._version != before else tries + 1
                await asyncio.sleep(min(5.0, 0.1 * 2**tries) * rng.uniform(0.5, 1.0))

    async def _list(self) -> None:
        """Show what differs from what was shown last."""
        pages = await self._pages()
        self._version = str(pages[0]["metadata"]["resourceVersion"])
        names = [column["name"] for column in pages[0].get("columnDefinitions") or ()]
        self._age = names.index("Age") if "Age" in names else -1
        there = set()
        for page in pages:
            for row in page.get("rows") or page.get("items") or []:
                there.add(_key(_metadata(row)))
                self._show(row if self._view.accept != TABLE else dict(page, rows=[row]), _metadata(row))
        for key in self._shown.keys() - there:
            body = self._shown[key][1]
            last = dict(_metadata(body["rows"][0] if self._view.accept == TABLE else body))
            self._show(body, last | {"resourceVersion": self._version}, gone=True)

    def _cells(self, body: Body) -> object:
        """What a reader sees of an object; the age goes on by itself."""
        if self._view.accept != TABLE:
            return body
        cells = body["rows"][0]["cells"]
        return [cell for index, cell in enumerate(cells) if index != self._age]

    async def _pages(self) -> list[Body]:
        while True:
            try:
                return await fetch(self._client, self._all, self._view)
            except (ServiceUnavailable, Timeout):
                if not self._version:
                    raise
                await asyncio.sleep(0.5)

    async def _follow(self) -> None:
        path = place(self._client, self._target.kind, self._view.namespace, everywhere=self._view.everywhere)
        query = self._view.query | {
            "watch": "true",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": "3600",
        }
        async for frame in stream(self._client, path, query, self._view.accept):
            body = frame["object"]
            if frame["type"] != "BOOKMARK":
                row = body["rows"][0] if self._view.accept == TABLE else body
                self._show(body, _metadata(row), gone=frame["type"] == "DELETED")
                # Changes of one commit share a version, and the connection may break between two of them: begin
                # again with that version; what has been shown is not shown twice.
                self._version = str(int(_metadata(row)["resourceVersion"]) - 1)
            else:
                self._version = str(body["metadata"]["resourceVersion"])

    def _show(self, body: Body, metadata: Body, *, gone: bool = False) -> None:
        key, version = _key(metadata), int(metadata["resourceVersion"])
        seen = self._shown.get(key)
        if (seen is None and gone) or (seen is not None and version <= seen[0]):
            return
        self._shown[key] = version, body
        if gone:
            del self._shown[key]
        elif seen is not None and self._cells(body) == self._cells(seen[1]):
            return  # a change of something that the table does not show
        kind, mark = self._target.kind, "   (deleted)" if gone else ""
        match self._view.output:
            case "table" | "wide":
                show([f"{line}{mark}" for line in self._printer.lines(body)])
            case "yaml":
                show(["---", as_yaml(self._view.trimmed(body))])
            case "json":
                show([as_json(self._view.trimmed(body))])
            case _:
                show([f"{_resource({'kind': kind.name, 'apiVersion': kind.api_version})}/{metadata['name']}{mark}"])


def _key(metadata: Body) -> tuple[str, str]:
    return str(metadata.get("namespace", "")), str(metadata["name"])


def _metadata(row: Body) -> Body:
    found: Body = row["object"]["metadata"] if "cells" in row else row["metadata"]
    return found


async def _watch(client: RestClient, target: Named, view: View) -> None:
    if target.name:  # tell a wrong name at once
        await read(client, place(client, target.kind, view.namespace, target.name))
    try:
        await _Watch(client, target, view).run()
    except ApiError:
        raise
    except asyncio.CancelledError:
        return
