"""What there is: plain discovery, one document a group, and aggregated, all in one (kubectl 1.27 and later)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from apiserver.api.kinds.scale import SCALES
from apiserver.api.machinery.scale import SCALE
from apiserver.api.scheme import SCHEME, Served
from apiserver.api.views.registry import VIEWS
from apiserver.server.http.requests import READ_ONLY, negotiate, no_resource, subresources

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
STATUS_VERBS = ["get", "patch", "update"]
LISTS = {
    "history": {"group": "plum.dev", "version": "v1", "kind": "HistoryList"},
    "revisions": {"group": "plum.dev", "version": "v1", "kind": "RevisionList"},
}
"""What the read-only subresources answer with, whatever group the object is of."""


def by_group() -> dict[tuple[str, str], list[Served]]:
    """The kinds and views by group and version; ours first, and kinds before views, so that short names prefer
    them."""
    found: dict[tuple[str, str], list[Served]] = defaultdict(list)
    stored = sorted(SCHEME, key=lambda kind: (kind.group != "plum.dev", kind.group, kind.plural))
    for served in (*stored, *sorted(VIEWS, key=lambda view: (view.group, view.plural))):
        found[served.group, served.version].append(served)
    return found


def _extras(kind: Served) -> dict[str, Any]:
    """What both forms of discovery say the same way, and leave out where there is none."""
    found = {"shortNames": list(kind.short_names), "categories": list(kind.categories)}
    return {key: value for key, value in found.items() if value}


def below(kind: Served) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """The subresources: their names, verbs, and what they answer with."""
    own = {found.name: found for found in kind.subresources}
    for name in subresources(kind):
        if name in READ_ONLY:
            yield name, ["get"], LISTS[name]
        elif name in own:
            answer = {"group": kind.group, "version": kind.version, "kind": own[name].answer}
            yield name, list(own[name].verbs), answer
        elif name == SCALE:
            yield name, STATUS_VERBS, {"group": SCALES.group, "version": SCALES.version, "kind": SCALES.name}
        else:
            yield name, STATUS_VERBS, {"group": kind.group, "version": kind.version, "kind": kind.name}


def _resource_list(group_version: str, kinds: list[Served]) -> dict[str, Any]:
    resources: list[dict[str, Any]] = []
    for kind in kinds:
        entry: dict[str, Any] = {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.name,
            "verbs": list(kind.verbs),
        }
        resources.append(entry | _extras(kind))
        for name, verbs, answer in below(kind):
            served = {"name": f"{kind.plural}/{name}", "singularName": "", "verbs": verbs, "kind": answer["kind"]}
            elsewhere = answer["group"] != kind.group
            group_of = {"group": answer["group"], "version": answer["version"]} if elsewhere else {}
            resources.append(entry | served | group_of)
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _aggregated_resource(kind: Served) -> dict[str, Any]:
    response = {"group": kind.group, "version": kind.version, "kind": kind.name}
    entry: dict[str, Any] = {
        "resource": kind.plural,
        "responseKind": response,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    entry |= _extras(kind)
    entry["subresources"] = [
        {"subresource": name, "responseKind": answer, "verbs": verbs} for name, verbs, answer in below(kind)
    ]
    return entry


def _aggregated(*, core: bool) -> Response:
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {
                    "version": version,
                    "freshness": "Current",
                    "resources": [_aggregated_resource(kind) for kind in kinds],
                }
            ],
        }
        for (group, version), kinds in by_group().items()
        if (group == "") == core
    ]
    body = {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }
    # The clients dispatch on the exact content type: no charset may be added.
    response = JSONResponse(body)
    response.headers["content-type"] = AGGREGATED
    return response


def _group(group: str, version: str) -> dict[str, Any]:
    served = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [served], "preferredVersion": served}


async def core(request: Request) -> Response:
    """``GET /api``."""
    if negotiate(request).form == "discovery":
        return _aggregated(core=True)
    return JSONResponse({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})


async def groups(request: Request) -> Response:
    """``GET /apis``."""
    if negotiate(request).form == "discovery":
        return _aggregated(core=False)
    listed = [_group(group, version) for group, version in by_group() if group]
    return JSONResponse({"kind": "APIGroupList", "apiVersion": "v1", "groups": listed})


async def group(request: Request) -> Response:
    """``GET /apis/GROUP``."""
    for name, version in by_group():
        if name and name == request.path_params["group"]:
            return JSONResponse({"kind": "APIGroup", "apiVersion": "v1"} | _group(name, version))
    raise no_resource()


async def resources(request: Request) -> Response:
    """``GET /apis/GROUP/VERSION`` and ``GET /api/v1``."""
    name, version = request.path_params.get("group", ""), request.path_params["version"]
    kinds = by_group().get((name, version))
    if not kinds:
        raise no_resource()
    return JSONResponse(_resource_list(f"{name}/{version}" if name else version, kinds))
