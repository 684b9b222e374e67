"""Which stored objects a request for a view means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from apiserver.api.scheme import Kind
from apiserver.api.selectors import EVERYTHING, Selector, parse_fields
from apiserver.api.views.registry import View
from apiserver.server.store.engine import Key, Seen
from apiserver.server.store.snapshot import Filter


@dataclass(frozen=True)
class ViewFilter(Filter):
    """A filter that also looks at fields of the view which the stored object has not, or has with another value.
    Since they follow from what the store keeps of every change, entering and leaving the selection is seen as for
    stored kinds."""

    shown: Selector = EVERYTHING
    derived: Callable[[Mapping[str, str]], Mapping[str, str]] = dict

    @cached_property
    def is_open(self) -> bool:
        """Whether it asks for nothing but kind and namespace."""
        return not (self.labels or self.fields or self.shown)

    def matches(self, key: Key, seen: Seen | None) -> bool:
        """Whether an object with these labels and fields is meant; one that is not there never is."""
        if seen is None or not super().matches(key, seen):
            return False
        return not self.shown or self.shown.matches(self.derived(seen.fields))


def view_filter(view: View, source: Kind, namespace: str, labels: Selector, text: str) -> Filter:
    """The selection of a view's objects among those of its source; ``text`` is a field selector. Raises BadRequest."""
    found = parse_fields(text, view.fields).requirements
    derived = view.derived({})
    return ViewFilter(
        source,
        namespace,
        labels,
        Selector(tuple(one for one in found if one.key not in derived)),
        shown=Selector(tuple(one for one in found if one.key in derived)),
        derived=view.derived,
    )
