"""What ``plumctl wait --for`` waits for. Pure."""

from dataclasses import dataclass

from apiserver.api.meta import Body
from plumctl.jsonpath import BadPath, Finder, as_text


class BadCondition(ValueError):
    """What is wrong with the text, or with the object that it is about."""


@dataclass(frozen=True)
class Existence:
    """That the object is there, or gone."""

    is_there: bool


@dataclass(frozen=True)
class OfType:
    """That a condition of the status has a value; letters of either case are alike."""

    type: str
    value: str = "True"

    def holds(self, body: Body) -> bool:
        """Whether it does, for the spec as it is now."""
        for condition in (body.get("status") or {}).get("conditions") or ():
            if str(condition.get("type", "")).casefold() == self.type.casefold():
                return not _is_stale(body, condition) and (
                    str(condition.get("status", "")).casefold() == self.value.casefold()
                )
        return False


@dataclass(frozen=True)
class AtPath:
    """That there is something at a path, or, with a value, that it is this one."""

    finder: Finder
    value: str | None = None

    def holds(self, body: Body) -> bool:
        """Whether it is. Raises BadCondition where there are several, or what is there is no plain value."""
        try:
            found = self.finder.find(body)
        except BadPath as error:
            raise BadCondition(str(error)) from error
        if len(found) > 1:
            raise BadCondition("given jsonpath expression matches more than one value")
        if not found or self.value is None:
            return bool(found)
        if isinstance(found[0], dict | list):
            raise BadCondition("jsonpath leads to a nested object or list which is not supported")
        return as_text(found[0]) == self.value


Awaited = Existence | OfType | AtPath


def read_awaited(text: str) -> Awaited:
    """Read the value of ``--for``. Raises BadCondition."""
    word, equals, rest = text.partition("=")
    match word.lower(), bool(equals):
        case "delete", False:
            return Existence(is_there=False)
        case "create", False:
            return Existence(is_there=True)
        case "condition", True:
            kind, _, value = rest.partition("=")
            return OfType(kind, value or "True")
        case "jsonpath", True:
            return _read_path(rest)
        case _:
            raise BadCondition(f'unrecognized condition: "{text}"')


def _read_path(text: str) -> AtPath:
    close = text.rfind("}")
    path, equals, value = text, "", ""
    if text.startswith("{") and close >= 0:
        # A filter in the path has equals signs of its own; a value in braces is one all the same.
        close = text.find("}=") if "}=" in text else close
        path, equals, value = text[: close + 1], text[close + 1 : close + 2], text[close + 2 :]
    elif not text.startswith("{"):
        path, equals, value = text.partition("=")
    if equals not in ("", "=") or "=" in value or (equals and not value):
        raise BadCondition(
            "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
            "--for=jsonpath='{.status.readyReplicas}'"
        )
    try:
        return AtPath(Finder(path), value.strip("'\"") if equals else None)
    except BadPath as error:
        raise BadCondition(str(error)) from error


def _is_stale(body: Body, condition: Body) -> bool:
    """Whether the condition is about an earlier spec."""
    seen = condition.get("observedGeneration") or (body.get("status") or {}).get("observedGeneration")
    generation = body["metadata"].get("generation")
    return isinstance(seen, int) and isinstance(generation, int) and seen < generation
