"""``plumctl history``: who changed what of an object, and when; of deleted ones too."""

from datetime import UTC, datetime

import click

from apiserver.api.columns import human_duration
from apiserver.api.meta import Body, parse_time
from apiserver.client.rest import RestClient
from plumctl.changes import rows
from plumctl.cli import Session, namespace_option, pass_session, talk
from plumctl.printers import as_json, cell, columns, show
from plumctl.raw import place, read
from plumctl.targets import parse_one

PAGE = 100


@click.command()
@click.argument("what", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Changes, the newest first.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table")
@namespace_option
@pass_session
def history(session: Session, what: tuple[str, ...], limit: int, output: str, namespace: str) -> None:
    """Show who changed what of an object; changes of status alone that follow each other are one line.

    \b
      plumctl history task/hello
      plumctl get task/hello --at VERSION     the object as one of these changes left it
    """
    target = parse_one(what)

    async def work(client: RestClient) -> None:
        found = await _read(client, f"{place(client, target.kind, namespace, target.name)}/history", limit)
        show([as_json(found)] if output == "json" else _table(found["items"], datetime.now(UTC)))
        if "continue" in found["metadata"]:
            talk("there are older changes; --limit shows more")

    session.run(work)


async def _read(client: RestClient, path: str, limit: int) -> Body:
    """The newest changes as one list. Raises ApiError."""
    items: list[Body] = []
    token: dict[str, str] = {}
    while True:
        page = await read(client, path, query={"limit": str(min(PAGE, limit - len(items))), **token})
        items += page["items"]
        token = {"continue": page["metadata"].get("continue", "")}
        if len(items) >= limit or not token["continue"]:
            return dict(page, items=items)


def _table(items: list[Body], now: datetime) -> list[str]:
    lines = [["VERSION", "AGE", "WHO", "WHAT"]]
    for row in rows(items):
        age = human_duration((now - parse_time(row.time)).total_seconds())
        lines.append([row.version, age, cell(row.who), cell(row.what)])
    return columns(lines)
