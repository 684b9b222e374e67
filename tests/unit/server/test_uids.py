"""Identities whose order is the order of creation."""

import random
import uuid

from hypothesis import given
from hypothesis import strategies as st

from apiserver.server.uids import Uids


@given(st.lists(st.integers(0, 1 << 61), min_size=1, max_size=50))
def test_each_is_greater_than_the_one_before_whatever_the_clock_says(clock: list[int]) -> None:
    moments = iter([moment for moment in clock for _ in range(2)])
    new = Uids(nanoseconds=lambda: next(moments), rng=random.Random(1))
    made = [new() for _ in range(2 * len(clock))]
    assert made == sorted(set(made))
    assert {(uuid.UUID(uid).version, uuid.UUID(uid).variant) for uid in made} == {(7, uuid.RFC_4122)}


def test_it_begins_with_the_milliseconds() -> None:
    new = Uids(nanoseconds=lambda: 1_800_000_000_123_456_789, rng=random.Random(1))
    assert uuid.UUID(new()).int >> 80 == 1_800_000_000_123
