"""The register of kinds. Everything generic (routes, discovery, tables, storage, CLI) starts here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from importlib import import_module
from typing import Any

from apiserver.api import schema
from apiserver.api.errors import Cause, NotFound
from apiserver.api.meta import Body, Resource, is_dns_subdomain

KEPT_REVISIONS = 10
"""Specs of an object that are kept for rollback, the present one included."""

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


def dig(body: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path of a wire object, or None."""
    value: Any = body
    for part in _parts(path):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


@lru_cache(maxsize=1024)
def _parts(path: str) -> list[str]:
    return path.split(".")


@dataclass(frozen=True)
class Column:
    """One column of a kind's table. ``value`` gets the wire object and the present moment."""

    name: str
    value: Callable[[Body, datetime], Any]
    type: str = "string"
    priority: int = 0
    """0: always; above: only in wide output."""
    description: str = ""


def at(path: str, *, default: Any = None) -> Callable[[Body, datetime], Any]:
    """A column value read from a dotted path."""
    return lambda body, now: default if (found := dig(body, path)) is None else found


def no_default(body: Body) -> None:
    """A kind without defaults beyond those of its model."""


def no_rules(new: Body, old: Body | None) -> Sequence[Cause]:
    """A kind without rules beyond those of its model."""
    return ()


@dataclass(frozen=True)
class Subresource:
    """Something below each object of a kind that is not made of the object itself, such as what a node uses."""

    name: str
    verbs: tuple[str, ...]
    answer: str
    """The kind of what it answers with, of the group that the object is of."""


@dataclass(frozen=True)
class Count:
    """Where the one count of an object is, and how it stands."""

    path: tuple[str, ...]
    """Its field path, in keys of FieldsV1."""
    wanted: int
    present: int
    selector: str
    """A label selector that finds what is counted."""


@dataclass(frozen=True)
class Scaling:
    """How the one count of an object is read and set; both raise Invalid where it has none."""

    count: Callable[[Body], Count]
    scaled: Callable[[Body, int], Body]
    """A copy of the object with another count."""


@dataclass(frozen=True)
class Served:
    """A model and how it goes by in paths, discovery and tables: what stored kinds and views have in common."""

    model: type[Resource]
    plural: str
    columns: tuple[Column, ...]
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    """Beside ``/status`` and the past, which the generic verbs serve for what is stored."""

    @cached_property
    def api_version(self) -> str:
        """``group/version``, or ``v1`` for the core group."""
        return str(self.model.model_fields["api_version"].default)

    @cached_property
    def name(self) -> str:
        """The kind's own name, ``Task``."""
        return str(self.model.model_fields["kind"].default)

    @cached_property
    def singular(self) -> str:
        """The lower-case name, ``task``."""
        return self.name.lower()

    @cached_property
    def group(self) -> str:
        """The API group; empty for core."""
        return self.api_version.rpartition("/")[0]

    @cached_property
    def version(self) -> str:
        """The version within the group."""
        return self.api_version.rpartition("/")[2]

    @cached_property
    def is_kubernetes(self) -> bool:
        """Whether the kind is one of Kubernetes' own: kubectl has a Go type for it, and patches it by that."""
        return not self.group or self.group.endswith(".k8s.io")

    @cached_property
    def resource(self) -> str:
        """``plural.group`` as messages name it; the bare plural for core."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @cached_property
    def qualified(self) -> str:
        """``Kind.group`` as validation messages name it."""
        return f"{self.name}.{self.group}" if self.group else self.name

    @cached_property
    def schema(self) -> schema.Schema:
        """The tree of its fields."""
        return schema.of_model(self.model)

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of the collection, an object, or a subresource."""
        base = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        where = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{base}{where}/{self.plural}" + "".join(f"/{part}" for part in (name, subresource) if part)


@dataclass(frozen=True)
class Kind(Served):
    """A stored kind. ``default`` fills a wire object in place before it is validated; ``rules`` compares a valid
    object with its predecessor (None: it is being created)."""

    selectable: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    """The selectable fields by which lists are looked up rather than searched."""
    derived: Mapping[str, Callable[[Body], str]] = field(default_factory=dict, hash=False)
    """Selectable fields that are no paths: what they are in an object."""
    immutable: tuple[str, ...] = ()
    """Dotted paths that an update may not change."""
    default: Callable[[Body], None] = no_default
    rules: Callable[[Body, Body | None], Sequence[Cause]] = no_rules
    is_name: Callable[[str], bool] = is_dns_subdomain
    name_rule: str = "a lowercase RFC 1123 subdomain: letters, digits, '-' and '.', at most 253 characters"
    rolled_out: Callable[[Body], Any] | None = None
    """The part of an object whose change makes a new revision, for kinds whose specs are kept for rollback."""
    scaling: Scaling | None = None
    """For kinds with a ``/scale`` subresource."""
    holds: str = ""
    """The dotted path of a list that holds an object under deletion as finalizers do."""
    leave: Callable[[Body], None] = no_default
    """What the beginning of a deletion changes in an object beside its metadata, in place."""

    @cached_property
    def has_status(self) -> bool:
        """Whether there is a ``/status`` subresource."""
        return "status" in self.model.model_fields

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """All fields that selectors may name."""
        return ("metadata.name", *(["metadata.namespace"] if self.namespaced else []), *self.selectable)

    def field_values(self, body: Body) -> dict[str, str]:
        """What field selectors see of an object; an absent value is the empty string."""
        return {path: self._field_value(body, path) for path in self.fields}

    def selectable_values(self, body: Body) -> dict[str, str]:
        """The same without name and namespace."""
        return {path: self._field_value(body, path) for path in self.selectable}

    def _field_value(self, body: Body, path: str) -> str:
        return self.derived[path](body) if path in self.derived else _text(dig(body, path))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


class Scheme:
    """The kinds by every name they go by."""

    def __init__(self, package: str = "") -> None:
        self._kinds: dict[str, Kind] = {}
        self._package = package

    def _all(self) -> dict[str, Kind]:
        """The kinds by name, the package that registers them imported at the first look."""
        if self._package:
            package, self._package = self._package, ""
            import_module(package)
        return self._kinds

    def register(self, kind: Kind) -> Kind:
        """Add a kind; its kind, plural and short names must be free."""
        for name in (kind.plural, kind.singular, *kind.short_names):
            if name in self._kinds:
                raise ValueError(f"the name {name!r} is taken by {self._kinds[name].qualified}")
        for name in (kind.plural, kind.singular, *kind.short_names, kind.resource):
            self._kinds[name] = kind
        return kind

    def __iter__(self) -> Iterator[Kind]:
        return iter(dict.fromkeys(self._all().values()))

    def of_model(self, model: type[Resource]) -> Kind:
        """The kind a model belongs to."""
        return self._all()[str(model.model_fields["kind"].default).lower()]

    def named(self, name: str) -> Kind:
        """By plural, singular, Kind, short name or ``plural.group``. Raises NotFound."""
        kind = self._all().get(name.lower())
        if kind is None:
            known = ", ".join(sorted(k.plural for k in dict.fromkeys(self._kinds.values())))
            raise NotFound(f"the server doesn't have a resource type {name!r}; it has {known}")
        return kind

    def served(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind a URL, if there is one."""
        kind = self._all().get(plural)
        return kind if kind and kind.plural == plural and (kind.group, kind.version) == (group, version) else None

    def of_body(self, body: Mapping[str, Any]) -> Kind | None:
        """The kind that a wire object says it is, if it is known."""
        kind = self._all().get(str(body.get("kind", "")).lower())
        matches = kind and kind.name == body.get("kind") and kind.api_version == body.get("apiVersion")
        return kind if matches else None


SCHEME = Scheme("apiserver.api.kinds")
