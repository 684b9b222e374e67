import socket
from collections.abc import Mapping, Set
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.ports import NoFreePort, PortRange, choose, is_free
from apiserver.api.kinds.task import Port

HTTP, ADMIN, FIXED = Port(name="http"), Port(name="admin"), Port(name="fixed", port=8443)
RANGE = PortRange(20000, 20009)


def pick(
    *wanted: Port, kept: Mapping[str, int] = MappingProxyType({}), taken: Set[int] = frozenset(), start: int = 0
) -> dict[str, int]:
    return choose(wanted, kept=kept, taken=taken, within=RANGE, start=start, is_free=lambda port: port != 20001)


def test_fixed_ports_are_as_given() -> None:
    assert pick(FIXED, taken={8443}) == {"fixed": 8443}


def test_free_ports_come_from_the_range_each_once() -> None:
    assert pick(HTTP, ADMIN, FIXED) == {"http": 20000, "admin": 20002, "fixed": 8443}


def test_the_search_goes_round() -> None:
    assert pick(HTTP, ADMIN, start=9) == {"http": 20009, "admin": 20000}


def test_ports_are_kept_even_while_they_linger() -> None:
    assert pick(HTTP, ADMIN, kept={"http": 20001}) == {"http": 20001, "admin": 20000}


def test_a_kept_port_that_is_another_ones_or_out_of_range_is_not() -> None:
    assert pick(HTTP, ADMIN, kept={"http": 20005, "admin": 7}, taken={20005}) == {"http": 20000, "admin": 20002}


def test_an_exhausted_range_says_so() -> None:
    with pytest.raises(NoFreePort, match="20000-20009 is free; give the agent a larger --port-range"):
        pick(HTTP, taken={*range(20000, 20010)})


@given(st.sets(st.integers(20000, 20009), max_size=8), st.integers(0, 100))
def test_nobody_gets_what_is_taken(taken: set[int], start: int) -> None:
    chosen = choose([HTTP, ADMIN], kept={}, taken=taken, within=RANGE, start=start, is_free=lambda port: True)
    assert len(set(chosen.values())) == 2
    assert not taken & set(chosen.values())
    assert all(port in RANGE for port in chosen.values())


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])


@pytest.mark.parametrize("text", ["", "1", "5-1", "0-5", "1-65536", "a-b", "1-2-3", "1 - 2", "-1-5"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        PortRange.parse(text)


def test_a_range_reads_as_it_is_written() -> None:
    assert str(PortRange.parse("20000-29999")) == "20000-29999"
