"""``plumctl patch``: a merge patch or a JSON patch, as JSON or YAML."""

from pathlib import Path

import click

from apiserver.api.errors import ApiError
from apiserver.api.machinery.documents import MAX_BYTES, read_json_value
from apiserver.api.machinery.patches import json_patch, merge_patch
from apiserver.api.machinery.yaml_documents import read_yaml
from apiserver.api.meta import Body
from apiserver.client.rest import JSON_PATCH, MERGE, RestClient
from plumctl.cli import Failure, Session, pass_session
from plumctl.flags import SUFFIX, Command, DryRun, dry_run_option, manager_option, write_query
from plumctl.output import Output, OutputType
from plumctl.raw import read, send
from plumctl.selection import Chosen, Selection, selection_options

_MEDIA = {"merge": MERGE, "json": JSON_PATCH}
_STRATEGIC = (
    "strategic merge patches know only Kubernetes' own kinds; use --type=merge, which replaces lists, or --type=json, "
    "which names the item to change"
)


@click.command(cls=Command)
@click.argument("what", nargs=-1)
@click.option("--type", "kind", default="merge", show_default=True, help="merge or json.")
@click.option("-p", "--patch", "text", default="", help="The patch, JSON or YAML.")
@click.option("--patch-file", "file", default="", help="A file with the patch.")
@click.option("--subresource", type=click.Choice(["status", "scale"]), help="Change this instead of the object.")
@click.option("-o", "--output", type=OutputType(), default="", help="name, json, yaml, jsonpath=…")
@dry_run_option
@manager_option
@selection_options
@pass_session
def patch(
    session: Session,
    *,
    what: tuple[str, ...],
    kind: str,
    text: str,
    file: str,
    subresource: str | None,
    output: Output,
    dry_run: DryRun,
    manager: str,
    selection: Selection,
) -> None:
    """Change fields of objects.

    \b
      plumctl patch task/hello -p '{"spec": {"state": "Stopped"}}'
      plumctl patch task/hello --type json -p '[{"op": "replace", "path": "/spec/entries/0/replicas", "value": 3}]'
    """
    if kind not in ("merge", "json", "strategic"):
        raise Failure(f'--type must be one of [json merge strategic], not "{kind}"')
    if kind == "strategic":
        raise Failure(f"--type=strategic: {_STRATEGIC}")
    change = read_patch(text, file)
    query = write_query(manager, dry_run) | {"fieldValidation": "Strict"}

    async def work(client: RestClient) -> None:
        async def one(chosen: Chosen) -> None:
            path = chosen.path(client) + (f"/{subresource}" if subresource else "")
            before = await read(client, path)
            if dry_run == "client":
                after = merge_patch(before, change) if kind == "merge" else json_patch(before, change)
            else:
                after = (await send(client, "PATCH", path, query=query, body=change, media_type=_MEDIA[kind])).json()
            _tell(chosen, before, after, output, dry_run)

        await selection.checked(session, what).each(client, one)

    session.run(work)


def _tell(chosen: Chosen, before: Body, after: Body, output: Output, dry_run: DryRun) -> None:
    if output.form:
        output.show(after)
        return
    click.echo(f"{chosen} patched{' (no change)' if before == after else ''}{SUFFIX[dry_run]}")


def read_patch(text: str, file: str) -> object:
    """The patch of the command line, or of a file. Raises Failure."""
    if bool(text) == bool(file):
        raise Failure(
            "cannot specify --patch and --patch-file together"
            if text
            else "must specify --patch or --patch-file containing the contents of the patch"
        )
    raw = text.encode("utf-8", "surrogateescape") if text else _of_file(file)
    try:
        return read_json_value(raw) if raw.lstrip()[:1] in (b"[", b"{") else _of_yaml(raw)
    except ApiError as error:
        raise Failure(f"unable to parse the patch: {error.message}") from error


def _of_yaml(raw: bytes) -> object:
    """A patch as YAML; one that is a list is wrapped, since documents are mappings."""
    indented = b"\n".join(b"  " + line for line in raw.splitlines())
    [document] = read_yaml(b"patch:\n" + indented)
    return document.body["patch"]


def _of_file(file: str) -> bytes:
    try:
        with Path(file).open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise Failure(f"unable to read patch file: {file}: {error.strerror}") from error
    return raw
