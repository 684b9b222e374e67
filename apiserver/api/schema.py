"""One tree a kind, read off its pydantic model: what fields there are and how lists merge.

Unknown-field checks, server-side apply, OpenAPI and ``plumctl explain`` all walk this tree, so that a
kind is described once.
"""

import types
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from apiserver.api.meta import Atomic, IntOrString, ListMap, ListSet

INT_OR_STRING = "int-or-string"
"""The format of a number that may also be a name."""

Type = Literal["object", "map", "array", "string", "integer", "number", "boolean", "any"]


@dataclass(frozen=True)
class Schema:
    """One place in the tree."""

    type: Type
    fields: Mapping[str, "Schema"] = field(default_factory=dict)
    """An object's fields by wire name."""
    items: "Schema | None" = None
    """What an array or a map holds."""
    keys: tuple[str, ...] = ()
    """A list map's keys."""
    is_set: bool = False
    atomic: bool = False
    """Whether a struct or a map has one owner as a whole; lists without keys that are no sets always have."""
    keeps_unknown: bool = False
    required: bool = False
    format: str = ""
    enum: tuple[str, ...] = ()
    default: Any = None
    description: str = ""

    @cached_property
    def tells_apart(self) -> bool:
        """Whether there is a list here or below that may not have the same item twice: a list map or a set."""
        below = (*self.fields.values(), *([self.items] if self.items else ()))
        return bool(self.keys) or self.is_set or any(found.tells_apart for found in below)


UNKNOWN = Schema("any")
"""What no model describes: as Kubernetes takes it, objects are maps and lists are one value."""


_SCALARS: dict[Any, tuple[Type, str]] = {
    str: ("string", ""),
    bool: ("boolean", ""),
    int: ("integer", ""),
    float: ("number", ""),
    datetime: ("string", "date-time"),
    AwareDatetime: ("string", "date-time"),
    Any: ("any", ""),
}


@cache
def of_model(model: type[BaseModel]) -> Schema:
    """The tree of a pydantic model."""
    fields = {info.alias or name: _of_field(info) for name, info in model.model_fields.items()}
    return Schema(
        "object",
        fields=fields,
        keeps_unknown=model.model_config.get("extra") == "allow",
        description=(model.__doc__ or "").strip(),
    )


def _of_field(info: FieldInfo) -> Schema:
    found = _of_type(info.annotation, tuple(info.metadata))
    plain = info.default if isinstance(info.default, str | int | float | bool) else None
    return Schema(
        found.type,
        fields=found.fields,
        items=found.items,
        keys=found.keys,
        is_set=found.is_set,
        atomic=found.atomic,
        keeps_unknown=found.keeps_unknown,
        required=info.is_required(),
        format=found.format,
        enum=found.enum,
        default=plain,
        description=info.description or found.description,
    )


def _of_type(annotation: Any, metadata: tuple[Any, ...] = ()) -> Schema:
    origin, args = get_origin(annotation), get_args(annotation)
    if any(isinstance(mark, IntOrString) for mark in metadata):
        return Schema("string", format=INT_OR_STRING)
    if any(isinstance(mark, Atomic) for mark in metadata):
        return replace(_of_type(annotation, tuple(m for m in metadata if not isinstance(m, Atomic))), atomic=True)
    if origin is Annotated:
        return _of_type(args[0], (*metadata, *args[1:]))
    if origin in (Union, types.UnionType):
        return _of_type(next(arg for arg in args if arg is not type(None)), metadata)
    if origin is Literal:
        return Schema("string", enum=args)
    if origin is tuple:
        keys = next((mark.keys for mark in metadata if isinstance(mark, ListMap)), ())
        return Schema("array", items=_of_type(args[0]), keys=keys, is_set=any(isinstance(m, ListSet) for m in metadata))
    if origin is dict:
        return Schema("any") if args[1] is Any else Schema("map", items=_of_type(args[1]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return of_model(annotation)
    if annotation not in _SCALARS:
        raise TypeError(f"no schema for the type {annotation!r}")
    kind, form = _SCALARS[annotation]
    return Schema(kind, format=form)
