"""Which objects a command is about: by name, by file, by selector, or all of a kind."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from apiserver.api.errors import ApiError
from apiserver.client.rest import RestClient
from plumctl.apply import load
from plumctl.cli import Failure, Session, explain_error
from plumctl.raw import place, read_items
from plumctl.targets import Named, parse_targets

MAX_ERRORS = 100
"""How many objects' errors are told."""


@dataclass(frozen=True)
class Chosen:
    """One object, and where it is; an empty namespace is the configured one."""

    target: Named
    namespace: str = ""

    def __str__(self) -> str:
        return str(self.target)

    def path(self, client: RestClient) -> str:
        """Its URL path."""
        return place(client, self.target.kind, self.namespace, self.target.name)


@dataclass(frozen=True)
class Selection:
    """What the options say."""

    namespace: str = ""
    paths: tuple[str, ...] = ()
    selector: str = ""
    field_selector: str = ""
    everything: bool = False
    everywhere: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is by what the objects are rather than by name."""
        return bool(self.selector or self.field_selector or self.everything)

    def query(self) -> dict[str, str]:
        """The query of the list."""
        pairs = (("labelSelector", self.selector), ("fieldSelector", self.field_selector))
        return {key: value for key, value in pairs if value}

    def checked(self, session: Session, what: Sequence[str]) -> "Wanted":
        """The objects, or the kinds to be searched. Raises click.UsageError, Failure."""
        if self.paths:
            if what or self.is_open:
                raise click.UsageError("give files, or names and selectors, not both")
            found = load(session, self.paths, self.namespace)
            return Wanted(self, [Chosen(Named(one.kind, one.name), one.namespace) for one in found], [])
        targets = parse_targets(what, names_required=not self.is_open)
        if not self.is_open:
            return Wanted(self, [Chosen(target, self.namespace) for target in targets], [])
        if any(target.name for target in targets):
            raise click.UsageError("give names, or --selector, --field-selector or --all, not both")
        return Wanted(self, [], targets)


@dataclass(frozen=True)
class Wanted:
    """Objects by name, and kinds of which some are wanted."""

    selection: Selection
    named: list[Chosen]
    kinds: list[Named]

    async def find(self, client: RestClient) -> AsyncIterator[Chosen]:
        """The objects. Raises ApiError."""
        for chosen in self.named:
            yield chosen
        for target in self.kinds:
            path = place(client, target.kind, self.selection.namespace, everywhere=self.selection.everywhere)
            async for item in read_items(client, path, query=self.selection.query()):
                metadata = item["metadata"]
                yield Chosen(Named(target.kind, metadata["name"]), metadata.get("namespace", ""))

    async def each(self, client: RestClient, work: Callable[[Chosen], Awaitable[None]]) -> None:
        """Do it with every one; what goes wrong with one is told when the others are done. Raises Failure, ApiError."""
        errors: list[str] = []
        async for chosen in self.find(client):
            try:
                await work(chosen)
            except ApiError as error:
                errors.append(explain_error(error).message)
            except Failure as error:
                errors.append(error.message)
        if errors:
            more = len(errors) - MAX_ERRORS
            raise Failure("\n".join(errors[:MAX_ERRORS] + ([f"and {more} more"] if more > 0 else [])))


_OPTIONS = (
    click.option("-f", "--filename", "paths", multiple=True, help="The objects of files or folders, or - for stdin."),
    click.option("-R", "--recursive", is_flag=True, expose_value=False, hidden=True),
    click.option("-l", "--selector", default="", help="Label selector, for example app=web,tier!=test."),
    click.option("--field-selector", default="", help="Field selector, for example status.phase=Running."),
    click.option("--all", "everything", is_flag=True, help="All of the kind in the namespace."),
    click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="In all namespaces."),
    click.option("-n", "--namespace", default="", help="Namespace; by default the kubeconfig's."),
)


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command is handed them as ``selection``."""

    @wraps(command)
    def collected(
        *args: Any,
        paths: tuple[str, ...],
        selector: str,
        field_selector: str,
        everything: bool,
        everywhere: bool,
        namespace: str,
        **rest: Any,
    ) -> Any:
        selection = Selection(namespace, paths, selector, field_selector, everything, everywhere)
        return command(*args, selection=selection, **rest)

    with_options: Callable[..., Any] = collected
    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options
