"""What is written below fields."""

from apiserver.api import docstrings


class Outer:
    first: int
    """A line.

    And a paragraph.
    """
    second: int
    third: int = 3
    """The last one."""
    """Of no field."""

    class Inner:
        first: str
        """Another first."""


def test_the_text_below_a_field_is_its() -> None:
    assert docstrings.of_class(Outer) == {"first": "A line.\n\nAnd a paragraph.", "third": "The last one."}


def test_a_class_within_has_its_own() -> None:
    class Local:
        first: str
        """A third first."""

    assert docstrings.of_class(Outer.Inner) == {"first": "Another first."}
    assert docstrings.of_class(Local) == {"first": "A third first."}


def test_what_has_no_source_has_no_texts() -> None:
    assert docstrings.of_class(int) == {}
    made = type("Made", (), {"__module__": "no.such.module"})
    assert docstrings.of_class(made) == {}
