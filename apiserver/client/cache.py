"""A local copy of a collection with indexes. Read-only to all but its informer: objects are frozen."""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic

from apiserver.api.meta import ResourceT

Key = tuple[str, str]
Indexers = Mapping[str, Callable[[ResourceT], Iterable[str]]]


class Cache(Generic[ResourceT]):
    """Objects by ``(namespace, name)``, and by whatever values each index makes of them."""

    def __init__(self, indexers: Indexers[ResourceT]) -> None:
        self._indexers = indexers
        self._objects: dict[Key, ResourceT] = {}
        # The inner dicts are sets that keep the order of insertion, so that reads are reproducible.
        self._indexes: dict[str, dict[str, dict[Key, None]]] = {name: {} for name in indexers}

    def get(self, key: Key) -> ResourceT | None:
        """The object under a key, if it is there."""
        return self._objects.get(key)

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self._objects)

    def all_keys(self) -> tuple[Key, ...]:
        """All keys as of now."""
        return tuple(self._objects)

    def items(self) -> tuple[ResourceT, ...]:
        """All objects as of now."""
        return tuple(self._objects.values())

    def by_index(self, index: str, value: str) -> tuple[ResourceT, ...]:
        """The objects for which the index yields the value. Raises KeyError for an index that is not there."""
        return tuple(self._objects[key] for key in self._indexes[index].get(value, ()))

    def put(self, obj: ResourceT) -> None:
        """Add or replace an object."""
        self.remove(obj.key)
        self._objects[obj.key] = obj
        for name, values in self._indexed(obj):
            for value in values:
                self._indexes[name].setdefault(value, {})[obj.key] = None

    def remove(self, key: Key) -> None:
        """Take an object out; harmless if it is not there."""
        old = self._objects.pop(key, None)
        if old is None:
            return
        for name, values in self._indexed(old):
            index = self._indexes[name]
            for value in values:
                index[value].pop(key, None)
                if not index[value]:
                    del index[value]

    def _indexed(self, obj: ResourceT) -> Iterable[tuple[str, frozenset[str]]]:
        return ((name, frozenset(indexer(obj))) for name, indexer in self._indexers.items())
