"""``plumctl rollout``: the revisions of a task, and the way back to one."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import click

from apiserver.api.errors import Invalid
from apiserver.api.machinery.differences import differences
from apiserver.api.meta import Body, format_time, parse_time
from apiserver.api.rollback import NoRollback, Revision, choose, is_rolled_out, rolled_back, template
from apiserver.api.scheme import Kind
from apiserver.client.rest import JSON_PATCH, RestClient
from plumctl.changes import one_change, summary, who
from plumctl.cli import MANAGER, Failure, Session, namespace_option, pass_session
from plumctl.printers import as_yaml, cell, columns, show
from plumctl.raw import place, read, send
from plumctl.targets import Named, parse_one

PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Seconds before each attempt to write among others."""


@click.group()
def rollout() -> None:
    """Follow, repeat and undo rollouts.

    \b
      plumctl rollout status task/hello
      plumctl rollout restart task/hello
      plumctl rollout history task/hello
      plumctl rollout undo task/hello
    """


@rollout.command()
@click.argument("what", nargs=-1, required=True)
@click.option("--revision", type=click.IntRange(1), help="Show the spec of this revision.")
@namespace_option
@pass_session
def history(session: Session, what: tuple[str, ...], revision: int | None, namespace: str) -> None:
    """Show the revisions of a task that are kept, the newest last.

    \b
      plumctl rollout history task/hello
      plumctl rollout history task/hello --revision 3
    """
    target = _target(what)

    async def work(client: RestClient) -> None:
        found = await _revisions(client, place(client, target.kind, namespace, target.name))
        if revision is None:
            show(_table(target.kind, found))
            return
        [spec] = [one["spec"] for one in found if one["revision"] == revision] or [None]
        if spec is None:
            raise Failure(f"unable to find specified revision {revision} in history")
        show([as_yaml(spec)])

    session.run(work)


@rollout.command()
@click.argument("what", nargs=-1, required=True)
@click.option("--to-revision", type=click.IntRange(0), default=0, help="Which one; by default the one before.")
@click.option("--dry-run", is_flag=True, help="Let the server check it, show what would change, and store nothing.")
@namespace_option
@pass_session
def undo(session: Session, what: tuple[str, ...], to_revision: int, dry_run: bool, namespace: str) -> None:
    """Go back to an earlier revision. How many copies there are, and whether they run, stays as it is now.

    \b
      plumctl rollout undo task/hello
      plumctl rollout undo task/hello --to-revision 3
    """
    target = _target(what)

    async def work(client: RestClient) -> None:
        path = place(client, target.kind, namespace, target.name)
        show(await roll_back(client, path, target, to_revision, dry_run=dry_run))

    session.run(work)


async def roll_back(client: RestClient, path: str, target: Named, number: int, *, dry_run: bool) -> list[str]:
    """Go back to a revision, 0 for the one before; what to tell of it.

    Nothing that others write meanwhile is taken back: then it is tried again, a few times. Raises Failure, ApiError.
    """
    for pause in PAUSES:
        await asyncio.sleep(pause)
        with suppress(_Raced):
            return await _undo(client, path, target, number, dry_run=dry_run)
    raise Failure(f"{target} keeps changing while it is rolled back; try again")


class _Raced(Exception):
    """The object has changed since it was read."""


async def _undo(client: RestClient, path: str, target: Named, number: int, *, dry_run: bool) -> list[str]:
    """One attempt; what to tell of it. Raises Failure, _Raced, ApiError."""
    present = await read(client, path)
    kept = [Revision(one["revision"], one["spec"]) for one in await _revisions(client, path)]
    try:
        chosen = choose(target.kind, present, kept, number)
    except NoRollback as error:
        raise Failure(str(error)) from error
    if is_rolled_out(target.kind, present, chosen):
        return [f"{target} skipped rollback (current template already matches revision {chosen.number})"]
    spec = rolled_back(present, chosen)
    await _replace(client, path, present, spec, dry_run=dry_run)
    if not dry_run:
        return [f"{target} rolled back to revision {chosen.number}"]
    changes = _between(target.kind, present["spec"], spec)
    return [f"{target} rolled back to revision {chosen.number} (dry run)", *(f"  {cell(line)}" for line in changes)]


async def _replace(client: RestClient, path: str, present: Body, spec: Body, *, dry_run: bool) -> None:
    """Store the spec, if the object is still the present one. Raises _Raced, ApiError."""
    patch = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": present["metadata"]["resourceVersion"]},
        {"op": "replace", "path": "/spec", "value": spec},
    ]
    query = {"fieldManager": MANAGER} | ({"dryRun": "All"} if dry_run else {})
    try:
        await send(client, "PATCH", path, query=query, body=patch, media_type=JSON_PATCH)
    except Invalid as error:
        if [cause.field for cause in error.details.causes] == ["[0]"]:  # the first operation failed
            raise _Raced from error
        raise


def _target(what: Sequence[str]) -> Named:
    target = parse_one(what)
    if target.kind.rolled_out is None:
        raise click.UsageError(f"{target}: only tasks have revisions")
    return target


async def _revisions(client: RestClient, path: str) -> list[Body]:
    """The kept revisions, the newest first. Raises ApiError."""
    items: list[Body] = (await read(client, f"{path}/revisions"))["items"]
    return items


def _table(kind: Kind, found: Sequence[Body]) -> list[str]:
    lines = [["REVISION", "TIME", "WHO", "CHANGES"]]
    before: Body | None = None
    for one in reversed(found):
        now = template(one["spec"])
        changed = _changes(kind, before, now) if before is not None else []
        what = summary(changed) if before is not None else "created" if one["revision"] == 1 else "-"
        time = format_time(parse_time(one["time"]))
        lines.append([str(one["revision"]), time, cell(who(one)), cell(what)])
        before = now
    return columns(lines)


def _changes(kind: Kind, before: Body, after: Body) -> list[Body]:
    return [one.to_body() for one in differences(kind.schema, {"spec": before}, {"spec": after}).told]


def _between(kind: Kind, before: Body, after: Body) -> list[str]:
    return [one_change(change) for change in _changes(kind, before, after)]
