"""``plumctl apply``: server-side apply of files, all checked before the first is sent."""

from collections.abc import Sequence

import click

from apiserver.api.errors import ApiError, Conflict, NotFound, ServiceUnavailable
from apiserver.api.kinds.app import App
from apiserver.api.kinds.namespace import DEFAULT
from apiserver.api.meta import Body
from apiserver.client.rest import APPLY, RestClient
from plumctl.cli import MANAGER, Failure, Session, explain_error, namespace_option, pass_session
from plumctl.manifests import BadManifests, Manifest, read_manifests
from plumctl.raw import place, read, send


@click.command()
@click.option(
    "-f", "--filename", "paths", multiple=True, required=True, help="A file, a folder, or - for standard input."
)
@click.option("-R", "--recursive", is_flag=True, default=True, hidden=True, help="Folders are always read whole.")
@click.option("--dry-run", is_flag=True, help="Let the server check everything and store nothing.")
@click.option("--force-conflicts", is_flag=True, help="Take over fields that other managers own.")
@namespace_option
@pass_session
def apply(
    session: Session, paths: tuple[str, ...], recursive: bool, dry_run: bool, force_conflicts: bool, namespace: str
) -> None:
    """Make the objects of files true.

    \b
      plumctl apply -f manifests/hello
      plumctl apply -f task.yaml --dry-run
    """
    manifests = load(session, paths, namespace)

    async def work(client: RestClient) -> None:
        await check_artifacts(client, manifests)
        await _rehearse(client, manifests, force=force_conflicts)
        for manifest in manifests:
            outcome = await _apply(client, manifest, dry_run=dry_run, force=force_conflicts)
            click.echo(f"{manifest} {outcome}{' (dry run)' if dry_run else ''}")

    session.run(work)


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


async def _rehearse(client: RestClient, manifests: Sequence[Manifest], *, force: bool) -> None:
    """Let the server check everything and store nothing. Raises Failure with a line for each it would refuse."""
    coming = {manifest.name for manifest in manifests if manifest.kind.name == "Namespace"}
    errors: list[str] = []
    for manifest in manifests:
        try:
            await _apply(client, manifest, dry_run=True, force=force)
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


async def _apply(client: RestClient, manifest: Manifest, *, dry_run: bool, force: bool) -> str:
    path = place(client, manifest.kind, manifest.namespace, manifest.name)
    try:
        before: Body | None = await read(client, path)
    except NotFound:
        before = None
    query = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
    query |= {"dryRun": "All"} if dry_run else {}
    query |= {"force": "true"} if force else {}
    try:
        response = await send(client, "PATCH", path, query=query, body=manifest.body, media_type=APPLY)
    except Conflict as error:
        if not _is_with_ourselves(error):
            raise
        response = await send(
            client, "PATCH", path, query=query | {"force": "true"}, body=manifest.body, media_type=APPLY
        )
    if before is None:
        return "created"
    after: Body = response.json()
    same = {key: value for key, value in after.items() if key != "metadata"} == {
        key: value for key, value in before.items() if key != "metadata"
    }
    unchanged = same and _identity(after["metadata"]) == _identity(before["metadata"])
    return "unchanged" if unchanged else "configured"


def _is_with_ourselves(error: Conflict) -> bool:
    """Whether only plumctl's own commands (start, stop, restart) set the fields: the latest command wins."""
    ours = f'conflict with "{MANAGER}" using '
    return bool(error.details.causes) and all(cause.message.startswith(ours) for cause in error.details.causes)


def _identity(metadata: Body) -> Body:
    return {key: value for key, value in metadata.items() if key not in ("managedFields", "resourceVersion")}


async def check_artifacts(client: RestClient, manifests: Sequence[Manifest]) -> None:
    """See that the server has what the tasks run. Raises Failure with a line for each that it has not."""
    pushed: dict[str, set[tuple[str, str]]] = {}
    errors: list[str] = []
    for manifest in manifests:
        if manifest.kind.name == "App":
            spec = manifest.body["spec"]
            pushed.setdefault(manifest.namespace, await _apps(client, manifest.namespace)).add(
                (spec["name"], spec["version"])
            )
    for manifest in manifests:
        for index, entry in enumerate(manifest.body["spec"]["entries"] if manifest.kind.name == "Task" else ()):
            where = f"{manifest.where}: spec.entries[{index}]"
            if app := entry.get("app"):
                if manifest.namespace not in pushed:
                    pushed[manifest.namespace] = await _apps(client, manifest.namespace)
                if (app["name"], app["version"]) not in pushed[manifest.namespace]:
                    there = "" if manifest.namespace == DEFAULT else f" in the namespace {manifest.namespace}"
                    option = there and f" -n {manifest.namespace}"
                    errors.append(
                        f"{where}.app: the server has no app {app['name']} {app['version']}{there}; "
                        f"upload it first: plumctl app push DIR{option}"
                    )
            elif entry["artifactUrl"].startswith("/") and not await _exists(client, entry["artifactUrl"]):
                errors.append(
                    f"{where}.artifactUrl: the server has no {entry['artifactUrl']}; "
                    "upload it first: plumctl app push DIR"
                )
    if errors:
        raise Failure("\n".join(errors))


async def _apps(client: RestClient, namespace: str) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    token = ""
    while True:
        page = await client.list(App, namespace=namespace, limit=500, continue_token=token)
        found |= {(app.spec.name, app.spec.version) for app in page.items}
        token = page.continue_token
        if not token:
            return found


async def _exists(client: RestClient, path: str) -> bool:
    try:
        await send(client, "HEAD", path)
    except NotFound:
        return False
    return True
