"""plumctl config, on files of its own; kubectl reads the same ones."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from plumctl.commands import cli

Run = Callable[..., Result]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.fixture
def config(file: Path) -> Run:
    def run(*arguments: str, kubeconfig: str = "") -> Result:
        environment = {"KUBECONFIG": kubeconfig or str(file), "HOME": str(file.parent), "PLUM_SERVER": None}
        return CliRunner().invoke(cli, ["config", *arguments], env=environment)

    return run


@pytest.fixture
def filled(config: Run) -> Run:
    config("set-cluster", "plum", "--server", "https://plum.example:8080")
    config("set-credentials", "ann", "--token", "secret")
    config("set-context", "home", "--cluster", "plum", "--user", "ann", "--namespace", "shop")
    config("set-context", "away", "--cluster", "plum")
    assert config("use-context", "home").stdout == 'Switched to context "home".\n'
    return config


def test_what_is_made_is_read_by_the_client(filled: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from apiserver.client.kubeconfig import load

    found = load({"KUBECONFIG": str(file)})
    assert (found.server, found.namespace) == ("https://plum.example:8080", "shop")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_contexts(filled: Run) -> None:
    assert filled("get-contexts").stdout.splitlines() == [
        "CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE",
        "          away   plum",
        "*         home   plum      ann        shop",
    ]
    assert filled("get-contexts", "away", "--no-headers").stdout.split() == ["away", "plum"]
    assert filled("get-contexts", "-o", "name").stdout == "away\nhome\n"
    assert filled("get-contexts", "none").exit_code == 1
    assert filled("current-context").stdout == "home\n"
    assert filled("get-clusters").stdout == "NAME\nplum\n"
    assert filled("get-users").stdout == "NAME\nann\n"
    assert filled("set-context", "--current", "--namespace", "other").stdout == 'Context "home" modified.\n'
    assert filled("set-context", "new").stdout == 'Context "new" created.\n'
    assert filled("rename-context", "home", "house").stdout == 'Context "home" renamed to "house".\n'
    assert filled("current-context").stdout == "house\n"


def test_view_has_no_secrets_unless_asked(filled: Run) -> None:
    shown = yaml.safe_load(filled("view").stdout)
    assert shown["users"] == [{"name": "ann", "user": {"token": "REDACTED"}}]
    assert [item["name"] for item in shown["contexts"]] == ["away", "home"]
    assert "secret" in filled("view", "--raw").stdout
    assert [item["name"] for item in yaml.safe_load(filled("view", "--minify").stdout)["contexts"]] == ["home"]
    assert filled("view", "-o", "jsonpath={.clusters[0].cluster.server}").stdout == "https://plum.example:8080"


def test_deletions(filled: Run, file: Path) -> None:
    gone = filled("delete-context", "home")
    assert gone.stdout == f"deleted context home from {file}\n"
    assert gone.stderr.startswith("warning: this removed your active context")
    assert filled("delete-cluster", "plum").stdout == f"deleted cluster plum from {file}\n"
    assert filled("delete-user", "ann").stdout == f"deleted user ann from {file}\n"
    assert filled("delete-user", "ann").stderr == f"error: cannot delete user ann, not in {file}\n"


def test_certificates_by_name_or_by_content(config: Run, file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.crt").write_text("CERT")
    crt = str(tmp_path / "a.crt")
    config("set-cluster", "c", "--server", "h:1", "--certificate-authority", crt)
    assert yaml.safe_load(file.read_text())["clusters"][0]["cluster"] == {
        "server": "http://h:1",
        "certificate-authority": crt,
    }
    config("set-cluster", "c", "--certificate-authority", crt, "--embed-certs=true")
    assert yaml.safe_load(file.read_text())["clusters"][0]["cluster"] == {
        "server": "http://h:1",
        "certificate-authority-data": "Q0VSVA==",
    }
    config("set-credentials", "u", "--client-certificate", crt, "--client-key", crt, "--embed-certs")
    assert "Q0VSVA" not in config("view").stdout
    assert config("view").stdout.count("DATA+OMITTED") == 3
    assert "No such file" in config("set-credentials", "u", "--client-key", "/none", "--embed-certs").stderr


def test_of_several_files_the_one_that_has_it_is_changed(config: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    both = f"{first}:{second}"
    config("set-context", "b", "--namespace", "x", kubeconfig=str(second))
    config("set-context", "a", kubeconfig=str(first))
    config("set-context", "b", "--namespace", "y", kubeconfig=both)
    config("use-context", "b", kubeconfig=both)
    assert "namespace: y" in second.read_text()
    assert yaml.safe_load(first.read_text())["current-context"] == "b"
    assert config("get-contexts", "-o", "name", kubeconfig=both).stdout == "a\nb\n"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("current-context",), "current-context is not set"),
        (("use-context", "x"), 'no context exists with the name: "x"'),
        (("set-context",), "you must specify a non-empty context name or --current"),
        (("set-context", "--current"), "no current context is set"),
        (("set-cluster", "c", "--server", "ftp://x"), "is not an address"),
        (("rename-context", "a", "b"), 'cannot rename the context "a", it\'s not in'),
        (("view", "--minify"), "current-context must exist"),
    ],
)
def test_refusals(config: Run, file: Path, arguments: tuple[str, ...], fault: str) -> None:
    done: Any = config(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert fault in done.stderr
    assert not file.exists() or "ftp" not in file.read_text()


def test_a_file_that_cannot_be_read_is_left_alone(config: Run, file: Path) -> None:
    file.write_text("- no mapping")
    for arguments in (("view",), ("set-context", "x")):
        assert "expected a mapping" in config(*arguments).stderr
    assert file.read_text() == "- no mapping"
    assert config("view", kubeconfig="/none/there").exit_code == 0
