"""``plumctl label`` and ``plumctl annotate``."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from apiserver.api.errors import Conflict
from apiserver.api.meta import Body
from apiserver.client.rest import MERGE, RestClient
from plumctl.cli import Failure, Session, pass_session
from plumctl.flags import SUFFIX, Command, DryRun, dry_run_option, manager_option, write_query
from plumctl.output import Output, OutputType
from plumctl.pairs import BadPairs, Pairs, split
from plumctl.printers import cell
from plumctl.raw import read, send
from plumctl.selection import Chosen, Selection, selection_options

PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Seconds before each attempt to write among others."""


@dataclass(frozen=True)
class Change:
    """What is changed, and how."""

    noun: str
    pairs: Pairs
    overwrite: bool
    version: str
    dry_run: DryRun
    manager: str
    output: Output

    @property
    def field(self) -> str:
        """The map in the metadata."""
        return f"{self.noun}s"

    def refused(self, before: Mapping[str, str]) -> str:
        """Why it may not be made, without --overwrite; empty if it may."""
        taken = [] if self.overwrite else self.pairs.overwritten(before)
        if self.noun == "annotation" and taken:
            values = "; ".join(f"'{key}' already has a value ({before[key]})" for key in taken)
            return f"--overwrite is false but found the following declared annotation(s): {values}"
        found = [f"'{key}' already has a value ({before[key]}), and --overwrite is false" for key in taken]
        return f"[{', '.join(found)}]" if len(found) > 1 else "".join(found)

    def outcome(self, before: Mapping[str, str], after: Mapping[str, str]) -> str:
        """What has been done, in kubectl's words."""
        if self.noun == "annotation":
            return "annotated"
        if before == after:
            return "not labeled"
        return "unlabeled" if not self.overwrite and len(after) < len(before) else "labeled"


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        pass_session,
        selection_options,
        manager_option,
        dry_run_option,
        click.option("-o", "--output", type=OutputType(), default="", help="name, json, yaml, jsonpath=…"),
        click.option("--resource-version", "version", default="", help="Only if the object still has this version."),
        click.option("--list", "listed", is_flag=True, help="Show them as they are after the change."),
        click.option("--overwrite", is_flag=True, help="Change values that are there."),
        click.argument("what", nargs=-1),
    ):
        command = option(command)
    return command


@click.command(cls=Command)
@_options
def label(session: Session, what: tuple[str, ...], selection: Selection, **options: Any) -> None:
    """Set labels, and take them away (KEY-).

    \b
      plumctl label task/hello tier=web team=shop
      plumctl label nodes --all zone=a --overwrite
      plumctl label task/hello tier-
    """
    _run(session, "label", what, selection, **options)


@click.command(cls=Command)
@_options
def annotate(session: Session, what: tuple[str, ...], selection: Selection, **options: Any) -> None:
    """Set annotations, and take them away (KEY-).

    \b
      plumctl annotate task/hello example.com/owner=ann
      plumctl annotate tasks -l tier=web example.com/owner-
    """
    _run(session, "annotation", what, selection, **options)


def _run(
    session: Session, noun: str, what: tuple[str, ...], selection: Selection, *, listed: bool, **options: Any
) -> None:
    try:
        objects, pairs = split(what, noun)
    except BadPairs as error:
        raise Failure(str(error)) from error
    change = Change(noun, pairs, **options)
    if not listed and not pairs.patch():
        raise Failure(f"at least one {noun} update is required")
    wanted = selection.checked(session, objects)
    if change.version and (len(wanted.named) != 1 or wanted.kinds):
        raise Failure("--resource-version may only be used with a single resource")

    async def work(client: RestClient) -> None:
        several = len(wanted.named) != 1

        async def one(chosen: Chosen) -> None:
            if listed:
                await _list(client, chosen, change, several=several)
            else:
                await _change(client, chosen, change)

        await wanted.each(client, one)

    session.run(work)


async def _list(client: RestClient, chosen: Chosen, change: Change, *, several: bool) -> None:
    if change.pairs.patch():
        _, after, _ = await _write(client, chosen, change)
    else:
        after = _map(await read(client, chosen.path(client)), change)
    if several:
        click.echo(f"Listing {change.field} for {chosen.target.kind.qualified}/{chosen.target.name}:")
    for key, value in sorted(after.items()):
        click.echo(f"{' ' if several else ''}{key}={cell(value)}")


async def _change(client: RestClient, chosen: Chosen, change: Change) -> None:
    before, after, body = await _write(client, chosen, change)
    if change.output.form:
        change.output.show(body)
    else:
        click.echo(f"{chosen} {change.outcome(before, after)}{SUFFIX[change.dry_run]}")


Written = tuple[Mapping[str, str], Mapping[str, str], Body]


async def _write(client: RestClient, chosen: Chosen, change: Change) -> Written:
    """The map before and after, and the object. Raises Failure where a value would be overwritten, ApiError."""
    for pause in PAUSES:
        await asyncio.sleep(pause)
        body = await read(client, chosen.path(client))
        before = _map(body, change)
        if refused := change.refused(before):
            raise Failure(refused)
        try:
            written = await _sent(client, chosen, change, body)
        except Conflict:
            if change.version or change.overwrite:
                raise
            continue
        for key in change.pairs.absent(before) if change.noun == "label" else ():
            click.echo(f'label "{key}" not found.')
        return before, change.pairs.applied(before), written
    raise Failure(f"{chosen} keeps changing; try again, or with --overwrite")


async def _sent(client: RestClient, chosen: Chosen, change: Change, body: Body) -> Body:
    """The object with the change. Without --overwrite it holds only for the object as it was read, so that no value
    set meanwhile is lost. Raises Conflict, ApiError."""
    before, after = _map(body, change), change.pairs.applied(_map(body, change))
    version = change.version or ("" if change.overwrite else body["metadata"]["resourceVersion"])
    if change.dry_run == "client" or (before == after and not change.version):
        return dict(body, metadata=body["metadata"] | {change.field: after})
    metadata = {change.field: change.pairs.patch()} | ({"resourceVersion": version} if version else {})
    query = write_query(change.manager, change.dry_run)
    answer = await send(
        client, "PATCH", chosen.path(client), query=query, body={"metadata": metadata}, media_type=MERGE
    )
    found: Body = answer.json()
    return found


def _map(body: Body, change: Change) -> dict[str, str]:
    return dict(body["metadata"].get(change.field) or {})
