"""What ``up`` is told by the environment, in our names and the original's."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from plumctl import up as module
from plumctl.local_cluster import Layout


@pytest.mark.parametrize(
    ("args", "environ", "found"),
    [
        ([], {}, ("old", ":9090")),
        ([], {"PLUM_DATA_DIR": "ours", "PLUM_ADDR": ":1"}, ("ours", ":1")),
        (["--data-dir", "flag", "--addr", ":2"], {"PLUM_DATA_DIR": "ours", "PLUM_ADDR": ":1"}, ("flag", ":2")),
    ],
)
def test_the_names_of_the_original_are_aliases(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    environ: dict[str, str],
    found: tuple[str, str],
) -> None:
    seen: list[tuple[str, str]] = []

    async def run(layout: Layout, *, until_eof: bool) -> None:
        seen.append((layout.directory.name, layout.addr))

    monkeypatch.setattr(module, "_up", run)
    monkeypatch.chdir(tmp_path)
    old = {"CONTROLLER_DATA_DIR": "old", "CONTROLLER_ADDR": ":9090"}
    result = CliRunner().invoke(module.up, args, env=old | environ)
    assert result.exit_code == 0, result.output
    assert seen == [found]
