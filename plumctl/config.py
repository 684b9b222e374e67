"""``plumctl config``: what the kubeconfig says, which kubectl reads too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from apiserver.client.config import ConfigError
from apiserver.client.kubeconfig_files import (
    Document,
    Documents,
    current_context,
    edit,
    existing,
    items,
    named,
    place,
    read,
)
from plumctl.cli import Failure, Session, pass_kubeconfig
from plumctl.flags import Command
from plumctl.output import Output, OutputType
from plumctl.printers import cell, columns, show

_DATA = ("certificate-authority-data", "client-certificate-data", "client-key-data")
_SECRET = ("token", "password", "auth-provider")


@click.group()
def config() -> None:
    """See and change the kubeconfig: --kubeconfig, the files of KUBECONFIG, or ~/.kube/config.

    \b
      plumctl config get-contexts
      plumctl config use-context plum
      plumctl config set-context --current --namespace shop
    """


@contextmanager
def explained() -> Iterator[None]:
    """Turn what is wrong with a file into one line."""
    try:
        yield
    except ConfigError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"kubeconfig {error.filename}: {error.strerror}") from error


def documents(session: Session) -> list[tuple[Path, Document]]:
    """The files there are, and what they hold; none where the one that is named is yet to be made. Raises Failure."""
    with explained():
        is_yet_to_be = not place(os.environ, session.kubeconfig).exists()
        return [] if is_yet_to_be else [(path, read(path)) for path in existing(os.environ, session.kubeconfig)]


def home_of(session: Session, found: Documents, what: Any, name: str) -> Path:
    """The file that has the cluster, user or context, or that takes it."""
    return next(
        (path for path, document in found if name in items(document, what)), place(os.environ, session.kubeconfig)
    )


@config.command(cls=Command)
@click.option("--raw", is_flag=True, help="With keys, certificates and tokens.")
@click.option("--minify", is_flag=True, help="Only what the current context needs.")
@click.option("-o", "--output", type=OutputType("yaml", "json"), default="yaml", help="yaml, json, jsonpath=…")
@pass_kubeconfig
def view(session: Session, raw: bool, minify: bool, output: Output) -> None:
    """Show the kubeconfig, its files merged, without secrets.

    \b
      plumctl config view
      plumctl config view --minify -o jsonpath='{.clusters[0].cluster.server}'
    """
    with explained():
        body = merged(documents(session), minify=minify)
    output.show(body if raw else _redacted(body))


def merged(found: Documents, *, minify: bool = False) -> Document:
    """What the files say together: what comes first wins. Raises ConfigError."""
    parts: dict[str, dict[str, Document]] = {"cluster": {}, "user": {}, "context": {}}
    for _, document in found:
        for what, there in parts.items():
            for name, value in items(document, what).items():  # type: ignore[arg-type]
                there.setdefault(name, value)
    current = current_context(found)
    if minify:
        if not current:
            raise ConfigError("current-context must exist in order to minify")
        _, context = named(found, "context", current)
        wanted = {"cluster": context.get("cluster"), "user": context.get("user"), "context": current}
        parts = {
            what: {name: value for name, value in there.items() if name == wanted[what]}
            for what, there in parts.items()
        }
    lists = {
        f"{what}s": [{what: value, "name": name} for name, value in sorted(there.items())]
        for what, there in parts.items()
    }
    return {
        "apiVersion": "v1",
        "clusters": lists["clusters"],
        "contexts": lists["contexts"],
        "current-context": current,
        "kind": "Config",
        "preferences": {},
        "users": lists["users"],
    }


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "DATA+OMITTED"
            if key in _DATA and inner
            else "REDACTED"
            if key in _SECRET and inner
            else _redacted(inner)
            for key, inner in value.items()
        }
    return [_redacted(item) for item in value] if isinstance(value, list) else value


@config.command("get-contexts", cls=Command)
@click.argument("names", nargs=-1)
@click.option("-o", "--output", type=click.Choice(["", "name"]), default="", help="name: only the names.")
@click.option("--no-headers", is_flag=True, help="Without the line of headings.")
@pass_kubeconfig
def get_contexts(session: Session, names: tuple[str, ...], output: str, no_headers: bool) -> None:
    """List the contexts.

    \b
      plumctl config get-contexts
    """
    with explained():
        body = merged(documents(session))
    contexts = {item["name"]: item["context"] for item in body["contexts"]}
    missing = [f"context {name} not found" for name in names if name not in contexts]
    wanted = [name for name in contexts if not names or name in names]
    if output == "name":
        show([cell(name) for name in wanted])
    else:
        rows = [[] if no_headers else ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]]
        for name in wanted:
            context, mark = contexts[name], "*" if name == body["current-context"] else ""
            rows.append([mark, name, *(str(context.get(key) or "") for key in ("cluster", "user", "namespace"))])
        show(columns([[cell(text) for text in row] for row in rows if row]))
    if missing:
        raise Failure("\n".join(missing))


@config.command("current-context", cls=Command)
@pass_kubeconfig
def show_current(session: Session) -> None:
    """Show the name of the current context.

    \b
      plumctl config current-context
    """
    current = current_context(documents(session))
    if not current:
        raise Failure("current-context is not set")
    click.echo(cell(current))


@config.command("use-context", cls=Command)
@click.argument("name")
@pass_kubeconfig
def use_context(session: Session, name: str) -> None:
    """Make another context the current one.

    \b
      plumctl config use-context plum
    """
    found = documents(session)
    if not any(name in items(document, "context") for _, document in found):
        raise Failure(f'no context exists with the name: "{name}"')
    # The first file that names a current context wins: it is the one to change.
    file = next((path for path, document in found if document.get("current-context")), None)
    with explained():
        edit(file or place(os.environ, session.kubeconfig), lambda document: document.update({"current-context": name}))
    click.echo(f'Switched to context "{name}".')


def _listing(what: str) -> click.Command:
    @click.command(f"get-{what}s", cls=Command, help=f"List the {what}s.\n\n\b\n  plumctl config get-{what}s")
    @pass_kubeconfig
    def listing(session: Session) -> None:
        with explained():
            body = merged(documents(session))
        show(["NAME", *(cell(item["name"]) for item in body[f"{what}s"])])

    return listing


config.add_command(_listing("cluster"))
config.add_command(_listing("user"))
