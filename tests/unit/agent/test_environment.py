from pathlib import Path

from agent import environment
from tests.unit.agent.objects import assignment


def test_an_app_finds_where_and_what_it_is() -> None:
    env = [{"name": "COLOR", "value": "red"}, {"name": "HOME", "value": "/own"}]
    one = assignment("web-1", template={"env": env, "appName": "hello", "appVersion": "1.0"})
    found = environment.of(
        one,
        node="nodeA",
        server="http://server:8080",
        home=Path("/instances/web-1"),
        data=Path("/data/web"),
        ports={"http": 20000, "admin-api": 20001},
        agent_environ={"PATH": "/bin", "TZ": "UTC", "PLUM_TOKEN": "secret", "PYTHONPATH": "/agent"},
    )
    assert found == {
        "PATH": "/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": "/own",
        "COLOR": "red",
        "PLUM_TASK": "web",
        "PLUM_ENTRY": "main",
        "PLUM_INSTANCE_ID": "web-1",
        "PLUM_INSTANCE_UID": "uid-web-1",
        "PLUM_NODE": "nodeA",
        "PLUM_NAMESPACE": "default",
        "PLUM_APP_NAME": "hello",
        "PLUM_APP_VERSION": "1.0",
        "PLUM_API": "http://server:8080",
        "PLUM_DATA": "/data/web",
        "PLUM_PORT_HTTP": "20000",
        "PLUM_PORT_ADMIN_API": "20001",
    }


def test_outside_default_the_instance_id_names_the_namespace() -> None:
    one = assignment("web-1", metadata={"namespace": "team"})
    found = environment.of(one, node="n", server="s", home=Path("/h"), data=Path("/d"), ports={}, agent_environ={})
    assert found["PLUM_INSTANCE_ID"] == "team.web-1"
    assert found["PATH"] == environment.DEFAULT_PATH
