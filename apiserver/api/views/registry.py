"""The register of views. Their names are not the scheme's: a plural that a stored kind has may be a view's in another
group, and what asks the scheme for ``pods`` finds nothing, because there is nothing to store."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from apiserver.api.meta import Body
from apiserver.api.scheme import Kind, Served


def _as_it_is(body: Body) -> Body:
    return body


def _nothing(fields: Mapping[str, str]) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class View(Served):
    """A resource that is not stored. What is made of a stored kind has its names, uids and versions, so that lists
    are paged and watches resumed as those of the ``source``."""

    source: Kind | None = None
    """The stored kind that it is made of, object by object."""
    project: Callable[[Body], Body] = _as_it_is
    """From an object of the source to the view's. Pure, and total for valid objects."""
    selectable: tuple[str, ...] = ()
    """What field selectors may name beside name and namespace: fields that the source has too, by the same path and
    with the same value, and those that ``derived`` gives."""
    derived: Callable[[Mapping[str, str]], Mapping[str, str]] = _nothing
    """From what selectors see of the source's fields to those of the view that have other values."""
    unserved: tuple[str, ...] = ()
    """Subresources that a cluster has and Plum has not."""
    unserved_because: str = ""
    """Why not, and what to do instead."""
    edited_by: str = ""
    """How to change what it shows; the answer to whoever tries to write it."""

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields that selectors may name."""
        return ("metadata.name", *(["metadata.namespace"] if self.namespaced else []), *self.selectable)


class Views:
    """The views by their place in the API."""

    def __init__(self, package: str = "") -> None:
        self._views: dict[tuple[str, str, str], View] = {}
        self._package = package

    def _all(self) -> dict[tuple[str, str, str], View]:
        """Those there are, the package that registers them imported at the first look."""
        if self._package:
            package, self._package = self._package, ""
            import_module(package)
        return self._views

    def register(self, view: View) -> View:
        """Add a view; its place must be free."""
        place = (view.group, view.version, view.plural)
        if place in self._views:
            raise ValueError(f"the view {view.resource!r} is there already")
        self._views[place] = view
        return view

    def __iter__(self) -> Iterator[View]:
        return iter(self._all().values())

    def served(self, group: str, version: str, plural: str) -> View | None:
        """The view behind a URL, if there is one."""
        return self._all().get((group, version, plural))

    def versions(self) -> Sequence[tuple[str, str]]:
        """The groups and versions that have views."""
        return list(dict.fromkeys((group, version) for group, version, _ in self._all()))


VIEWS = Views("apiserver.api.views")
