"""``plumctl get``: tables from the server, or the objects themselves; and watching them."""

from collections.abc import Sequence
from typing import Any

import click

from apiserver.api.errors import NotFound
from apiserver.api.meta import Body
from apiserver.client.rest import RestClient
from plumctl.cli import Failure, Session, namespace_option, pass_session, talk
from plumctl.flags import Command
from plumctl.get_watch import watch as follow
from plumctl.jsonpath import BadPath
from plumctl.listing import View, fetch
from plumctl.moments import Moment, Query
from plumctl.ordering import in_order
from plumctl.output import Output, OutputType
from plumctl.printers import show
from plumctl.raw import TABLE
from plumctl.targets import Named, parse_targets


@click.command(cls=Command)
@click.argument("what", nargs=-1)
@click.option(
    "-o",
    "--output",
    type=OutputType("table", "wide", "yaml", "json", "name"),
    default="table",
    help="wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=NAME:PATH,…",
)
@click.option("-w", "--watch", is_flag=True, help="Go on showing changes.")
@click.option("-l", "--selector", default="", help="Label selector, for example app=web,tier!=test.")
@click.option("--field-selector", default="", help="Field selector, for example status.phase=Running.")
@click.option("-A", "--all-namespaces", is_flag=True, help="In all namespaces.")
@click.option("--at", type=Moment(), help="As it was at a version, at a time (RFC 3339), or so long ago (10m, 2h).")
@click.option("--chunk-size", type=click.IntRange(0), default=500, help="Objects a request; 0: all at once.")
@click.option("--show-managed-fields", is_flag=True, help="Also show who owns which field.")
@click.option("--sort-by", default="", help="Order by a path, for example .metadata.creationTimestamp.")
@click.option("-L", "--label-columns", multiple=True, help="Labels to show as columns.")
@click.option("--show-labels", is_flag=True, help="Show all labels in the last column.")
@click.option("--no-headers", is_flag=True, help="Without the line of headings.")
@click.option("--ignore-not-found", is_flag=True, help="What is not there is no error.")
@namespace_option
@pass_session
def get(  # noqa: PLR0913 - one parameter an option
    session: Session,
    *,
    what: tuple[str, ...],
    output: Output,
    watch: bool,
    selector: str,
    field_selector: str,
    all_namespaces: bool,
    at: Query | None,
    chunk_size: int,
    show_managed_fields: bool,
    sort_by: str,
    label_columns: tuple[str, ...],
    show_labels: bool,
    no_headers: bool,
    ignore_not_found: bool,
    namespace: str,
) -> None:
    """Show objects.

    \b
      plumctl get tasks
      plumctl get assignments -w -l plum.dev/task=hello
      plumctl get tasks,nodes -A -o wide
      plumctl get task/hello -o yaml
      plumctl get task/hello -o yaml --at 10m
      plumctl get assignments --sort-by=.status.restarts -L plum.dev/entry
      plumctl get assignments -o jsonpath='{.items[*].status.ip}'
    """
    targets = parse_targets(what)
    query = {k: v for k, v in (("labelSelector", selector), ("fieldSelector", field_selector)) if v}
    _check(targets, query, watch=watch, at=at, everywhere=all_namespaces, sort_by=sort_by)
    view = View(
        output,
        namespace,
        all_namespaces,
        at or query,
        chunk_size,
        several=len({target.kind for target in targets}) > 1,
        managed_fields=show_managed_fields,
        headers=not no_headers,
        label_columns=tuple(label for labels in label_columns for label in labels.split(",") if label),
        show_labels=show_labels,
        sort_by=sort_by,
    )
    try:
        _ = view.finder  # before anything is asked
        session.run(
            lambda client: (
                follow(client, targets[0], view) if watch else _show(client, targets, view, missing=ignore_not_found)
            )
        )
    except BadPath as error:
        raise Failure(str(error)) from error


def _check(
    targets: Sequence[Named], query: Query, *, watch: bool, at: Query | None, everywhere: bool, sort_by: str
) -> None:
    """Raise click.UsageError for options that do not go together."""
    if watch and len(targets) > 1:
        raise click.UsageError("--watch takes one kind or one object")
    if watch and sort_by:
        raise click.UsageError("--watch shows changes as they come; drop --sort-by")
    if any(target.name for target in targets) and (query or everywhere):
        raise click.UsageError("give names, or --selector, --field-selector and --all-namespaces, not both")
    if at and (watch or len(targets) > 1 or not targets[0].name):
        raise click.UsageError("--at takes one object, and no --watch")


async def _show(client: RestClient, targets: list[Named], view: View, *, missing: bool) -> None:
    bodies: list[tuple[Named, list[Body]]] = []
    for target in targets:
        try:
            bodies.append((target, await fetch(client, target, view)))
        except NotFound:
            if not (missing and target.name):
                raise
    if view.accept == TABLE:
        _show_tables(client, targets, bodies, view, missing=missing)
        return
    single = len(targets) == 1 and targets[0].name
    items = _sorted(
        [view.trimmed(item) for target, pages in bodies for page in pages for item in _items(target, page)], view
    )
    if items or not single:
        body: Any = items[0] if single else {"apiVersion": "v1", "kind": "List", "items": items}
        view.output.show(body, headers=view.headers)


def _show_tables(
    client: RestClient, targets: list[Named], bodies: list[tuple[Named, list[Body]]], view: View, *, missing: bool
) -> None:
    shown = [_table(target, pages, view) for target, pages in bodies]
    filled = [lines for lines in shown if lines]
    if not filled and not (missing and targets[0].name):
        where = "" if view.everywhere else f" in {view.namespace or client.config.namespace} namespace"
        talk(f"No resources found{where if targets[0].kind.namespaced else ''}.")
    for index, lines in enumerate(filled):
        show(([""] if index else []) + lines)


def _table(target: Named, pages: list[Body], view: View) -> list[str]:
    rows = [row for page in pages for row in page.get("rows") or []]
    if view.sort_by:
        by_name = {id(row["object"]): row for row in rows}
        rows = [by_name[id(item)] for item in _sorted([row["object"] for row in rows], view)]
    return view.printer(namespaced=target.kind.namespaced).lines(dict(pages[0], rows=rows), target.kind.singular)


def _sorted(items: list[Body], view: View) -> list[Body]:
    """In the wanted order. Raises BadPath."""
    finder = view.finder
    return in_order(items, finder, view.sort_by) if finder else items


def _items(target: Named, page: Body) -> list[Body]:
    if target.name:
        return [page]
    items: list[Body] = page["items"]
    return items
