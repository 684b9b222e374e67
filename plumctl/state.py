"""``plumctl start|stop|restart``: tasks as a whole, or single assignments. The latest command wins."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from apiserver.api.kinds.assignment import ASSIGNMENTS, RESTARTED_AT, TASK_LABEL
from apiserver.api.meta import Body, format_micro_time
from apiserver.client.rest import MERGE, RestClient
from plumctl.cli import MANAGER, Failure, Session, namespace_option, pass_session
from plumctl.raw import place, read, read_items, send
from plumctl.targets import Named, parse_targets

_FIELD = {"Task": "state", "Assignment": "desired"}


def _targets(what: Sequence[str]) -> list[Named]:
    targets = parse_targets(what, names_required=True)
    for target in targets:
        if target.kind.name not in _FIELD:
            raise click.UsageError(f"{target}: tasks and assignments can be started, stopped and restarted")
    return targets


def _set(session: Session, targets: Sequence[Named], namespace: str, state: str, done: str) -> None:
    """Write the state; of a task that has it already, to the copies that people set otherwise."""

    async def work(client: RestClient) -> None:
        for target in targets:
            path = place(client, target.kind, namespace, target.name)
            field = _FIELD[target.kind.name]
            before = await read(client, path)
            await _patch(client, path, {"spec": {field: state}})
            if target.kind.name == "Task" and before["spec"].get(field) == state:
                await _set_copies(client, target, namespace, state)
            click.echo(f"{target} {done}")

    session.run(work)


async def _set_copies(client: RestClient, task: Named, namespace: str, state: str) -> None:
    query = {"labelSelector": f"{TASK_LABEL}={task.name}"}
    async for copy in read_items(client, place(client, ASSIGNMENTS, namespace), query=query):
        if copy["spec"].get("desired") != state:
            path = place(client, ASSIGNMENTS, namespace, copy["metadata"]["name"])
            await _patch(client, path, {"spec": {"desired": state}})


async def _patch(client: RestClient, path: str, body: Body) -> None:
    await send(client, "PATCH", path, query={"fieldManager": MANAGER}, body=body, media_type=MERGE)


@click.command()
@click.argument("what", nargs=-1, required=True)
@namespace_option
@pass_session
def start(session: Session, what: tuple[str, ...], namespace: str) -> None:
    """Start a stopped task, or one stopped copy.

    \b
      plumctl start task/hello
    """
    _set(session, _targets(what), namespace, "Running", "started")


@click.command()
@click.argument("what", nargs=-1, required=True)
@namespace_option
@pass_session
def stop(session: Session, what: tuple[str, ...], namespace: str) -> None:
    """Stop a task, or one copy; its assignments stay.

    \b
      plumctl stop task/hello
      plumctl stop assignment/hello-main-abcdefgh
    """
    _set(session, _targets(what), namespace, "Stopped", "stopped")


@click.command()
@click.argument("what", nargs=-1, required=True)
@namespace_option
@pass_session
def restart(session: Session, what: tuple[str, ...], namespace: str) -> None:
    """Restart a task copy by copy, or one copy in place.

    \b
      plumctl restart task/hello
      plumctl restart assignment/hello-main-abcdefgh
    """
    now = format_micro_time(datetime.now(UTC))
    targets = _targets(what)

    async def work(client: RestClient) -> None:
        for target in targets:
            await restart_one(client, target, namespace, now)

    session.run(work)


async def restart_one(client: RestClient, target: Named, namespace: str, now: str) -> None:
    """Restart one, and say so. Raises Failure for what is stopped, ApiError."""
    path = place(client, target.kind, namespace, target.name)
    if (await read(client, path))["spec"].get(_FIELD[target.kind.name]) == "Stopped":
        raise Failure(f"{target} is stopped; plumctl start {target} starts it")
    await _patch(client, path, {"metadata": {"annotations": {RESTARTED_AT: now}}})
    click.echo(f"{target} restarted")
