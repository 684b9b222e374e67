"""``kubectl auth``: who one is, and what one may do."""

from tests.kubectl.room import Stage


def test_whoever_is_let_in_may_do_everything(stage: Stage) -> None:
    for question in (("create", "tasks"), ("delete", "nodes"), ("get", "pods/log"), ("get", "/healthz")):
        assert stage.kubectl("auth", "can-i", *question) == "yes\n"
    assert "*.*" in stage.kubectl("auth", "can-i", "--list")


def test_nobody_asks_in_anothers_name(stage: Stage) -> None:
    for asked in (("auth", "can-i", "get", "tasks"), ("get", "tasks"), ("delete", "task", "some")):
        assert "cannot impersonate" in stage.kubectl.refused(*asked, "--as=bob")
    assert "cannot impersonate" in stage.kubectl.refused("get", "tasks", "--as=bob", "--as-group=ops")


def test_who_one_is(stage: Stage) -> None:
    assert stage.kubectl.json("auth", "whoami")["status"]["userInfo"]["username"] == stage.user
