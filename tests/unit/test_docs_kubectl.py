"""What the page about kubectl promises is tested with kubectl."""

import re
from pathlib import Path

from tests.kubectl.test_about import REFUSED

PAGE = Path("docs/kubectl.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    return found[2:]


def test_each_row_of_what_works_names_tests_that_exist() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in Path("tests/kubectl").glob("test_*.py"))
    assert len(rows("What works")) > 20
    for command, _, names in rows("What works"):
        named = re.findall(r"`(test_\w+)`", names)
        assert named, command
        assert [name for name in named if f"def {name}(" not in tests] == []


def test_each_row_of_what_cannot_work_is_tried() -> None:
    commands = [
        text for cell, *_ in rows("What cannot work, and the way here") for text in re.findall(r"`([^`]+)`", cell)
    ]
    assert commands == list(REFUSED)
