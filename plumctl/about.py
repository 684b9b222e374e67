"""``plumctl api-resources|explain|version|completion``: what there is to know without an object."""

from importlib.metadata import version as package_version
from textwrap import wrap

import click
import orjson
from click.shell_completion import get_completion_class

from apiserver.api.schema import Schema
from apiserver.api.scheme import SCHEME
from apiserver.client.rest import RestClient
from plumctl.cli import Failure, Session, cli, pass_session
from plumctl.printers import columns, show
from plumctl.raw import send
from plumctl.targets import kind_named


@click.command("api-resources")
def api_resources() -> None:
    """List the kinds of objects.

    \b
      plumctl api-resources
    """
    rows = [["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]]
    for kind in sorted(SCHEME, key=lambda kind: (kind.group, kind.plural)):
        namespaced = "true" if kind.namespaced else "false"
        rows.append([kind.plural, ",".join(kind.short_names), kind.api_version, namespaced, kind.name])
    show(columns(rows))


@click.command()
@click.argument("path")
def explain(path: str) -> None:
    """Describe a kind, or a field of it.

    \b
      plumctl explain task
      plumctl explain task.spec.entries.ports
    """
    name, *fields = path.split(".")
    kind = kind_named(name)
    place = kind.schema
    for index, field in enumerate(fields):
        inner = _fields(place).get(field)
        if inner is None:
            where = ".".join([kind.singular, *fields[:index]])
            raise Failure(f"{where} has no field {field!r}; it has {', '.join(_fields(place)) or 'no fields'}")
        place = inner
    lines = [f"KIND:     {kind.name}", f"VERSION:  {kind.api_version}", ""]
    if fields:
        lines += [f"FIELD:    {fields[-1]} <{_type(place)}>{_notes(place)}", ""]
    lines += ["DESCRIPTION:", *_wrapped(place.description, "  ")]
    if inner_fields := _fields(place):
        lines += ["", "FIELDS:"]
        for field, found in inner_fields.items():
            lines.append(f"  {field} <{_type(found)}>{_notes(found)}")
            lines += _wrapped(found.description, "      ") if field not in ("apiVersion", "kind") else []
    show(lines)


def _wrapped(text: str, indent: str) -> list[str]:
    """The paragraphs of a description as lines of a terminal."""
    lines = (line for paragraph in text.splitlines() for line in wrap(paragraph, 80 - len(indent)))
    return [f"{indent}{line}" for line in lines]


def _fields(place: Schema) -> dict[str, Schema]:
    found = place.items if place.type == "array" and place.items else place
    return dict(found.fields)


def _type(place: Schema) -> str:
    if place.type == "array" and place.items:
        return f"[]{_type(place.items)}"
    if place.type == "map" and place.items:
        return f"map[string]{_type(place.items)}"
    return {"object": "Object", "any": "any"}.get(place.type, place.format or place.type)


def _notes(place: Schema) -> str:
    notes = ["required"] if place.required else []
    if place.enum:
        notes.append(f"one of {', '.join(place.enum)}")
    if place.default not in (None, "", False):
        notes.append(f"default {place.default}")
    if place.keys:
        notes.append(f"merged by {', '.join(place.keys)}")
    return f" ({'; '.join(notes)})" if notes else ""


@click.command()
@click.option("--client", "client_only", is_flag=True, help="Only this program's version.")
@pass_session
def version(session: Session, client_only: bool) -> None:
    """Show the versions of this program and of the server.

    \b
      plumctl version
    """
    click.echo(f"Client: {package_version('plum')}")
    if client_only:
        return

    async def work(client: RestClient) -> str:
        response = await send(client, "GET", "/version")
        return str(orjson.loads(response.content)["gitVersion"])

    click.echo(f"Server: {session.run(work)}")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
      eval "$(plumctl completion bash)"
    """
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, "plumctl", "_PLUMCTL_COMPLETE").source())
