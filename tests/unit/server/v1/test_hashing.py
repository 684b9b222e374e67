"""Rendezvous hashing: equal keys go to the same endpoint, and few of them move."""

from collections import Counter

from apiserver.server.store.engine import Key, Seen
from apiserver.server.store.snapshot import Slot
from apiserver.server.v1.directory import EndpointView
from apiserver.server.v1.discovery import by_hash

KEYS = [f"user-{number}" for number in range(2000)]


def endpoint(number: int) -> EndpointView:
    slot = Slot(Key("endpoints.plum.dev", "default", f"web-{number}"), number, b"", Seen({}, {}))
    return EndpointView(slot, "web", "nodeA", "10.0.0.1", number, "http", "", {}, True, "", b"")


def test_keys_are_spread_and_stay_when_others_leave() -> None:
    all_of_them = [endpoint(number) for number in range(10)]
    before = {key: by_hash(all_of_them, key).port for key in KEYS}
    shares = Counter(before.values())
    assert len(shares) == 10
    assert max(shares.values()) < 2 * min(shares.values())
    left = [one for one in reversed(all_of_them) if one.port != 3]
    after = {key: by_hash(left, key).port for key in KEYS}
    assert all(after[key] == before[key] for key in KEYS if before[key] != 3)
    assert len({after[key] for key in KEYS if before[key] == 3}) == 9


def test_any_text_is_a_key() -> None:
    assert by_hash([endpoint(1)], "\ud800").port == 1
