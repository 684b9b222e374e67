import random

from agent.troubles import Troubles
from apiserver.client.backoff import Backoff

WEB, DB = ("default", "web"), ("default", "db")


def troubles() -> Troubles:
    return Troubles(Backoff(1.0, 8.0), random.Random(1))


def test_only_what_is_new_is_news() -> None:
    met = troubles()
    told = [met.met(WEB, "record", what).is_news for what in ("full", "full", "read-only", "full")]
    assert told == [True, False, True, True]
    assert met.met(DB, "record", "full").is_news
    assert met.met(WEB, "remove", "full").is_news


def test_it_is_tried_ever_later_and_at_once_again_after_a_success() -> None:
    met = troubles()
    pauses = [met.met(WEB, "record", "full").pause for _ in range(10)]
    assert 0.5 <= pauses[0] <= 1.0
    assert 4.0 <= pauses[-1] <= 8.0
    assert met.over(WEB, "record")
    assert not met.over(WEB, "record")
    assert met.met(WEB, "record", "full").pause <= 1.0


def test_nothing_is_kept_of_what_is_gone() -> None:
    met = troubles()
    met.met(WEB, "record", "full")
    met.forget(WEB)
    assert not met.over(WEB, "record")
