"""``plumctl logs``: what instances write; of a task, of its instances all together."""

from datetime import UTC

import click

from apiserver.api.errors import NotFound
from apiserver.api.kinds.assignment import TASK_LABEL, Assignment
from apiserver.api.kinds.task import Task
from apiserver.api.meta import format_micro_time, parse_time
from apiserver.client.rest import RestClient
from plumctl.cli import Failure, Session, namespace_option, pass_session, quiet_pipe
from plumctl.log_follow import Follow, Group, View, show
from plumctl.log_lines import Writer
from plumctl.log_streams import Selection
from plumctl.moments import read_duration
from plumctl.targets import Named, parse_targets

SELECTOR_TAIL = 10
"""Lines of each log where they are selected by labels and nothing else is said, as with kubectl."""


@click.command()
@click.argument("what", nargs=-1)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option(
    "--tail", type=click.IntRange(-1), help="Lines of each log, the last ones; -1: all. With -l 10, else all."
)
@click.option("--since", default="", help="What was written in so long until now: 90s, 10m, 2h.")
@click.option("--since-time", default="", help="What was written since then (RFC 3339).")
@click.option("-p", "--previous", is_flag=True, help="The run before the present one.")
@click.option("--timestamps", is_flag=True, help="Begin each line with its time.")
@click.option("-l", "--selector", default="", help="Label selector of assignments, for example plum.dev/task=web.")
@click.option("--prefix", is_flag=True, help="Begin each line with the assignment it is from.")
@click.option("--limit-bytes", type=click.IntRange(1), help="Bytes of each log.")
@click.option("--max-log-requests", type=click.IntRange(1), default=32, show_default=True, help="Logs at a time.")
@namespace_option
@pass_session
def logs(  # noqa: PLR0913 - one parameter an option
    session: Session,
    *,
    what: tuple[str, ...],
    follow: bool,
    tail: int | None,
    since: str,
    since_time: str,
    previous: bool,
    timestamps: bool,
    selector: str,
    prefix: bool,
    limit_bytes: int | None,
    max_log_requests: int,
    namespace: str,
) -> None:
    """Show what instances write; those of a task together, in the order of time.

    \b
      plumctl logs hello                      all instances of a task
      plumctl logs -f task/hello --prefix     and what they go on to write
      plumctl logs assignment/hello-main-abcdefgh --previous
      plumctl logs -l tier=web --since 10m --timestamps
    """
    if bool(what) == bool(selector):
        which = "names or --selector, not both" if what else "a task, task/NAME, assignment/NAME, or --selector"
        raise click.UsageError(f"say whose logs: {which}")
    if follow and previous:
        raise click.UsageError("--previous shows a run that is over: leave out --follow")
    if tail is None and selector:
        tail = SELECTOR_TAIL
    query = _beginning(since, since_time) | ({"tailLines": str(tail)} if tail is not None and tail >= 0 else {})
    query |= {"previous": "true"} if previous else {}
    writer = Writer(prefix=prefix, timestamps=timestamps)
    targets = [_target(text) for text in what]

    async def work(client: RestClient) -> bool:
        groups = [Group(labels=selector)] if selector else [await _group(client, namespace, one) for one in targets]
        view = View(namespace, groups, max_log_requests, Selection(query, limit_bytes), writer)
        return await (Follow(client, view).run() if follow else show(client, view))

    try:
        is_whole = session.run(work)
    except BrokenPipeError:
        quiet_pipe()
    else:
        if not is_whole:
            raise click.exceptions.Exit(1)


def _beginning(since: str, since_time: str) -> dict[str, str]:
    if since and since_time:
        raise click.UsageError("give --since or --since-time, not both")
    if since:
        try:
            ago = read_duration(since)
        except OverflowError:
            ago = None
        if not ago:
            raise click.UsageError(f"--since {since!r}: write how long, for example 90s, 10m or 1h30m")
        return {"sinceSeconds": str(max(1, int(ago.total_seconds())))}
    if since_time:
        try:
            return {"sinceTime": format_micro_time(parse_time(since_time).astimezone(UTC))}
        except (ValueError, OverflowError):
            raise click.UsageError(f"--since-time {since_time!r}: write a time like 2026-01-02T15:04:05Z") from None
    return {}


def _target(text: str) -> Named | str:
    """``task/x``, ``assignment/x``, or a bare name."""
    if "/" not in text:
        return text
    (found,) = parse_targets([text])
    if found.kind.name not in ("Task", "Assignment"):
        raise click.UsageError(f"{found}: tasks and assignments have logs")
    return found


async def _group(client: RestClient, namespace: str, target: Named | str) -> Group:
    """The assignments that a word on the command line means. Raises Failure, ApiError."""
    kind, name = ("", target) if isinstance(target, str) else (target.kind.name, target.name)
    if kind == "Assignment":
        return Group(name=name)
    try:
        await client.get(Task, name, namespace=namespace)
        return Group(labels=f"{TASK_LABEL}={name}", task=name)
    except NotFound:
        if kind:
            raise
    try:
        await client.get(Assignment, name, namespace=namespace)
    except NotFound as error:
        where = namespace or client.config.namespace
        raise Failure(
            f"{name!r} is neither a task nor an assignment in namespace {where} "
            f"(assignment/{name} finds one that was deleted a while ago)"
        ) from error
    return Group(name=name)
