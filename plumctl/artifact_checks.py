"""Whether the server has what tasks are to run, before anything is applied."""

from collections.abc import Sequence

from apiserver.api.errors import NotFound
from apiserver.api.kinds.app import App
from apiserver.api.kinds.namespace import DEFAULT
from apiserver.client.rest import RestClient
from plumctl.cli import Failure
from plumctl.manifests import Manifest
from plumctl.raw import send


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
