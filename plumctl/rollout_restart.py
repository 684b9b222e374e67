"""``plumctl rollout restart``: what ``plumctl restart`` does, for tasks that are named or selected."""

from datetime import UTC, datetime

import click

from apiserver.api.kinds.task import TASKS
from apiserver.api.meta import format_micro_time
from apiserver.client.rest import RestClient
from plumctl.cli import Session, pass_session
from plumctl.flags import Command
from plumctl.selection import Selection, selection_options
from plumctl.state import restart_one


@click.command(cls=Command)
@click.argument("what", nargs=-1)
@selection_options
@pass_session
def restart(session: Session, what: tuple[str, ...], selection: Selection) -> None:
    """Replace the copies of a task one after the other.

    \b
      plumctl rollout restart task/hello
      plumctl rollout restart tasks -l tier=web
    """
    now = format_micro_time(datetime.now(UTC))
    wanted = selection.checked(session, what)
    for target in (*(chosen.target for chosen in wanted.named), *wanted.kinds):
        if target.kind is not TASKS:
            raise click.UsageError(f"{target}: only tasks have rollouts")

    async def work(client: RestClient) -> None:
        await wanted.each(client, lambda chosen: restart_one(client, chosen.target, chosen.namespace, now))

    session.run(work)
