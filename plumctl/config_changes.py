"""``plumctl config set-…``, ``delete-…`` and ``rename-context``: changes of the kubeconfig."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from apiserver.client.config import checked_server
from apiserver.client.kubeconfig_files import Document, What, current_context, edit, items, put, remove
from plumctl.cli import Failure, Session, pass_kubeconfig, talk
from plumctl.config import documents, explained, home_of
from plumctl.flags import Command

MAX_FILE = 256 * 1024
"""Bytes of a certificate or key that is put into the kubeconfig."""


def _put(session: Session, what: What, name: str, fields: Mapping[str, Any]) -> bool:
    """Set fields; whether it was made. An empty text takes a field out, None leaves it alone. Raises Failure."""
    given = {key: value if value != "" else None for key, value in fields.items() if value is not None}
    with explained():
        return edit(home_of(session, documents(session), what, name), lambda found: put(found, what, name, given))


@click.command("set-context", cls=Command)
@click.argument("name", default="")
@click.option("--current", is_flag=True, help="The current context.")
@click.option("--cluster", help="Its cluster.")
@click.option("--user", help="Its user.")
@click.option("-n", "--namespace", help="Its namespace.")
@pass_kubeconfig
def set_context(
    session: Session, name: str, current: bool, cluster: str | None, user: str | None, namespace: str | None
) -> None:
    """Make or change a context.

    \b
      plumctl config set-context shop --cluster plum --user plum --namespace shop
      plumctl config set-context --current --namespace shop
    """
    if current == bool(name):
        raise Failure("you must specify a non-empty context name or --current")
    if current:
        name = current_context(documents(session))
        if not name:
            raise Failure("no current context is set")
    made = _put(session, "context", name, {"cluster": cluster, "user": user, "namespace": namespace})
    click.echo(f'Context "{name}" {"created" if made else "modified"}.')


@click.command("set-cluster", cls=Command)
@click.argument("name")
@click.option("--server", "address", help="Its address, http(s)://HOST:PORT.")
@click.option("--certificate-authority", "authority", help="A file with the certificates to trust.")
@click.option("--embed-certs", is_flag=True, help="Put the file's content into the kubeconfig.")
@pass_kubeconfig
def set_cluster(session: Session, name: str, address: str | None, authority: str | None, embed_certs: bool) -> None:
    """Make or change a cluster.

    \b
      plumctl config set-cluster plum --server https://plum.example:8080 --certificate-authority ca.crt
    """
    with explained():
        fields: dict[str, Any] = {"server": checked_server(address, "--server") if address else address}
    fields |= _file("certificate-authority", authority, embed=embed_certs)
    _put(session, "cluster", name, fields)
    click.echo(f'Cluster "{name}" set.')


@click.command("set-credentials", cls=Command)
@click.argument("name")
@click.option("--token", help="A bearer token.")
@click.option("--client-certificate", "certificate", help="A file with a certificate.")
@click.option("--client-key", "key", help="A file with its key.")
@click.option("--embed-certs", is_flag=True, help="Put the files' content into the kubeconfig.")
@pass_kubeconfig
def set_credentials(
    session: Session, name: str, token: str | None, certificate: str | None, key: str | None, embed_certs: bool
) -> None:
    """Make or change a user.

    \b
      plumctl config set-credentials ann --token "$TOKEN"
      plumctl config set-credentials ann --client-certificate ann.crt --client-key ann.key --embed-certs
    """
    fields = {"token": token, **_file("client-certificate", certificate, embed=embed_certs)}
    _put(session, "user", name, fields | _file("client-key", key, embed=embed_certs))
    click.echo(f'User "{name}" set.')


def _file(field: str, name: str | None, *, embed: bool) -> dict[str, str | None]:
    """The fields for a file: its absolute name, or its content. Raises Failure."""
    if not name:
        return {field: name}
    path = Path(name).expanduser().absolute()
    if not embed:
        return {field: str(path), f"{field}-data": ""}
    try:
        with path.open("rb") as opened:
            raw = opened.read(MAX_FILE + 1)
    except OSError as error:
        raise Failure(f"--{field} {path}: {error.strerror}") from error
    if len(raw) > MAX_FILE:
        raise Failure(f"--{field} {path}: has more than {MAX_FILE} bytes")
    return {f"{field}-data": base64.b64encode(raw).decode(), field: ""}


@click.command("rename-context", cls=Command)
@click.argument("before")
@click.argument("after")
@pass_kubeconfig
def rename_context(session: Session, before: str, after: str) -> None:
    """Give a context another name.

    \b
      plumctl config rename-context plum home
    """
    found = documents(session)
    if not any(before in items(document, "context") for _, document in found):
        raise Failure(f'cannot rename the context "{before}", it\'s not in {_names(found)}')
    if any(after in items(document, "context") for _, document in found):
        raise Failure(f'cannot rename the context "{before}", the context "{after}" already exists in {_names(found)}')

    def change(document: Document) -> None:
        for item in document["contexts"]:
            if item.get("name") == before:
                item["name"] = after

    with explained():
        edit(home_of(session, found, "context", before), change)
        for path, document in found:
            if document.get("current-context") == before:
                edit(path, lambda document: document.update({"current-context": after}))
    click.echo(f'Context "{before}" renamed to "{after}".')


def _names(found: Any) -> str:
    return ", ".join(str(path) for path, _ in found)


def _deletion(what: What) -> click.Command:
    @click.command(
        f"delete-{what}",
        cls=Command,
        help=f"Take a {what} out of the kubeconfig.\n\n\b\n  plumctl config delete-{what} old",
    )
    @click.argument("name")
    @pass_kubeconfig
    def deletion(session: Session, name: str) -> None:
        found = documents(session)
        file = home_of(session, found, what, name)
        with explained():
            if not any(name in items(document, what) for _, document in found):
                raise Failure(f"cannot delete {what} {name}, not in {file}")
            edit(file, lambda document: remove(document, what, name))
        if what == "context" and current_context(found) == name:
            talk("warning: this removed your active context, use plumctl config use-context to select a different one")
        click.echo(f"deleted {what} {name} from {file}")

    return deletion


COMMANDS = (
    set_context,
    set_cluster,
    set_credentials,
    rename_context,
    _deletion("context"),
    _deletion("cluster"),
    _deletion("user"),
)
