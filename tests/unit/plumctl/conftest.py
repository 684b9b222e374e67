"""One real server for the module, and the command line that talks to it."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from plumctl.commands import cli
from tests.servers import start_apiserver

Ctl = Callable[..., Result]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_apiserver(tmp_path_factory.mktemp("data")) as url:
        yield url


@pytest.fixture
def ctl(server: str) -> Ctl:
    def run(*arguments: str, stdin: str | None = None) -> Result:
        environment = {"PLUM_SERVER": server, "KUBECONFIG": None, "PLUM_TOKEN": None}
        return CliRunner().invoke(cli, list(arguments), input=stdin, env=environment)

    return run
