"""``plumctl wait``: until objects are as they should be."""

import asyncio
from contextlib import aclosing

import click

from apiserver.api.meta import Body
from apiserver.client.rest import RestClient
from plumctl.awaited import AtPath, Awaited, BadCondition, Existence, OfType, read_awaited
from plumctl.cli import Failure, Session, pass_session
from plumctl.durations import Duration
from plumctl.flags import Command
from plumctl.following import states
from plumctl.output import Output, OutputType
from plumctl.raw import read
from plumctl.selection import Chosen, Selection, Wanted, selection_options

WEEK = 7 * 24 * 3600.0


@click.command(cls=Command)
@click.argument("what", nargs=-1)
@click.option("--for", "text", default="", help="condition=TYPE[=VALUE], jsonpath={PATH}[=VALUE], delete or create.")
@click.option("--timeout", type=Duration(), default="30s", help="How long; 0: look once; below 0: a week.")
@click.option("-o", "--output", type=OutputType(), default="", help="name, json, yaml, jsonpath=…")
@selection_options
@pass_session
def wait(
    session: Session, what: tuple[str, ...], text: str, timeout: float, output: Output, selection: Selection
) -> None:
    """Wait until objects are as they should be.

    \b
      plumctl wait task/hello --for=condition=Available
      plumctl wait assignments -l plum.dev/task=hello --for=jsonpath='{.status.phase}'=Running --timeout=2m
      plumctl wait task/hello --for=delete
    """
    try:
        awaited = read_awaited(text)
    except BadCondition as error:
        raise Failure(str(error)) from error
    wanted = selection.checked(session, what)

    session.run(lambda client: _all(client, wanted, awaited, output, timeout))


async def _all(client: RestClient, wanted: Wanted, awaited: Awaited, output: Output, timeout: float) -> None:
    """Wait for each. Raises Failure, ApiError."""
    deadline = asyncio.get_running_loop().time() + (timeout if timeout > 0 else WEEK)
    chosen = [one async for one in wanted.find(client)]
    if not chosen and not isinstance(awaited, Existence):
        raise Failure("no matching resources found")
    errors: list[str] = []
    for one in chosen:
        try:
            met = await _in_time(client, one, awaited, deadline, once=timeout == 0)
        except (Failure, BadCondition) as error:
            errors.append(str(error))
            continue
        if met is not None and output.form:
            output.show(met)
        elif met is not None:
            click.echo(f"{one} condition met")
    if errors:
        raise Failure("\n".join(errors))


async def _in_time(client: RestClient, chosen: Chosen, awaited: Awaited, deadline: float, *, once: bool) -> Body | None:
    """As ``_one``; what is left when the time is up is looked at once. Raises Failure, BadCondition, ApiError."""
    late = Failure(f"timed out waiting for the condition on {_plural(chosen)}")
    is_late = asyncio.get_running_loop().time() >= deadline
    try:
        async with asyncio.timeout_at(None if is_late else deadline):
            return await _one(client, chosen, awaited, once=once or is_late)
    except TimeoutError:
        raise (
            late if awaited != Existence(is_there=True) else Failure("timed out waiting for the condition")
        ) from None
    except Failure as error:
        raise (late if is_late else error) from None


async def _one(client: RestClient, chosen: Chosen, awaited: Awaited, *, once: bool) -> Body | None:
    """The object when it is as it should be, or was last; None for one that is gone to begin with.
    Raises Failure, BadCondition, ApiError."""
    last: Body | None = None
    async with aclosing(states(client, chosen.target, chosen.namespace)) as seen:
        async for body in seen:
            if body is None and last is None and not isinstance(awaited, Existence):
                await read(client, chosen.path(client))  # tells the name that is wrong
            if _is_met(body, last, awaited):
                return body if awaited != Existence(is_there=False) else last
            last = body or last
            if once:
                raise Failure(f"condition not met for {_plural(chosen)}")
    raise AssertionError("the states of an object have no end")


def _is_met(body: Body | None, last: Body | None, awaited: Awaited) -> bool:
    """Whether it is as it should be; ``last`` is how it was before."""
    match awaited:
        case Existence(is_there):
            if is_there:
                return body is not None
            return body is None or (last is not None and body["metadata"]["uid"] != last["metadata"]["uid"])
        case OfType() | AtPath():
            return body is not None and awaited.holds(body)


def _plural(chosen: Chosen) -> str:
    return f"{chosen.target.kind.plural}/{chosen.target.name}"
