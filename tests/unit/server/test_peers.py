"""What certificates say, also those that somebody made up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.errors import Unauthorized
from apiserver.server.http.auth import ANONYMOUS, AUTHENTICATED, Authenticator, Expired, User
from apiserver.server.http.gate import error_response
from apiserver.server.http.peers import MAX_GROUPS, MAX_NAME, Peer, peer_of

UNTIL = "Jan  1 00:00:00 2030 GMT"
SECONDS = 1893456000.0


def certificate(*names: tuple[str, str], until: str = UNTIL) -> dict[str, Any]:
    return {"subject": tuple((name,) for name in names), "notAfter": until}


def cn(name: str) -> tuple[str, str]:
    return "commonName", name


def o(name: str) -> tuple[str, str]:
    return "organizationName", name


def user(peer: Peer | None, now: float = 0.0) -> User:
    return Authenticator(None, clock=lambda: now).user("/apis", "", peer)


def test_the_common_name_is_the_user_and_organizations_are_groups() -> None:
    found = user(peer_of(certificate(o("dev"), cn("first"), o("system:masters"), o(""), o("dev"), cn("ann"))))
    assert found == User("ann", ("dev", "system:masters", AUTHENTICATED))
    several = {"subject": ((cn("ann"), o("dev")),), "notAfter": UNTIL}
    assert user(peer_of(several)) == User("ann", ("dev", AUTHENTICATED))


@pytest.mark.parametrize("none", [None, {}])
def test_without_a_certificate_there_is_no_peer(none: dict[str, Any] | None) -> None:
    assert peer_of(none) is None


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ([], "needs a common name"),
        ([cn("")], "needs a common name"),
        ([cn("  ")], "needs a common name"),
        ([cn("ann"), cn("")], "needs a common name"),
        ([cn("ann\nINFO all is well")], "cannot be printed"),
        ([cn("ann\0")], "cannot be printed"),
        ([cn("ann"), o("\x1b[2J")], "cannot be printed"),
        ([cn("\u202enna")], "cannot be printed"),
        ([cn("a" * (MAX_NAME + 1))], "more than 256 characters"),
        ([cn("ann"), o("g" * 100_000)], "more than 256 characters"),
        ([cn("ann"), *(o(f"g{number}") for number in range(MAX_GROUPS + 1))], "more than 1024 groups"),
    ],
)
def test_a_subject_that_names_nobody_is_refused(subject: list[tuple[str, str]], message: str) -> None:
    peer = peer_of(certificate(*subject))
    with pytest.raises(Unauthorized, match=message) as caught:
        user(peer)
    assert str(caught.value).isprintable()


def test_five_hundred_groups_are_a_few() -> None:
    groups = [f"group-{number}" for number in range(500)]
    assert user(peer_of(certificate(cn("ann"), *map(o, groups)))).groups == (*groups, AUTHENTICATED)


def test_a_certificate_counts_until_it_expires_on_open_connections_too() -> None:
    peer = peer_of(certificate(cn("ann")))
    assert user(peer, SECONDS).name == "ann"
    with pytest.raises(Expired, match="has expired") as caught:
        user(peer, SECONDS + 1)
    assert error_response(caught.value).headers["connection"] == "close", "the client connects with its new one"
    assert Authenticator(None, clock=lambda: SECONDS + 1).user("/healthz", "", peer).name == ANONYMOUS


names = st.text(max_size=300)
subjects = st.lists(
    st.lists(st.tuples(st.sampled_from(["commonName", "organizationName", "x"]), names), max_size=3).map(tuple),
    max_size=5,
).map(tuple)


@given(subject=subjects, until=st.one_of(st.just(UNTIL), st.text(max_size=30)))
def test_whatever_a_certificate_says_it_names_a_decent_user_or_none(subject: Any, until: str) -> None:
    peer = peer_of({"subject": subject, "notAfter": until})
    assert peer is not None
    if peer.problem:
        with pytest.raises(Unauthorized):
            user(peer)
        return
    assert until == UNTIL or peer.until
    found = user(peer)
    assert found.name.strip()
    assert all(part.isprintable() and 0 < len(part) <= MAX_NAME for part in (found.name, *found.groups))
    assert found.groups[-1] == AUTHENTICATED or AUTHENTICATED in found.groups
