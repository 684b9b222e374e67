"""``plumctl apply``: server-side apply of files, all checked before the first is sent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from apiserver.api.errors import ApiError, Conflict, NotFound, ServiceUnavailable
from apiserver.api.meta import Body
from apiserver.client.rest import APPLY, RestClient
from plumctl.artifact_checks import check_artifacts
from plumctl.cli import Failure, Session, explain_error, namespace_option, pass_session
from plumctl.flags import SUFFIX, Command, DryRun, dry_run_option, manager_option, write_query
from plumctl.manifests import BadManifests, Manifest, read_manifests, selected
from plumctl.output import Output, OutputType
from plumctl.prune import Pruning, prune, read_allowlist
from plumctl.raw import place, read, send


@dataclass(frozen=True)
class Applying:
    """How manifests are applied."""

    manager: str
    force: bool = False
    dry_run: DryRun = "none"
    is_told_as_kubectl: bool = False
    """Whether ``--server-side`` was given, which is what happens anyway."""


@click.command(cls=Command)
@click.option(
    "-f", "--filename", "paths", multiple=True, required=True, help="A file, a folder, or - for standard input."
)
@click.option("-R", "--recursive", is_flag=True, default=True, hidden=True, help="Folders are always read whole.")
@click.option("-l", "--selector", default="", help="Only the objects that a label selector finds.")
@click.option("--server-side", is_flag=True, help="What is done anyway; tells it in kubectl's word.")
@click.option("--force-conflicts", is_flag=True, help="Take over fields that other managers own.")
@click.option(
    "--prune", "pruned", is_flag=True, help="Delete what was applied before and is in no file: with -l or --all."
)
@click.option("--all", "everything", is_flag=True, help="Prune without a selector.")
@click.option("--prune-allowlist", "allowlist", multiple=True, help="Kinds to prune, GROUP/VERSION/KIND.")
@click.option("-o", "--output", type=OutputType(), default="", help="name, json, yaml, jsonpath=…")
@dry_run_option
@manager_option
@namespace_option
@pass_session
def apply(  # noqa: PLR0913 - one parameter an option
    session: Session,
    *,
    paths: tuple[str, ...],
    recursive: bool,
    selector: str,
    server_side: bool,
    force_conflicts: bool,
    pruned: bool,
    everything: bool,
    allowlist: tuple[str, ...],
    output: Output,
    dry_run: DryRun,
    manager: str,
    namespace: str,
) -> None:
    """Make the objects of files true.

    \b
      plumctl apply -f manifests/hello
      plumctl apply -f task.yaml --dry-run
      plumctl apply -f manifests/shop --prune -l shop=yes
    """
    pruning = _pruning(pruned, selector, allowlist, everything=everything)
    manifests = load(session, paths, namespace)
    chosen = matching(manifests, selector)
    how = Applying(manager, force_conflicts, dry_run, server_side)

    async def work(client: RestClient) -> None:
        bodies = await _apply_all(client, chosen, how, output)
        if pruning:
            await prune(client, manifests, pruning, manager=manager, dry_run=dry_run, quiet=bool(output.form))
        if output.form:
            output.show(bodies[0] if len(bodies) == 1 else {"apiVersion": "v1", "kind": "List", "items": bodies})

    session.run(work)


def _pruning(pruned: bool, selector: str, allowlist: Sequence[str], *, everything: bool) -> Pruning | None:
    """What is pruned. Raises Failure."""
    if not pruned:
        return None
    if not selector and not everything:
        raise Failure(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the "
            "--all flag. If you did not mean to prune all resources, specify a label selector"
        )
    return Pruning(selector, read_allowlist(allowlist))


def load(session: Session, paths: Sequence[str], namespace: str) -> list[Manifest]:
    """The objects of the files. Raises Failure with a line an error."""
    try:
        manifests = read_manifests(paths, namespace=namespace or session.config().namespace)
    except BadManifests as error:
        raise Failure(str(error)) from error
    elsewhere = [
        f"{found.where}: metadata.namespace: is {found.namespace!r}, but --namespace says {namespace!r}; drop one"
        for found in manifests
        if namespace and found.kind.namespaced and found.namespace != namespace
    ]
    if elsewhere:
        raise Failure("\n".join(elsewhere))
    return manifests


def matching(manifests: list[Manifest], selector: str) -> list[Manifest]:
    """Those that a label selector finds, all without one. Raises Failure."""
    try:
        return selected(manifests, selector) if selector else manifests
    except BadManifests as error:
        raise Failure(str(error)) from error


async def _apply_all(client: RestClient, manifests: Sequence[Manifest], how: Applying, output: Output) -> list[Body]:
    """Apply them, and say so; the objects as they are then. Raises Failure, ApiError."""
    if how.dry_run != "client":
        await check_artifacts(client, manifests)
        await _rehearse(client, manifests, how)
    bodies = []
    for manifest in manifests:
        before = await present(client, manifest)
        after = manifest.body if how.dry_run == "client" else await send_apply(client, manifest, how)
        bodies.append(after)
        if not output.form:
            word = "serverside-applied" if how.is_told_as_kubectl else _outcome(before, after, how.dry_run)
            click.echo(f"{manifest} {word}{SUFFIX[how.dry_run]}")
    return bodies


async def _rehearse(client: RestClient, manifests: Sequence[Manifest], how: Applying) -> None:
    """Let the server check everything and store nothing. Raises Failure with a line for each it would refuse."""
    coming = coming_namespaces(manifests)
    errors: list[str] = []
    for manifest in manifests:
        try:
            await send_apply(client, manifest, replace(how, dry_run="server"))
        except ServiceUnavailable:
            raise
        except NotFound as error:
            # Its namespace is among the manifests and will be there when its turn comes.
            if error.details.kind != "namespaces" or manifest.namespace not in coming:
                errors.append(f"{manifest.where}: {error.message}")
        except ApiError as error:
            errors.append(f"{manifest.where}: {explain_error(error).message}")
    if errors:
        raise Failure("\n".join(errors))


def coming_namespaces(manifests: Sequence[Manifest]) -> set[str]:
    """The namespaces that are among the manifests."""
    return {manifest.name for manifest in manifests if manifest.kind.name == "Namespace"}


async def present(client: RestClient, manifest: Manifest) -> Body | None:
    """The object as it is, if there is one. Raises ApiError."""
    try:
        return await read(client, place(client, manifest.kind, manifest.namespace, manifest.name))
    except NotFound:
        return None


async def send_apply(client: RestClient, manifest: Manifest, how: Applying) -> Body:
    """The object as it is, or would be, once applied. Raises ApiError."""
    path = place(client, manifest.kind, manifest.namespace, manifest.name)
    query = write_query(how.manager, how.dry_run) | {"fieldValidation": "Strict"}
    query |= {"force": "true"} if how.force else {}
    try:
        response = await send(client, "PATCH", path, query=query, body=manifest.body, media_type=APPLY)
    except Conflict as error:
        if not _is_with_ourselves(error, how.manager):
            raise
        response = await send(
            client, "PATCH", path, query=query | {"force": "true"}, body=manifest.body, media_type=APPLY
        )
    body: Body = response.json()
    return body


def _outcome(before: Body | None, after: Body, dry_run: DryRun) -> str:
    if before is None:
        return "created"
    if dry_run == "client":
        return "configured"
    same = {key: value for key, value in after.items() if key != "metadata"} == {
        key: value for key, value in before.items() if key != "metadata"
    }
    unchanged = same and _identity(after["metadata"]) == _identity(before["metadata"])
    return "unchanged" if unchanged else "configured"


def _is_with_ourselves(error: Conflict, manager: str) -> bool:
    """Whether only plumctl's own commands (start, stop, restart) set the fields: the latest command wins."""
    ours = f'conflict with "{manager}" using '
    return bool(error.details.causes) and all(cause.message.startswith(ours) for cause in error.details.causes)


def _identity(metadata: Body) -> Body:
    return {key: value for key, value in metadata.items() if key not in ("managedFields", "resourceVersion")}
