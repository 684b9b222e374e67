"""``plumctl scale``: how many copies of an entry run."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

import click

from apiserver.api.errors import Invalid
from apiserver.api.kinds.task import MAX_COPIES, TASKS
from apiserver.api.meta import Body
from apiserver.client.rest import JSON_PATCH, RestClient
from plumctl.cli import Failure, Session, pass_session
from plumctl.durations import Duration
from plumctl.flags import SUFFIX, Command, DryRun, dry_run_option, manager_option, write_query
from plumctl.following import states
from plumctl.output import Output, OutputType
from plumctl.raw import read, send
from plumctl.scaling import CannotScale, Scaled, read_scaled, scale_patch
from plumctl.selection import Chosen, Selection, Wanted, selection_options
from plumctl.targets import Named, kind_named

PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Seconds before each attempt to write among others."""


@dataclass(frozen=True)
class Change:
    """How the counts are changed."""

    current: int
    version: str
    dry_run: DryRun
    manager: str
    timeout: float
    output: Output


@click.command(cls=Command)
@click.argument("what", nargs=-1)
@click.option("--replicas", type=click.IntRange(0, MAX_COPIES), help="How many copies, where =COUNT does not say it.")
@click.option("--current-replicas", "current", type=int, default=-1, help="Only if there are to be so many now.")
@click.option("--resource-version", "version", default="", help="Only if the task still has this version.")
@click.option(
    "--timeout", type=Duration(), default="0s", help="How long to wait until there are so many; 0: not at all."
)
@click.option("-o", "--output", type=OutputType(), default="", help="name, json, yaml, jsonpath=…")
@dry_run_option
@manager_option
@selection_options
@pass_session
def scale(
    session: Session,
    *,
    what: tuple[str, ...],
    replicas: int | None,
    current: int,
    version: str,
    timeout: float,
    output: Output,
    dry_run: DryRun,
    manager: str,
    selection: Selection,
) -> None:
    """Set how many copies of a task's entries run; a task with several needs the entry's name.

    \b
      plumctl scale task/web --replicas=3
      plumctl scale task/web/api=3 task/web/jobs=0
      plumctl scale tasks -l tier=web --replicas=2
    """
    change = Change(current, version, dry_run, manager, timeout, output)
    by_entry: dict[str, Scaled] = {}
    try:
        if selection.is_open or selection.paths:
            wanted = selection.checked(session, what)
        else:
            found = read_scaled(what, replicas)
            by_entry = {one.task.partition("/")[2]: one for one in found}
            named = [(kind_named(kind), name) for kind, _, name in (one.task.partition("/") for one in found)]
            wanted = Wanted(selection, [Chosen(Named(kind, name), selection.namespace) for kind, name in named], [])
    except CannotScale as error:
        raise Failure(str(error)) from error
    _check(wanted, by_entry, replicas)

    async def work(client: RestClient) -> None:
        async def one(chosen: Chosen) -> None:
            scaled = by_entry.get(chosen.target.name) or Scaled(str(chosen), {"": replicas or 0})
            await _scale(client, chosen, scaled, change)

        await wanted.each(client, one)

    session.run(work)


def _check(wanted: Wanted, by_entry: dict[str, Scaled], replicas: int | None) -> None:
    for target in (*(chosen.target for chosen in wanted.named), *wanted.kinds):
        if target.kind is not TASKS:
            raise Failure(f"{target}: cannot scale {target.kind.plural}; tasks can be scaled")
    if not by_entry and replicas is None:
        raise Failure("the --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")


async def _scale(client: RestClient, chosen: Chosen, scaled: Scaled, change: Change) -> None:
    """Raises Failure, ApiError."""
    try:
        after = await _write(client, chosen, scaled, change)
    except CannotScale as error:
        raise Failure(str(error)) from error
    if change.output.form:
        change.output.show(after)
    else:
        click.echo(f"{chosen} scaled{SUFFIX[change.dry_run]}")
    if change.timeout > 0 and change.dry_run == "none":
        await _wait(client, chosen, after, change.timeout)


async def _write(client: RestClient, chosen: Chosen, scaled: Scaled, change: Change) -> Body:
    """The task with its new counts, whatever others write meanwhile. Raises CannotScale, ApiError."""
    for pause in PAUSES:
        await asyncio.sleep(pause)
        body = await read(client, chosen.path(client))
        operations = scale_patch(body, scaled, change.current, change.version)
        query = write_query(change.manager, "server" if change.dry_run == "client" else change.dry_run)
        try:
            answer = await send(
                client, "PATCH", chosen.path(client), query=query, body=operations, media_type=JSON_PATCH
            )
        except Invalid as error:
            if not all(cause.field.startswith("[") for cause in error.details.causes):
                raise
            continue  # a test failed: the task has changed since it was read
        found: Body = answer.json()
        return found
    raise CannotScale(f"{chosen} keeps changing; try again")


async def _wait(client: RestClient, chosen: Chosen, after: Body, timeout: float) -> None:
    """Until there are as many copies as the spec wants. Raises Failure when the time is up, ApiError."""
    try:
        async with asyncio.timeout(timeout), aclosing(states(client, chosen.target, chosen.namespace)) as seen:
            async for body in seen:
                if body is None or _has_all(body, after["metadata"]["generation"]):
                    return
    except TimeoutError:
        raise Failure(f"timed out waiting for {chosen} to be scaled") from None


def _has_all(body: Body, generation: int) -> bool:
    status = body["status"]
    if status.get("observedGeneration", 0) < generation:
        return False
    return int(status.get("replicas", 0)) == sum(int(entry.get("desired", 0)) for entry in status.get("entries") or ())
