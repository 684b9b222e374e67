"""``plumctl get --watch``: changes as they come, each once, over restarts of the server."""

import asyncio
import random
from dataclasses import replace

from apiserver.api.errors import ApiError, Expired, ServiceUnavailable, Timeout
from apiserver.api.meta import Body
from apiserver.client.rest import RestClient
from plumctl.cli import talk
from plumctl.listing import View, fetch
from plumctl.output import resource_name
from plumctl.printers import show
from plumctl.raw import TABLE, place, read, stream
from plumctl.targets import Named


class _Watch:
    """One watch over restarts of the server: each change is shown once and none is left out, because the
    last version seen is where the next connection begins."""

    def __init__(self, client: RestClient, target: Named, view: View) -> None:
        self._client, self._target, self._view = client, target, view
        self._printer = view.printer(namespaced=target.kind.namespaced)
        self._shown: dict[tuple[str, str], tuple[int, Body]] = {}
        """What was shown last of each object, and its version: changes at or before it are not shown again."""
        self._version = ""
        self._has_header = False
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
        if self._view.output.is_table:
            show([f"{line}{mark}" for line in self._printer.lines(body)])
        elif self._view.output.form == "name":
            named = {"kind": kind.name, "apiVersion": kind.api_version, "metadata": metadata}
            show([f"{resource_name(named)}{mark}"])
        else:
            self._print(self._view.trimmed(body))

    def _print(self, body: Body) -> None:
        if self._view.output.form == "yaml":
            show(["---"])
        self._view.output.show(body, headers=self._view.headers and not self._has_header)
        self._has_header = True


def _key(metadata: Body) -> tuple[str, str]:
    return str(metadata.get("namespace", "")), str(metadata["name"])


def _metadata(row: Body) -> Body:
    found: Body = row["object"]["metadata"] if "cells" in row else row["metadata"]
    return found


async def watch(client: RestClient, target: Named, view: View) -> None:
    """Show changes until interrupted. Raises ApiError."""
    if target.name:  # tell a wrong name at once
        await read(client, place(client, target.kind, view.namespace, target.name))
    try:
        await _Watch(client, target, view).run()
    except ApiError:
        raise
    except asyncio.CancelledError:
        return
