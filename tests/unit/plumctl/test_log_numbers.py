"""How many logs one reader asks for at a time."""

import pytest

from plumctl.cli import Failure
from plumctl.log_follow import check_number


@pytest.mark.parametrize(
    ("nodes", "most", "said"),
    [
        (
            ["n1"] * 33,
            32,
            "these are 33 logs, and at most 32 are asked for at a time: choose some .* --max-log-requests",
        ),
        (
            ["n1"] * 49 + ["n2"],
            100,
            "49 of these logs are on node n1, and one reader asks a node for at most 48 of the 64",
        ),
    ],
)
def test_too_many_are_an_error_that_says_what_to_do(nodes: list[str], most: int, said: str) -> None:
    with pytest.raises(Failure, match=said):
        check_number(nodes, most)


def test_many_on_many_nodes_are_a_matter_of_the_option_alone() -> None:
    check_number(["n1"] * 32, 32)
    check_number(["n1"] * 48 + ["n2"] * 48 + [""] * 60, 200)
