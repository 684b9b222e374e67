"""What a command line is about: ``KIND NAME…``, ``KIND/NAME…``, ``KIND,KIND``."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from apiserver.api.errors import NotFound
from apiserver.api.scheme import SCHEME, Kind


@dataclass(frozen=True)
class Named:
    """One object, or all of a kind where the name is empty."""

    kind: Kind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind.singular}/{self.name}"


def kind_named(text: str) -> Kind:
    """The kind, by any of its names, ``task.plum.dev`` included. Raises click.UsageError that lists those there are."""
    singular, _, group = text.lower().partition(".")
    try:
        kind = SCHEME.named(singular)
        return kind if kind.group == group else SCHEME.named(text)
    except NotFound as error:
        raise click.UsageError(f"{error.message} (plumctl api-resources lists them)") from error


def parse_targets(arguments: Sequence[str], *, names_required: bool = False) -> list[Named]:
    """Read the arguments. Raises click.UsageError."""
    if not arguments:
        raise click.UsageError("say what: KIND, KIND NAME or KIND/NAME, for example task/hello")
    if any("/" in argument for argument in arguments):
        found = [_slashed(argument) for argument in arguments]
    else:
        kinds = [kind_named(text) for text in arguments[0].split(",") if text]
        names = arguments[1:] or ("",)
        found = [Named(kind, name) for kind in kinds for name in names]
    if names_required and not all(target.name for target in found):
        raise click.UsageError("name the object: KIND NAME or KIND/NAME, for example task/hello")
    return found


def parse_one(arguments: Sequence[str]) -> Named:
    """Read the arguments of a command that is about one object. Raises click.UsageError."""
    targets = parse_targets(arguments, names_required=True)
    if len(targets) != 1:
        raise click.UsageError(f"name one object, not {len(targets)}")
    return targets[0]


def _slashed(argument: str) -> Named:
    kind, slash, name = argument.partition("/")
    if not slash or not name or "/" in name:
        raise click.UsageError(f"{argument!r}: write KIND/NAME, for example task/hello")
    return Named(kind_named(kind), name)
