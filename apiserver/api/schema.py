"""One tree a kind, read off its pydantic model: what fields there are and how lists merge.

Unknown-field checks, server-side apply, OpenAPI and ``plumctl explain`` all walk this tree, so that a
kind is described once.
"""

import inspect
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, Lt, MaxLen, MinLen
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from apiserver.api import docstrings
from apiserver.api.meta import Atomic, FilledIn, IntOrString, ListMap, ListSet

Type = Literal["object", "map", "array", "string", "integer", "number", "boolean", "any"]

Model = type[BaseModel]
INT_OR_STRING = "int-or-string"
"""The format of what is a number or a text."""


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
    """Prose: a line a paragraph."""
    model: Model | None = None
    """What an object was read off."""
    bounds: Mapping[str, int | str] = field(default_factory=dict)
    """Limits in JSON Schema's words: ``minimum``, ``maxLength``, ``pattern`` and so on."""
    is_sparse: bool = False
    """Whether the wire form leaves the field out while it is empty."""

    @cached_property
    def spells_keys(self) -> bool:
        """Whether a key of this list map can be left out, or written in two ways."""
        found = (self.items.fields.get(key) for key in self.keys) if self.items else ()
        return any(
            field is not None and (field.default is not None or field.format == INT_OR_STRING) for field in found
        )

    @cached_property
    def granular(self) -> bool:
        """Whether the keys of an object here can have different owners."""
        return self.type in ("object", "map", "any") and not self.atomic

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
    found = model.model_fields.items()
    fields = {info.alias or name: _of_field(info, description(model, name)) for name, info in found}
    return Schema(
        "object",
        fields=fields,
        keeps_unknown=model.model_config.get("extra") == "allow",
        description=_prose(model.__doc__ or ""),
        model=model,
    )


def description(model: type[BaseModel], name: str) -> str:
    """What is said of a field, by the nearest class that says something: many only narrow its type."""
    ancestors = (cls for cls in model.__mro__ if issubclass(cls, BaseModel) and name in cls.model_fields)
    return next((text for cls in ancestors if (text := docstrings.of_class(cls).get(name))), "")


def _prose(text: str) -> str:
    """A docstring as it is shown: a line a paragraph, code in single backticks."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text))
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("``", "`")


def _of_field(info: FieldInfo, text: str) -> Schema:
    found = _of_type(info.annotation, tuple(info.metadata))
    plain = info.default if isinstance(info.default, str | int | float | bool) else None
    return replace(
        found,
        required=info.is_required() and not any(isinstance(mark, FilledIn) for mark in info.metadata),
        default=plain,
        description=_prose(text) or found.description,
        is_sparse=info.exclude_if is not None,
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
        is_set = any(isinstance(mark, ListSet) for mark in metadata)
        return Schema("array", items=_of_type(args[0]), keys=keys, is_set=is_set, bounds=_bounds(metadata, "Items"))
    if origin is dict:
        return Schema("any", keeps_unknown=True) if args[1] is Any else Schema("map", items=_of_type(args[1]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return of_model(annotation)
    if annotation not in _SCALARS:
        raise TypeError(f"no schema for the type {annotation!r}")
    kind, form = _SCALARS[annotation]
    return Schema(kind, format=form, bounds=_bounds(metadata, "Length"))


def _bounds(metadata: Iterable[Any], unit: str) -> dict[str, int | str]:
    """The limits among a field's marks; ``unit`` is what its length is counted in."""
    found: dict[str, Any] = {}
    for mark in _flat(metadata):
        match mark:
            case Ge(ge=least):
                found["minimum"] = least
            case Le(le=most):
                found["maximum"] = most
            case Lt(lt=over) if isinstance(over, int):
                found["maximum"] = over - 1
            case MinLen(min_length=least):
                found[f"min{unit}"] = least
            case MaxLen(max_length=most):
                found[f"max{unit}"] = most
            case _:
                found |= {"pattern": mark.pattern} if getattr(mark, "pattern", None) else {}
    return found


def _flat(metadata: Iterable[Any]) -> Iterable[Any]:
    for mark in metadata:
        yield from mark.metadata if isinstance(mark, FieldInfo) else (mark,)
