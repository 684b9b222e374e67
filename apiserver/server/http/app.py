"""The ASGI application: routes over the registry."""

import platform
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version as package_version
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from apiserver.api.errors import ApiError, MethodNotAllowed
from apiserver.api.views.pod_metrics import POD_METRICS
from apiserver.api.views.pods import PODS
from apiserver.api.views.reviews import ACCESS, RULES, WHO
from apiserver.server.backup import Backups
from apiserver.server.blobs import Blobs
from apiserver.server.channels import Channels
from apiserver.server.endpoint_leases import EndpointLeases
from apiserver.server.http import discovery
from apiserver.server.http.artifacts import Artifacts
from apiserver.server.http.auth import Authenticator
from apiserver.server.http.backup import BackupEndpoint, BackupMetrics
from apiserver.server.http.channel import ChannelEndpoint
from apiserver.server.http.cors import Cors, first_part, is_legacy
from apiserver.server.http.gate import Gate, error_response
from apiserver.server.http.logs import Logs
from apiserver.server.http.metrics import Metrics
from apiserver.server.http.openapi import OpenApi
from apiserver.server.http.requests import ApiRequest, no_resource
from apiserver.server.http.resources import Own, Resources
from apiserver.server.http.statuses import StatusEndpoint
from apiserver.server.http.ui import Ui
from apiserver.server.http.ui_files import BUILT, BuiltFiles
from apiserver.server.http.usage import UsageEndpoint
from apiserver.server.http.views.dispatch import Views
from apiserver.server.http.views.pod_log import PodLogs
from apiserver.server.http.views.pod_metrics import PodMetricsEndpoint
from apiserver.server.http.views.pods import PodEndpoint
from apiserver.server.http.views.reviews import Reviews
from apiserver.server.http.watch import Watching
from apiserver.server.registry import Registry
from apiserver.server.unused_blobs import UnusedBlobs
from apiserver.server.usage import UsageStore
from apiserver.server.v1.apps import Apps
from apiserver.server.v1.openapi import Swagger
from apiserver.server.v1.operations import operations
from apiserver.server.v1.parts import Parts as LegacyParts
from apiserver.server.v1.router import Router
from apiserver.server.v1.uploads import Uploads

ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
KUBERNETES = (1, 32, 4)
"""The Kubernetes API level we speak; kubectl warns when it differs from its own by more than one minor."""


@dataclass(frozen=True)
class Parts:
    """What the application is made of."""

    registry: Registry
    blobs: Blobs
    unused: UnusedBlobs
    usage: UsageStore
    backups: Backups
    authenticator: Authenticator | None
    is_local: bool
    """Whether only this machine can reach the server."""
    cors: Cors
    endpoint_leases: EndpointLeases
    heartbeat_ttl: int
    """Seconds that a heartbeat over ``/v1`` counts."""
    unready: Callable[[], str]
    """Why the server cannot do all of its work now; empty when it can."""
    clock: Callable[[], datetime]
    rng: random.Random
    channels: Channels = field(default_factory=Channels)
    ui_dir: Path = BUILT
    """Where the build of the web UI left its files."""


def build_app(parts: Parts) -> ASGIApp:
    """Wire routes, errors and the gate."""
    metrics = Metrics(parts.registry.store, parts.usage)
    watching = Watching(parts.registry, metrics, parts.clock, parts.rng)
    metrics.channels(parts.channels)
    usage = UsageEndpoint(parts.registry, parts.usage)
    logs = Logs(parts.registry, parts.channels)
    own: dict[tuple[str, str], Own] = {
        ("nodes", "usage"): usage.node,
        ("nodes", "statuses"): StatusEndpoint(parts.registry).post,
        ("assignments", "log"): logs.get,
        ("pods", "log"): PodLogs(logs).get,
    }
    serve = Resources(parts.registry, watching, parts.clock, own)
    reviews = Reviews(parts.clock)
    views = Views(
        {
            PODS: PodEndpoint(serve),
            POD_METRICS: PodMetricsEndpoint(parts.registry, parts.usage, parts.clock),
            **dict.fromkeys((ACCESS, RULES, WHO), reviews),
        }
    )
    artifacts = Artifacts(parts.blobs)
    backup = BackupEndpoint(parts.backups, BackupMetrics(metrics.register))

    async def ready(request: Request) -> Response:
        trouble = parts.unready()
        return PlainTextResponse(f"{trouble}\n", status_code=503) if trouble else PlainTextResponse("ok")

    legacy = LegacyParts(
        parts.registry,
        parts.blobs,
        parts.unused,
        parts.endpoint_leases,
        parts.heartbeat_ttl,
        clock=parts.clock,
        rng=parts.rng,
    )
    uploads = Uploads(parts.registry.store, parts.blobs)
    apps = Apps(legacy, uploads)
    table = operations(legacy, uploads, apps, metrics)
    swagger, openapi = Swagger(table), OpenApi()
    app = Starlette(
        routes=[
            Route("/healthz", _ok, methods=ANY_METHOD),
            Route("/livez", _ok),
            Route("/readyz", ready),
            Route("/version", _version),
            Route("/metrics", metrics.serve),
            Route("/api", discovery.core),
            Route("/apis", discovery.groups),
            Route("/api/{version}", discovery.resources),
            Route("/apis/{group}", discovery.group),
            Route("/apis/{group}/{version}", discovery.resources),
            Route("/apis/plum.dev/v1/watch", watching.several),
            Route("/apis/plum.dev/v1/usage", usage.everything),
            Route("/openapi/v2", openapi.v2),
            Route("/openapi/v3", openapi.index),
            Route("/openapi/v3/{path:path}", openapi.document),
            Route("/artifacts/sha256/{digest}", artifacts.get, methods=["GET"]),
            Route("/artifacts/sha256/{digest}", artifacts.put, methods=["PUT"]),
            Route("/artifacts/{file}", apps.file, methods=["GET"]),
            Route("/swagger", swagger.page),
            Route("/swagger/openapi.json", swagger.openapi),
            Route("/swagger/{name}", swagger.asset),
            Route("/backup", backup.get, methods=["GET"]),
        ],
        exception_handlers={ApiError: _refused, HTTPException: _unrouted},
    )
    routed = _Router(serve, views, ChannelEndpoint(parts.registry, parts.channels), Router(table), app)
    others = {"v1", *(first_part(route.path) for route in app.routes if isinstance(route, Route))}
    return Gate(
        routed,
        ui=Ui(others, BuiltFiles(parts.ui_dir)),
        metrics=metrics,
        authenticator=parts.authenticator,
        is_local=parts.is_local,
        cors=parts.cors,
    )


class _Router:
    """Objects and collections at once, everything else through the list of routes: matching paths against each
    of them in turn would cost a small request half of its time."""

    def __init__(
        self, serve: Resources, views: Views, channel: ChannelEndpoint, legacy: ASGIApp, others: ASGIApp
    ) -> None:
        self._serve, self._views = serve, views
        self._channel, self._legacy, self._others = channel, legacy, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. Raises ApiError."""
        if is_legacy(scope["path"]):
            await self._legacy(scope, receive, send)
            return
        root, group, version, rest = _split(scope["path"])
        if not rest or (root == "apis" and rest in ("watch", "usage")):
            await self._others(scope, receive, send)
            return
        request = ApiRequest(scope, receive)
        if group == "plum.dev" and rest.startswith("nodes/") and "/channel" in rest:
            response = await self._channel(request, rest)
        else:
            viewed = await self._views(request, group, version, rest)
            response = viewed or await self._serve(request, group, version, rest)
        await response(scope, receive, send)


def _split(path: str) -> tuple[str, str, str, str]:
    """Root, group, version and the rest of an API path; without a rest it is none."""
    if path.startswith("/apis/"):
        group, _, version_and_rest = path[6:].partition("/")
        version, _, rest = version_and_rest.partition("/")
        return "apis", group, version, rest
    if path.startswith("/api/"):
        version, _, rest = path[5:].partition("/")
        return "api", "", version, rest
    return "", "", "", ""


async def _ok(request: Request) -> Response:
    return PlainTextResponse("ok")


async def _version(request: Request) -> Response:
    major, minor, patch = KUBERNETES
    return JSONResponse(
        {
            "major": str(major),
            "minor": str(minor),
            "gitVersion": f"v{major}.{minor}.{patch}+plum.{package_version('plum')}",
            "gitCommit": "",
            "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "",
            "compiler": f"python {platform.python_version()}",
            "platform": f"{platform.system().lower()}/{platform.machine()}",
        }
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_response(error)


async def _unrouted(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return error_response(MethodNotAllowed(f"the server does not allow {request.method} on {request.url.path}"))
    return error_response(no_resource())
