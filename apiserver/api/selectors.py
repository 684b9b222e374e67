"""Label and field selectors, Kubernetes' grammar.

Labels: ``k=v  k==v  k!=v  k  !k  k in (a,b)  k notin (a,b)``, joined by commas (and). ``!=`` and
``notin`` also match objects that lack the key. Fields: ``path=v  path==v  path!=v``, joined by commas.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from apiserver.api.errors import BadRequest
from apiserver.api.meta import is_label_value, is_qualified_name

Operator = Literal["in", "notin", "exists", "absent"]


@dataclass(frozen=True)
class Requirement:
    """One term of a selector."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, values: Mapping[str, str]) -> bool:
        """Whether a map of labels or fields fulfils the term."""
        present = self.key in values
        match self.operator:
            case "in":
                return present and values[self.key] in self.values
            case "notin":
                return not present or values[self.key] not in self.values
            case "exists":
                return present
            case "absent":
                return not present


@dataclass(frozen=True)
class Selector:
    """A conjunction of requirements; without any it matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.requirements)

    def matches(self, values: Mapping[str, str]) -> bool:
        """Whether every requirement is fulfilled."""
        return all(requirement.matches(values) for requirement in self.requirements)

    def equalities(self) -> dict[str, str]:
        """The keys that must have one value; what a watch can be indexed by."""
        return {r.key: next(iter(r.values)) for r in self.requirements if r.operator == "in" and len(r.values) == 1}


EVERYTHING = Selector()

_TERM = re.compile(r"(?:\\.|[^,])+", re.DOTALL)
_FIELD = re.compile(r"([^=!\s]+)\s*(==|!=|=)\s*((?:\\[\\,=]|[^\\])*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def equal(key: str, value: str) -> Selector:
    """The selector for one value of a label or field."""
    return Selector((Requirement(key, "in", frozenset([value])),))


_SET = re.compile(r"\s*(?P<key>[^\s,()!=]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)\s*")
_EQUALITY = re.compile(r"\s*(?P<key>[^\s,()!=]+)\s*(?P<op>==|!=|=)\s*(?P<value>[^\s,()!=]*)\s*")
_EXISTS = re.compile(r"\s*(?P<absent>!)?\s*(?P<key>[^\s,()!=]+)\s*")


def _label_requirement(text: str, at: int) -> tuple[Requirement, int]:
    if found := _SET.match(text, at):
        values = frozenset(value.strip() for value in found["values"].split(","))
        operator: Operator = "in" if found["op"] == "in" else "notin"
    elif found := _EQUALITY.match(text, at):
        values = frozenset([found["value"]])
        operator = "notin" if found["op"] == "!=" else "in"
    elif found := _EXISTS.match(text, at):
        values, operator = frozenset(), "absent" if found["absent"] else "exists"
    else:
        raise BadRequest(f"unable to parse label selector {text!r} at character {at + 1}: {text[at : at + 20]!r}")
    return Requirement(found["key"], operator, values), found.end()


def _check_label(requirement: Requirement, text: str) -> None:
    if not is_qualified_name(requirement.key):
        raise BadRequest(f"unable to parse label selector {text!r}: {requirement.key!r} is not a label key")
    for value in requirement.values:
        if not is_label_value(value):
            raise BadRequest(f"unable to parse label selector {text!r}: {value!r} is not a label value")


def parse_labels(text: str) -> Selector:
    """Read a label selector. Raises BadRequest that shows where it cannot be read."""
    if not text.strip():
        return EVERYTHING
    requirements: list[Requirement] = []
    at = 0
    while True:
        requirement, at = _label_requirement(text, at)
        _check_label(requirement, text)
        requirements.append(requirement)
        if at == len(text):
            return Selector(tuple(requirements))
        if text[at] != ",":
            raise BadRequest(f"unable to parse label selector {text!r} at character {at + 1}: expected a comma")
        at += 1


def escaped(value: str) -> str:
    """A text as the value of a field selector."""
    return re.sub(r"([\\,=])", r"\\\1", value)


def parse_fields(text: str, selectable: Sequence[str]) -> Selector:
    """Read a field selector over the fields that the kind can be selected by. Values are any text; in them a
    backslash makes a comma, an equals sign or a backslash an ordinary character. Raises BadRequest."""
    requirements = []
    for term in filter(None, (part.strip() for part in _TERM.findall(text))):
        found = _FIELD.fullmatch(term)
        if not found:
            raise BadRequest(f"unable to parse field selector {text!r}: {term!r} is not of the form path=value")
        path, operator, value = found[1], found[2], _ESCAPE.sub(r"\1", found[3])
        if path not in selectable:
            raise BadRequest(f"field label not supported: {path}; supported: {', '.join(selectable)}")
        requirements.append(Requirement(path, "notin" if operator == "!=" else "in", frozenset([value])))
    return Selector(tuple(requirements))
