"""Reading what ``get`` shows: a collection page by page, or one object."""

import asyncio
from dataclasses import dataclass, replace

from apiserver.api.errors import Expired
from apiserver.api.meta import Body
from apiserver.client.rest import RestClient
from plumctl.jsonpath import Finder
from plumctl.output import Output
from plumctl.printers import TablePrinter
from plumctl.raw import TABLE, place, read
from plumctl.targets import Named

MAX_PAGES = 10_000
LIST_TRIES = 3


@dataclass(frozen=True)
class View:
    """What is asked for and how it is shown."""

    output: Output
    namespace: str
    everywhere: bool
    query: dict[str, str]
    chunk: int
    several: bool = False
    managed_fields: bool = False
    headers: bool = True
    label_columns: tuple[str, ...] = ()
    show_labels: bool = False
    sort_by: str = ""

    @property
    def accept(self) -> str:
        """The media type that the output is made from."""
        return TABLE if self.output.is_table else "application/json"

    @property
    def finder(self) -> Finder | None:
        """The path to sort by."""
        return Finder(self.sort_by) if self.sort_by else None

    def trimmed(self, item: Body) -> Body:
        """An object without the book-keeping that few want to see."""
        if self.managed_fields:
            return item
        return dict(item, metadata={key: value for key, value in item["metadata"].items() if key != "managedFields"})

    def printer(self, *, namespaced: bool) -> TablePrinter:
        """What prints tables."""
        return TablePrinter(
            wide=self.output.form == "wide",
            namespaces=self.everywhere and namespaced,
            kinds=self.several,
            headers=self.headers,
            label_columns=self.label_columns,
            show_labels=self.show_labels,
        )


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
    query |= {"includeObject": "Object"} if view.sort_by and view.accept == TABLE else {}
    pages: list[Body] = []
    for _ in range(MAX_PAGES):
        pages.append(await read(client, path, query=query, accept=view.accept))
        token = pages[-1].get("metadata", {}).get("continue")
        if not token:
            break
        query["continue"] = token
    return pages
