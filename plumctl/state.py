"""``plumctl start|stop|restart``: tasks as a whole, or single assignments. The latest command wins."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from apiserver.api.kinds.assignment import RESTARTED_AT
from apiserver.api.meta import Body, format_micro_time
from apiserver.client.rest import MERGE, RestClient
from plumctl.cli import MANAGER, Session, namespace_option, pass_session
from plumctl.raw import place, send
from plumctl.targets import Named, parse_targets

_FIELD = {"Task": "state", "Assignment": "desired"}


def _targets(what: Sequence[str]) -> list[Named]:
    targets = parse_targets(what, names_required=True)
    for target in targets:
        if target.kind.name not in _FIELD:
            raise click.UsageError(f"{target}: tasks and assignments can be started, stopped and restarted")
    return targets


def _patch(session: Session, targets: Sequence[Named], namespace: str, patch: "dict[str, Body]", done: str) -> None:
    async def work(client: RestClient) -> None:
        for target in targets:
            path = place(client, target.kind, namespace, target.name)
            body = patch[target.kind.name]
            await send(client, "PATCH", path, query={"fieldManager": MANAGER}, body=body, media_type=MERGE)
            click.echo(f"{target} {done}")

    session.run(work)


@click.command()
@click.argument("what", nargs=-1, required=True)
@namespace_option
@pass_session
def start(session: Session, what: tuple[str, ...], namespace: str) -> None:
    """Start a stopped task, or one stopped copy.

    \b
      plumctl start task/hello
    """
    patch = {kind: {"spec": {field: "Running"}} for kind, field in _FIELD.items()}
    _patch(session, _targets(what), namespace, patch, "started")


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
    patch = {kind: {"spec": {field: "Stopped"}} for kind, field in _FIELD.items()}
    _patch(session, _targets(what), namespace, patch, "stopped")


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
    patch: dict[str, Body] = {kind: {"metadata": {"annotations": {RESTARTED_AT: now}}} for kind in _FIELD}
    _patch(session, _targets(what), namespace, patch, "restarted")
