"""``plumctl describe``: one object for people, with its conditions and events."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from apiserver.api.columns import since
from apiserver.api.discovery import given_name
from apiserver.api.kinds.assignment import TASK_LABEL
from apiserver.api.kinds.service import Service
from apiserver.api.meta import Body
from apiserver.api.schema import Schema
from apiserver.api.scheme import SCHEME
from apiserver.api.selectors import escaped
from apiserver.client.rest import RestClient
from plumctl.cli import Session, namespace_option, pass_session
from plumctl.printers import TablePrinter, cell, columns, show
from plumctl.raw import TABLE, place, read
from plumctl.targets import Named, parse_targets

MAX_EVENTS = 50
UNKNOWN = Schema("any")


@click.command()
@click.argument("what", nargs=-1, required=True)
@namespace_option
@pass_session
def describe(session: Session, what: tuple[str, ...], namespace: str) -> None:
    """Show an object in detail, and what happened to it.

    \b
      plumctl describe task hello
      plumctl describe assignment/hello-main-abcdefgh
      plumctl describe service orders
    """
    targets = parse_targets(what, names_required=True)

    async def work(client: RestClient) -> None:
        for index, target in enumerate(targets):
            if index:
                click.echo()
            await _describe(client, target, namespace)

    session.run(work)


async def _describe(client: RestClient, target: Named, namespace: str) -> None:
    body = await read(client, place(client, target.kind, namespace, target.name))
    now = datetime.now(UTC)
    show(_head(body, now))
    for section in ("spec", "status"):
        if inner := {key: value for key, value in (body.get(section) or {}).items() if key != "conditions"}:
            schema = target.kind.schema.fields.get(section, UNKNOWN)
            show([f"{section.capitalize()}:", *_lines(inner, schema, 1)])
    show(_conditions(body, now))
    if target.kind.name == "Task":
        await _related(client, "assignments", {"labelSelector": f"{TASK_LABEL}={target.name}"}, namespace)
    if target.kind.name == "Service":
        query = {"fieldSelector": f"spec.service={escaped(given_name(Service.from_body(body)))}"}
        await _related(client, "endpoints", query, namespace)
    await _events(client, body, target, namespace, now)


def _head(body: Body, now: datetime) -> list[str]:
    metadata = body["metadata"]
    rows = [["Name:", metadata["name"]]]
    if metadata.get("namespace"):
        rows.append(["Namespace:", metadata["namespace"]])
    rows.append(["Kind:", f"{body['kind']} ({body['apiVersion']})"])
    for title in ("labels", "annotations"):
        pairs = [f"{key}={value}" for key, value in (metadata.get(title) or {}).items()]
        rows += [
            [f"{title.capitalize()}:" if index == 0 else "", pair] for index, pair in enumerate(pairs or ["<none>"])
        ]
    rows.append(["Created:", f"{metadata['creationTimestamp']} ({since('metadata.creationTimestamp', body, now)} ago)"])
    if metadata.get("deletionTimestamp"):
        held = ", ".join(metadata.get("finalizers", ()))
        rows.append(["Deleting:", f"since {metadata['deletionTimestamp']}, waits for {held}"])
    for owner in metadata.get("ownerReferences", ()):
        rows.append(["Owner:", f"{owner['kind']}/{owner['name']}"])
    return columns([[cell(text) for text in row] for row in rows])


def _lines(value: Any, schema: Schema, depth: int) -> Iterator[str]:
    """A body as indented lines, keys in words but for those that users chose."""
    pad = "  " * depth
    if isinstance(value, dict):
        for key, inner in value.items():
            title = key if schema.type == "map" else _words(key)
            if isinstance(inner, dict | list) and inner:
                yield f"{pad}{title}:"
                yield from _lines(inner, schema.fields.get(key) or schema.items or UNKNOWN, depth + 1)
            else:
                yield f"{pad}{title}: {cell('' if inner in ({}, []) else inner)}".rstrip()
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list):
                nested = list(_lines(inner, schema.items or UNKNOWN, depth + 1))
                yield from [f"{pad}- {nested[0].lstrip()}", *nested[1:]] if nested else []
            else:
                yield f"{pad}- {cell(inner)}"


def _words(key: str) -> str:
    """``startCmd`` as ``Start Cmd``; names of a user's own keys stay as they are."""
    if not key.isidentifier() or key.isupper():
        return key
    spaced = "".join(f" {char}" if char.isupper() else char for char in key)
    return spaced[:1].upper() + spaced[1:]


def _conditions(body: Body, now: datetime) -> list[str]:
    found = (body.get("status") or {}).get("conditions") or []
    rows = [["  TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"]]
    for condition in found:
        age = since("lastTransitionTime", condition, now) or ""
        rows.append(
            [
                f"  {condition['type']}",
                condition["status"],
                age,
                condition.get("reason", ""),
                condition.get("message", ""),
            ]
        )
    return ["Conditions:", *columns([[cell(text) for text in row] for row in rows])] if found else []


async def _related(client: RestClient, plural: str, query: dict[str, str], namespace: str) -> None:
    path = place(client, SCHEME.named(plural), namespace)
    lines = TablePrinter().lines(await read(client, path, query=query | {"limit": "500"}, accept=TABLE))
    show([f"{plural.capitalize()}:", *(f"  {line}" for line in lines or ["<none>"])])


async def _events(client: RestClient, body: Body, target: Named, namespace: str, now: datetime) -> None:
    query = {"fieldSelector": f"involvedObject.uid={body['metadata']['uid']}", "limit": "500"}
    where = body["metadata"].get("namespace") or "default"
    found = (await read(client, place(client, SCHEME.named("events"), where), query=query))["items"]
    found.sort(key=lambda event: str(event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]))
    rows = [["  LAST SEEN", "TYPE", "REASON", "COUNT", "FROM", "MESSAGE"]]
    for event in found[-MAX_EVENTS:]:
        age = since("lastTimestamp", event, now) or since("metadata.creationTimestamp", event, now) or ""
        source = event.get("reportingComponent") or (event.get("source") or {}).get("component", "")
        count = str(event.get("count") or 1)
        rows.append(
            [f"  {age}", event.get("type", ""), event.get("reason", ""), count, source, event.get("message", "")]
        )
    show(["Events:", *(columns([[cell(text) for text in row] for row in rows]) if found else ["  <none>"])])
