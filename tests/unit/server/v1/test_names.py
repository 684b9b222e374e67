"""Ids, names, addresses and times of ``/v1``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.kinds.app import artifact_url
from apiserver.api.kinds.task import TASK_NAME_LENGTH
from apiserver.api.meta import is_dns_label
from apiserver.server.v1.names import read_id, shown_id, task_name, template_url, unix

DIGEST = "a" * 64


@pytest.mark.parametrize("name", ["web", "web-1", "a" * 40])
def test_a_name_that_can_be_one_stays(name: str) -> None:
    assert task_name(name) == name


@given(st.text(min_size=1))
def test_every_name_becomes_one_that_can_be(given_name: str) -> None:
    assert is_dns_label(task_name(given_name), longest=TASK_NAME_LENGTH)
    assert task_name(given_name) == task_name(given_name)


def test_names_that_look_alike_stay_apart() -> None:
    given_names = ["Web", "WEB", "w e b", "w_e_b", "订单", "库存", "a" * 41, "a" * 42]
    assert len({task_name(name) for name in given_names}) == len(given_names)


@pytest.mark.parametrize(("namespace", "name", "id"), [("default", "web-1", "web-1"), ("team", "web-1", "team.web-1")])
def test_ids_there_and_back(namespace: str, name: str, id: str) -> None:
    assert shown_id(namespace, name) == id
    assert read_id(id) == (namespace, name)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("demo-app", "/artifacts/demo-app_1.0_aaaaaaaa.zip"),
        ("my app", "/artifacts/my%20app_1.0_aaaaaaaa.zip"),
        ("a?b#c%", "/artifacts/a%3Fb%23c%25_1.0_aaaaaaaa.zip"),
        ("订单", "/artifacts/%E8%AE%A2%E5%8D%95_1.0_aaaaaaaa.zip"),
    ],
)
def test_files_have_addresses(name: str, url: str) -> None:
    assert artifact_url(name, "1.0", DIGEST) == url


@pytest.mark.parametrize(
    ("template", "url"),
    [
        pytest.param({"appName": "a", "appVersion": "1"}, "/artifacts/a_1_aaaaaaaa.zip", id="an app"),
        pytest.param({}, f"/artifacts/sha256/{DIGEST}", id="a digest"),
        pytest.param({"artifactUrl": "http://x/a.zip"}, "http://x/a.zip", id="elsewhere"),
    ],
)
def test_what_a_template_runs_is_at(template: dict[str, str], url: str) -> None:
    assert template_url({"artifactUrl": f"/artifacts/sha256/{DIGEST}", "sha256": DIGEST} | template) == url


def test_times_are_whole_seconds() -> None:
    assert (unix("2026-01-01T00:00:00.999999Z"), unix("2026-01-01T01:00:00+01:00")) == (1767225600, 1767225600)
    assert unix(None) == unix("") == 0
