from hypothesis import given
from hypothesis import strategies as st

from agent.usage.counters import Counter, rate

SEEN = st.lists(st.integers(0, 10**6))


def after(*seen: float) -> Counter:
    counter = Counter()
    for one in seen:
        counter = counter.after(one)
    return counter


@given(SEEN, st.integers(0, 10**6))
def test_a_counter_never_goes_back(seen: list[int], last: int) -> None:
    assert after(*seen, last).value >= after(*seen).value


@given(SEEN)
def test_while_nothing_is_lost_it_is_what_is_seen(seen: list[int]) -> None:
    growing = sorted(seen)
    assert after(*growing) == Counter(growing[-1] if growing else 0)


@given(SEEN, st.integers(1, 100), st.integers(0, 100))
def test_what_is_missed_for_one_look_is_not_counted_twice(seen: list[int], missed: int, more: int) -> None:
    growing = [one + missed for one in sorted(seen)] or [missed]
    last = growing[-1]
    assert after(*growing, last - missed, last + more).value == last + more


@given(SEEN, st.integers(1, 100), st.integers(0, 100))
def test_what_is_lost_for_good_stays_counted(seen: list[int], lost: int, more: int) -> None:
    growing = [one + lost for one in sorted(seen)] or [lost]
    last = growing[-1]
    assert after(*growing, last - lost, last - lost, last - lost + more).value == last + more


def test_rates_are_of_time_that_is_long_enough() -> None:
    assert rate(10, 25, 10) == 1.5
    assert rate(0, 1, 3, digits=4) == 0.3333
    assert rate(10, 25, 0.1) is None
    assert rate(25, 10, 10) == 0.0
