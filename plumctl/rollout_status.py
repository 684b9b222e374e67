"""``plumctl rollout status``: until a task runs as it is declared."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import click

from apiserver.api.kinds.assignment import ASSIGNMENTS, TASK_LABEL
from apiserver.api.kinds.task import TASKS
from apiserver.api.meta import Body
from apiserver.client.rest import RestClient
from plumctl.cli import Failure, Session, pass_session
from plumctl.durations import Duration
from plumctl.flags import Command
from plumctl.following import states
from plumctl.raw import place, read, read_items
from plumctl.rolling import RolloutFailed, Standing, by_copies, standing
from plumctl.selection import Chosen, Selection, selection_options

RECHECK_SECONDS = 2.0
"""How soon the copies are looked at again while the status says that all are up and they say otherwise."""


@click.command(cls=Command)
@click.argument("what", nargs=-1)
@click.option("-w", "--watch/--no-watch", default=True, help="Wait until it is done; otherwise say where it stands.")
@click.option("--timeout", type=Duration(), default="0s", help="How long to wait; 0: for ever.")
@selection_options
@pass_session
def status(session: Session, what: tuple[str, ...], watch: bool, timeout: float, selection: Selection) -> None:
    """Wait until the rollout of a task is done: all its copies are of the present spec, and ready.

    \b
      plumctl rollout status task/hello
      plumctl rollout status task/hello --timeout 2m
    """
    wanted = selection.checked(session, what)
    for target in (*(chosen.target for chosen in wanted.named), *wanted.kinds):
        if target.kind is not TASKS:
            raise click.UsageError(f"{target}: only tasks have rollouts")

    async def work(client: RestClient) -> None:
        try:
            async with asyncio.timeout(timeout if timeout > 0 else None):
                await wanted.each(client, lambda chosen: _follow(client, chosen, watch=watch))
        except TimeoutError:
            raise Failure("timed out waiting for the condition") from None

    session.run(work)


async def _follow(client: RestClient, chosen: Chosen, *, watch: bool) -> None:
    """Tell each new standing until it is done. Raises Failure, ApiError."""
    told = ""
    async with aclosing(_moments(client, chosen)) as moments:
        async for body in moments:
            if body is None:
                await read(client, chosen.path(client))  # tells that it never was, or has been deleted
                continue
            found = await _look(client, chosen, body)
            if found.text != told:
                click.echo(found.text)
                told = found.text
            if found.is_done or not watch:
                return


async def _look(client: RestClient, chosen: Chosen, body: Body) -> Standing:
    """Where it stands by its status and, when that counts all copies, by these. Raises Failure, ApiError."""
    try:
        found = standing(body)
    except RolloutFailed as error:
        raise Failure(str(error)) from error
    if not found.is_counted:
        return found
    namespace = body["metadata"]["namespace"]
    query = {"labelSelector": f"{TASK_LABEL}={chosen.target.name}"}
    copies = [copy async for copy in read_items(client, place(client, ASSIGNMENTS, namespace), query=query)]
    return by_copies(body, copies, found)


async def _moments(client: RestClient, chosen: Chosen) -> AsyncGenerator[Body | None, None]:
    """The task's states, each again after a while: its copies change without it. Raises ApiError."""
    async with aclosing(states(client, chosen.target, chosen.namespace)) as seen:
        body = await anext(seen)
        while True:
            coming = asyncio.ensure_future(anext(seen))
            try:
                while not coming.done():
                    yield body
                    await asyncio.wait([coming], timeout=RECHECK_SECONDS)
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait([coming])
            body = coming.result()
