"""What paths and templates of kubectl's JSONPath are made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Literal:
    """A value that is written down, printed as it is."""

    value: str | int | float | bool


@dataclass(frozen=True)
class Field:
    """A member of an object."""

    name: str


@dataclass(frozen=True)
class Index:
    """One item of a list; negative ones count from its end."""

    at: int


@dataclass(frozen=True)
class Slice:
    """Some items of a list."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


@dataclass(frozen=True)
class Wildcard:
    """All items of a list, or all values of an object."""


@dataclass(frozen=True)
class Recursive:
    """A value and all that is in it, however deep."""


@dataclass(frozen=True)
class Filter:
    """The items for which the comparison holds; without an operator, for which ``left`` finds something."""

    left: "Path | Literal"
    operator: str = ""
    right: "Path | Literal" = Literal(True)


@dataclass(frozen=True)
class Union:
    """What each of several steps finds, one after the other."""

    steps: tuple["Step", ...]


Step = Field | Index | Slice | Wildcard | Recursive | Filter | Union


@dataclass(frozen=True)
class Path:
    """Steps from the present object on."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Range:
    """A template for each of the values that a path finds."""

    path: Path
    body: tuple["Node", ...]


Node = Literal | Path | Range
