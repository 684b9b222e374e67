"""``key=value`` and ``key-`` on the command line, and what they make of labels or annotations. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class BadPairs(ValueError):
    """What is wrong with the arguments."""


@dataclass(frozen=True)
class Pairs:
    """What is set, and what is taken away."""

    to_set: Mapping[str, str]
    to_remove: tuple[str, ...] = ()

    def patch(self) -> dict[str, str | None]:
        """The merge patch of the map."""
        return {**self.to_set, **dict.fromkeys(self.to_remove)}

    def applied(self, before: Mapping[str, str]) -> dict[str, str]:
        """The map as it will be."""
        return {key: value for key, value in {**before, **self.to_set}.items() if key not in self.to_remove}

    def overwritten(self, before: Mapping[str, str]) -> list[str]:
        """The keys that have another value already."""
        return [key for key, value in self.to_set.items() if before.get(key, value) != value]

    def absent(self, before: Mapping[str, str]) -> list[str]:
        """The keys to take away that are not there."""
        return [key for key in self.to_remove if key not in before]


def _is_pair(text: str) -> bool:
    return text.find("=") > 0 or (text.endswith("-") and text != "-")


def split(arguments: Sequence[str], noun: str) -> tuple[list[str], Pairs]:
    """The objects, and the changes behind them; ``noun`` is what they change. Raises BadPairs."""
    first = next((index for index, text in enumerate(arguments) if _is_pair(text)), len(arguments))
    objects, changes = list(arguments[:first]), arguments[first:]
    for text in changes:
        if not _is_pair(text):
            raise BadPairs(f"all resources must be specified before {noun} changes: {text}")
    to_set = dict(text.partition("=")[::2] for text in changes if text.find("=") > 0)
    to_remove = tuple(dict.fromkeys(text[:-1] for text in changes if text.find("=") <= 0))
    if set(to_set) & set(to_remove):
        raise BadPairs(f"cannot modify and remove the same {noun} in one command")
    return objects, Pairs(to_set, to_remove)
