"""``plumctl create`` and ``plumctl replace``: objects of files that must not be there yet, or must be."""

import click

from apiserver.api.errors import ApiError, Conflict
from apiserver.api.meta import Body
from apiserver.client.rest import RestClient
from plumctl.apply import load
from plumctl.cli import Failure, Session, explain_error, namespace_option, pass_session
from plumctl.flags import SUFFIX, Command, DryRun, dry_run_option, manager_option, write_query
from plumctl.manifests import Manifest
from plumctl.output import Output, OutputType
from plumctl.raw import place, read, send

TRIES = 5

_files = click.option(
    "-f", "--filename", "paths", multiple=True, required=True, help="A file, a folder, or - for standard input."
)
_recursive = click.option("-R", "--recursive", is_flag=True, expose_value=False, hidden=True)
_output = click.option("-o", "--output", type=OutputType(), default="", help="name, json, yaml, jsonpath=…")


@click.command(cls=Command)
@_files
@_recursive
@_output
@dry_run_option
@manager_option
@namespace_option
@pass_session
def create(
    session: Session, paths: tuple[str, ...], output: Output, dry_run: DryRun, manager: str, namespace: str
) -> None:
    """Create the objects of files, none of which may be there.

    \b
      plumctl create -f task.yaml
    """
    _each(session, load(session, paths, namespace), "created", output, dry_run, manager)


@click.command(cls=Command)
@_files
@_recursive
@_output
@dry_run_option
@manager_option
@namespace_option
@pass_session
def replace(
    session: Session, paths: tuple[str, ...], output: Output, dry_run: DryRun, manager: str, namespace: str
) -> None:
    """Replace objects as a whole by those of files; with metadata.resourceVersion only if they still have it.

    \b
      plumctl get task/hello -o yaml > task.yaml
      plumctl replace -f task.yaml
    """
    _each(session, load(session, paths, namespace), "replaced", output, dry_run, manager)


def _each(
    session: Session, manifests: list[Manifest], done: str, output: Output, dry_run: DryRun, manager: str
) -> None:
    """One after the other; what goes wrong with one is told when the others are done. Raises Failure."""
    query = write_query(manager, dry_run) | {"fieldValidation": "Strict"}

    async def work(client: RestClient) -> None:
        errors = []
        for manifest in manifests:
            try:
                body = manifest.body
                if dry_run != "client":
                    body = await (_create if done == "created" else _replace)(client, manifest, query)
            except ApiError as error:
                errors.append(f"{manifest.where}: {explain_error(error).message}")
                continue
            if output.form:
                output.show(body)
            else:
                click.echo(f"{manifest} {done}{SUFFIX[dry_run]}")
        if errors:
            raise Failure("\n".join(errors))

    session.run(work)


async def _create(client: RestClient, manifest: Manifest, query: dict[str, str]) -> Body:
    path = place(client, manifest.kind, manifest.namespace)
    found: Body = (await send(client, "POST", path, query=query, body=manifest.body)).json()
    return found


async def _replace(client: RestClient, manifest: Manifest, query: dict[str, str]) -> Body:
    """The object as it is now. Raises ApiError: Conflict for a manifest whose version is not the present one."""
    path = place(client, manifest.kind, manifest.namespace, manifest.name)
    for tries in range(TRIES):
        live = await read(client, path)
        version = manifest.body["metadata"].get("resourceVersion") or live["metadata"]["resourceVersion"]
        body = dict(manifest.body, metadata=manifest.body["metadata"] | {"resourceVersion": version})
        try:
            found: Body = (await send(client, "PUT", path, query=query, body=body)).json()
        except Conflict:
            if tries == TRIES - 1 or manifest.body["metadata"].get("resourceVersion"):
                raise
        else:
            return found
    raise AssertionError("the last try has raised")
