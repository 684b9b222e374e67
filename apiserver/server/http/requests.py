"""Reading a request: what it is about, what it carries, and what it accepts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

from starlette.datastructures import QueryParams
from starlette.requests import Request

from apiserver.api.errors import (
    BadRequest,
    Cause,
    Details,
    Invalid,
    NotAcceptable,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
)
from apiserver.api.kinds.event import EVENTS
from apiserver.api.machinery.documents import MAX_BYTES, Document, read_json
from apiserver.api.machinery.fencing import HEADER, Fence
from apiserver.api.machinery.managers import MAX_NAME
from apiserver.api.machinery.yaml_documents import read_yaml
from apiserver.api.scheme import SCHEME, Kind, Served, Subresource
from apiserver.api.selectors import parse_fields, parse_labels
from apiserver.api.views.pods import told_of_assignments
from apiserver.server.http.protobuf import PROTOBUF, read_protobuf
from apiserver.server.http.views.selection import view_filter
from apiserver.server.registry import Mode, Options, Target
from apiserver.server.store.snapshot import Filter

READ_ONLY = ("history", "revisions")
SUBRESOURCES = ("status", "scale", *READ_ONLY)
JSON_TYPES = ("", "application/json")
YAML_TYPES = ("application/yaml", "application/apply-patch+yaml")


class ApiRequest(Request):
    """A request for what is behind the API paths. Programs send few queries, and those again and again."""

    @property
    def query_params(self) -> QueryParams:
        """See Request."""
        return _query(self.scope["query_string"])


@lru_cache(maxsize=1024)
def _query(raw: bytes) -> QueryParams:
    return QueryParams(raw)


def no_resource() -> NotFound:
    """The path leads nowhere."""
    return NotFound("the server could not find the requested resource")


def split_path(path: str) -> tuple[str, str, str, str]:
    """Namespace, plural, name and subresource in the rest of an API path. Raises NotFound.

    ``namespaces/x`` is the namespace itself, ``namespaces/x/tasks`` what is in it.
    """
    parts = path.split("/")
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2 and not (parts[2] in SUBRESOURCES and len(parts) == 3):
        namespace, parts = parts[1], parts[2:]
    if len(parts) > 3 or "" in parts:
        raise no_resource()
    plural, name, subresource = (*parts, "", "")[:3]
    return namespace, plural, name, subresource


def read_target(group: str, version: str, path: str) -> Target:
    """The stored object or collection behind the rest of an API path. Raises NotFound."""
    namespace, plural, name, subresource = split_path(path)
    kind = SCHEME.served(group, version, plural)
    if kind is None:
        raise no_resource()
    check_place(kind, namespace, name, subresource)
    return Target(kind, namespace, name, subresource)


def check_place(served: Served, namespace: str, name: str, subresource: str) -> None:
    """See that there can be something of that sort there. Raises NotFound."""
    is_outside = bool(namespace) and not served.namespaced
    is_nowhere = bool(name) and served.namespaced and not namespace
    if is_outside or is_nowhere or (subresource and subresource not in subresources(served)):
        raise no_resource()


def subresources(served: Served) -> Sequence[str]:
    """What there is below each object of a sort."""
    own = [found.name for found in served.subresources]
    if not isinstance(served, Kind):
        return own
    has = {
        "status": served.has_status,
        "scale": served.scaling is not None,
        "history": True,
        "revisions": served.rolled_out is not None,
    }
    return [*(name for name in SUBRESOURCES if has[name]), *own]


def own_subresource(target: Target) -> Subresource | None:
    """The subresource that the request is about, if it is one that a part of the server answers by itself."""
    return next((found for found in target.shown.subresources if found.name == target.subresource), None)


def read_filter(target: Target, query: Mapping[str, str]) -> Filter:
    """The selection of a list, a watch or a collection's deletion. Raises BadRequest."""
    labels, text = parse_labels(query.get("labelSelector", "")), query.get("fieldSelector", "")
    if target.view is not None:
        return view_filter(target.view, target.kind, target.namespace, labels, text)
    fields = parse_fields(text, target.kind.fields)
    if target.kind is EVENTS:
        fields = told_of_assignments(fields)
    return Filter(target.kind, target.namespace, labels, fields)


def read_filters(query: QueryParams) -> list[Filter]:
    """The selections of a watch over several kinds: ``resources`` names them, ``namespace`` and ``labelSelector``
    hold for all that have such. Raises BadRequest."""
    if "fieldSelector" in query:
        raise BadRequest("fieldSelector: not supported in a watch of several kinds: their fields differ")
    names = [name for listed in query.getlist("resources") for name in listed.split(",") if name]
    if not names:
        raise BadRequest("resources: Required value: name the kinds to watch, for example tasks,assignments")
    labels, namespace = parse_labels(query.get("labelSelector", "")), query.get("namespace", "")
    kinds: dict[str, Kind] = {}
    for name in names:
        kind = next((kind for kind in SCHEME if name in (kind.plural, kind.resource)), None)
        if kind is None:
            known = ", ".join(sorted(kind.plural for kind in SCHEME))
            raise BadRequest(f'resources: Unsupported value: "{name[:60]}": supported: {known}')
        kinds[kind.resource] = kind
    return [Filter(kind, namespace if kind.namespaced else "", labels) for kind in kinds.values()]


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean of the query: ``true`` or ``1``."""
    return query.get(name, "") in ("true", "1")


def wants_watch(query: Mapping[str, str]) -> bool:
    """Whether a GET of a collection is a watch. Raises BadRequest for a word that says neither."""
    word = query.get("watch", "")
    if word not in ("", "0", "false", "1", "true", "poll"):
        raise BadRequest(f'watch: Unsupported value: "{word[:40]}": supported: "true", "false", "poll"')
    return word in ("1", "true", "poll")


def number(query: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    """A whole number of the query, between 0 and ``most``. Raises BadRequest."""
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadRequest(f'invalid value for {name}: "{text[:40]}" is not a whole number')
    return min(int(text), most)


def read_version(query: Mapping[str, str]) -> tuple[int, bool]:
    """The version that a read asks for, 0 for none, and whether it must be just that. Raises BadRequest."""
    wanted = number(query, "resourceVersion", 0, most=2**63)
    match = query.get("resourceVersionMatch", "")
    if match not in ("", "NotOlderThan", "Exact"):
        raise BadRequest(f'resourceVersionMatch: Unsupported value: "{match[:40]}": supported: "NotOlderThan", "Exact"')
    if match == "Exact" and not wanted and not query.get("continue"):
        raise BadRequest("resourceVersion: Required value: resourceVersionMatch Exact needs a version other than 0")
    return wanted, match == "Exact"


def is_dry_run(values: list[str]) -> bool:
    """Whether the request is a dry run. Raises Invalid for anything but ``All``."""
    for value in values:
        if value != "All":
            cause = Cause("dryRun", f'Unsupported value: "{value}": supported values: "All"', "FieldValueNotSupported")
            raise Invalid(f"dryRun: {cause.message}", details=Details(causes=[cause]))
    return bool(values)


def read_options(request: Request) -> Options:
    """How a write is meant. Raises BadRequest, Invalid."""
    query = request.query_params
    validation = query.get("fieldValidation") or "Warn"
    if validation not in ("Strict", "Warn", "Ignore"):
        raise BadRequest(f'fieldValidation: Unsupported value: "{validation}": supported: "Strict", "Warn", "Ignore"')
    return Options(
        user=request.scope.get("user_name", ""),
        manager=_manager(request) or "unknown",
        dry_run=is_dry_run(query.getlist("dryRun")),
        validation=cast(Mode, validation),
        force=flag(query, "force"),
        fence=read_fence(request),
    )


def check_force(request: Request) -> None:
    """See that ``force`` is only given with an apply, where it means something. Raises Invalid."""
    if request.query_params.get("force"):
        told = "Forbidden: may not be specified for non-apply patch"
        raise Invalid(f"force: {told}", details=Details(causes=[Cause("force", told, "FieldValueForbidden")]))


def _manager(request: Request) -> str:
    """The field manager: as the client says, or the first word of its User-Agent. Raises Invalid."""
    given = request.query_params.get("fieldManager", "")
    if given and (len(given) > MAX_NAME or not given.isprintable()):
        told = f"Invalid value: must be printable and have at most {MAX_NAME} characters"
        raise Invalid(f"fieldManager: {told}", details=Details(causes=[Cause("fieldManager", told)]))
    product = request.headers.get("user-agent", "").partition("/")[0]
    return given or "".join(char for char in product if char.isprintable())[:MAX_NAME]


def read_fence(request: Request) -> Fence | None:
    """In the name of which leadership a write is made; None: of none. Raises BadRequest."""
    given = request.headers.getlist(HEADER)
    return Fence.parse(", ".join(given)) if given else None


async def read_body(request: Request) -> bytes:
    """The body, within its limit of size; the request as a whole has a limit of time. Raises TooLarge, BadRequest."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("the connection was closed before the request body was complete")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BYTES:
            raise _too_large()
        if not message.get("more_body"):
            return b"".join(chunks)


def _too_large() -> TooLarge:
    return TooLarge(f"the request body is over the limit of {MAX_BYTES} bytes")


def media_type(request: Request) -> str:
    """The body's media type in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def unsupported(found: str, accepted: tuple[str, ...]) -> UnsupportedMediaType:
    """The refusal of a body, in the words that kubectl prints."""
    return UnsupportedMediaType(
        f"the body of the request was in an unknown format ({found}) - accepted media types include: "
        + ", ".join(accepted)
    )


async def read_document(request: Request) -> Document:
    """An object in JSON or YAML, or of a few types in protobuf. Raises BadRequest, UnsupportedMediaType."""
    kind = media_type(request)
    raw = await read_body(request)
    if kind == PROTOBUF:
        return Document(read_protobuf(raw))
    if kind in YAML_TYPES:
        documents = read_yaml(raw)
        if len(documents) != 1:
            raise BadRequest(f"the request body must be one YAML document, not {len(documents)}")
        return documents[0]
    if kind not in JSON_TYPES:
        raise unsupported(kind, ("application/json", "application/yaml"))
    return read_json(raw)


@dataclass(frozen=True)
class Accepted:
    """The form of the reply."""

    form: Literal["object", "table", "metadata", "discovery"]
    include: str = ""


def negotiate(request: Request) -> Accepted:
    """What the client wants to read. Raises NotAcceptable where it takes neither JSON nor anything."""
    accept = request.headers.get("accept", "")
    include = request.query_params.get("includeObject", "Metadata") if "as=Table" in accept else ""
    return _accepted(accept, include)


@lru_cache(maxsize=256)
def _accepted(accept: str, include: str) -> Accepted:
    acceptable = not accept
    for offer in accept.split(","):
        kind, *parameters = (part.strip() for part in offer.split(";"))
        settings: dict[str, Any] = dict(p.split("=", 1) for p in parameters if "=" in p)
        if kind == "application/json" and settings.get("as") == "Table":
            return Accepted("table", include)
        if kind == "application/json" and settings.get("as") in ("PartialObjectMetadata", "PartialObjectMetadataList"):
            return Accepted("metadata")
        if kind == "application/json" and settings.get("as") == "APIGroupDiscoveryList":
            if settings.get("v") == "v2":
                return Accepted("discovery")
            continue
        if kind in ("application/json", "application/*", "*/*") and "as" not in settings:
            return Accepted("object")
        acceptable = acceptable or kind == "application/yaml"  # of which JSON is a part
    if not acceptable:
        raise NotAcceptable("only the following media types are accepted: application/json")
    return Accepted("object")
