"""``plumctl delete``: foreground by default, and back only when it is gone."""

import asyncio
import random
from itertools import groupby

import click

from apiserver.api.errors import Expired, NotFound, ServiceUnavailable, Timeout
from apiserver.client.rest import RestClient
from plumctl.apply import load
from plumctl.cli import Failure, Session, namespace_option, pass_session
from plumctl.durations import Duration
from plumctl.flags import Command
from plumctl.holding import explain
from plumctl.raw import place, read, read_items, send
from plumctl.targets import Named, parse_targets

POLL_SECONDS = 30


@click.command(cls=Command)
@click.argument("what", nargs=-1)
@click.option("-f", "--filename", "paths", multiple=True, help="Delete the objects of files or folders.")
@click.option("-l", "--selector", default="", help="Delete what a label selector finds.")
@click.option("--all", "everything", is_flag=True, help="Delete all of the kind in the namespace.")
@click.option("--wait/--no-wait", default=True, help="Wait until the objects are gone.", show_default=True)
@click.option(
    "--timeout", type=Duration(), default="2m", help="How long to wait: 30s, 2m, or seconds.", show_default=True
)
@click.option("--ignore-not-found", is_flag=True, help="What is not there is no error.")
@namespace_option
@pass_session
def delete(
    session: Session,
    *,
    what: tuple[str, ...],
    paths: tuple[str, ...],
    selector: str,
    everything: bool,
    wait: bool,
    timeout: float,
    ignore_not_found: bool,
    namespace: str,
) -> None:
    """Delete objects and what belongs to them; a task's processes are stopped first.

    \b
      plumctl delete task/hello
      plumctl delete -f manifests/hello
    """
    found: list[tuple[Named, str]] = []
    if paths:
        # What others may need was applied first and goes last.
        manifests = reversed(load(session, paths, namespace))
        found = [(Named(manifest.kind, manifest.name), manifest.namespace) for manifest in manifests]
    elif selector or everything:
        targets = parse_targets(what)
        if any(target.name for target in targets):
            raise click.UsageError("give names, or --selector or --all, not both")
    else:
        targets = parse_targets(what, names_required=True)
        found = [(target, namespace) for target in targets]

    async def work(client: RestClient) -> None:
        chosen = found or [
            (Named(target.kind, name), namespace)
            for target in targets
            for name in await _names(client, target, namespace, selector)
        ]
        missing: list[str] = []
        # Kind by kind: an app that a task still uses cannot go before the task has gone.
        for _, group in groupby(chosen, key=lambda one: one[0].kind.name):
            asked = []
            for target, where in group:
                try:
                    asked.append((target, where, await _ask(client, target, where)))
                except NotFound as error:
                    missing += [] if ignore_not_found or paths else [error.message]
            for target, where, uid in asked if wait else ():
                await wait_gone(client, target, where, uid, timeout)
        if missing:
            raise Failure("\n".join(missing))

    session.run(work)


async def _names(client: RestClient, target: Named, namespace: str, selector: str) -> list[str]:
    query = {"labelSelector": selector} if selector else {}
    path = place(client, target.kind, namespace)
    return [str(item["metadata"]["name"]) async for item in read_items(client, path, query=query)]


async def _ask(client: RestClient, target: Named, namespace: str) -> str:
    """Ask for the deletion; the uid of what was asked for. Raises NotFound."""
    path = place(client, target.kind, namespace, target.name)
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"}
    if target.kind.name != "Task":  # nothing else has dependents that a user would wait for
        options["propagationPolicy"] = "Background"
    answer = (await send(client, "DELETE", path, body=options)).json()
    click.echo(f"{target} deleted")
    return str((answer.get("details") or answer["metadata"])["uid"])


async def wait_gone(client: RestClient, target: Named, namespace: str, uid: str, timeout: float) -> None:
    """Until the object of that uid is gone, over restarts of the server. Raises Failure when the time is up."""
    rng, failures = random.Random(), 0
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    body = await read(client, place(client, target.kind, namespace, target.name))
                    if body["metadata"]["uid"] != uid:
                        return
                    await _next_change(client, target, namespace, str(body["metadata"]["resourceVersion"]))
                    failures = 0
                except (Expired, ServiceUnavailable, Timeout):
                    failures += 1
                    await asyncio.sleep(min(5.0, 0.1 * 2**failures) * rng.uniform(0.5, 1.0))
    except NotFound:
        return
    except TimeoutError:
        late = f"{target} is still there after {timeout:g} s"
        if why := await explain(client, target, namespace):
            raise Failure(f"{late}; it waits for\n{why}") from None
        raise Failure(
            f"{late}; plumctl describe {target.kind.singular} {target.name} shows what it waits for"
        ) from None


async def _next_change(client: RestClient, target: Named, namespace: str, version: str) -> None:
    """Wait for the object's next change by long-poll, which misses nothing."""
    query = {
        "watch": "poll",
        "resourceVersion": version,
        "timeoutSeconds": str(POLL_SECONDS - 5),
        "fieldSelector": f"metadata.name={target.name}",
    }
    await read(client, place(client, target.kind, namespace), query=query)
