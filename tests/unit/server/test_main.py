"""The command line of the server: options, and what the environment says in our names and the original's."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from apiserver.server import __main__ as program
from apiserver.server.serve import UI_ORIGINS, Settings

ALIASES = (
    "CONTROLLER_ADDR", "CONTROLLER_DATA_DIR", "CONTROLLER_DB", "HEARTBEAT_TTL_SEC", "FAILOVER_ENABLED",
    "FAILOVER_INTERVAL_SEC", "FAILBACK_ENABLED", "FAILBACK_STABLE_SEC", "FAILBACK_MAX_RATE",
)  # fmt: skip


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of each run, which then ends."""
    found: list[Settings] = []

    async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
        found.append(settings)

    monkeypatch.setattr(program, "serve", serve)
    for name in ("raise_file_limit", "spare_the_collector"):
        monkeypatch.setattr(program, name, lambda: None)
    for name in ALIASES:
        monkeypatch.delenv(name, raising=False)
    return found


def invoke(*args: str, **environ: str) -> Result:
    return CliRunner().invoke(program.main, args, env=environ)


@pytest.mark.parametrize(
    ("args", "environ", "found"),
    [
        ([], {}, {"host": "127.0.0.1", "port": 8080, "heartbeat_ttl": 15, "cors_origins": UI_ORIGINS}),
        ([], {"CONTROLLER_ADDR": ":9090"}, {"host": "127.0.0.1", "port": 9090}),
        ([], {"CONTROLLER_ADDR": ":9090", "PLUM_ADDR": "127.0.0.2:1"}, {"host": "127.0.0.2", "port": 1}),
        (["--addr", ":2"], {"CONTROLLER_ADDR": ":9090", "PLUM_ADDR": ":1"}, {"port": 2}),
        ([], {"CONTROLLER_ADDR": ":9090", "PLUM_ADDR": ""}, {"port": 9090}),
        (["--insecure"], {"CONTROLLER_ADDR": ":9090"}, {"host": "0.0.0.0", "port": 9090}),
        (["--token-file", "t"], {"CONTROLLER_ADDR": ":9090"}, {"host": "0.0.0.0", "port": 9090}),
        (["--insecure", "--addr", "127.0.0.1:1"], {}, {"host": "127.0.0.1"}),
        ([], {"PLUM_INSECURE": "true", "PLUM_ADDR": ":1"}, {"host": "0.0.0.0"}),
        ([], {"HEARTBEAT_TTL_SEC": "30"}, {"heartbeat_ttl": 30}),
        ([], {"HEARTBEAT_TTL_SEC": "30", "PLUM_HEARTBEAT_TTL": "20"}, {"heartbeat_ttl": 20}),
        (["--heartbeat-ttl", "3600"], {"HEARTBEAT_TTL_SEC": "30"}, {"heartbeat_ttl": 3600}),
        (["--cors-origin", "*"], {}, {"cors_origins": ("*",)}),
        ([], {"PLUM_CORS_ORIGIN": "https://a.example http://[::1]:80"}, {"cors_origins": ("https://a.example", "http://[::1]")}),
        (["--cors-origin", "HTTP://A:8000", "--cors-origin", "https://b:443"], {}, {"cors_origins": ("http://a:8000", "https://b")}),
    ],
)  # fmt: skip
def test_where_settings_come_from(
    served: list[Settings], args: list[str], environ: dict[str, str], found: dict[str, Any]
) -> None:
    result = invoke("--data-dir", "d", *args, **environ)
    assert result.exit_code == 0, result.output
    (settings,) = served
    assert {name: getattr(settings, name) for name in found} == found


@pytest.mark.parametrize(
    ("args", "environ", "found"),
    [
        ([], {"CONTROLLER_DATA_DIR": "old"}, "old"),
        ([], {"CONTROLLER_DATA_DIR": "old", "PLUM_DATA_DIR": "ours"}, "ours"),
        (["--data-dir", "flag"], {"CONTROLLER_DATA_DIR": "old", "PLUM_DATA_DIR": "ours"}, "flag"),
        ([], {"CONTROLLER_DB": "/var/lib/old/controller.db"}, "/var/lib/old"),
        ([], {"CONTROLLER_DB": "controller.db"}, "."),
        ([], {"CONTROLLER_DB": "/x/controller.db", "CONTROLLER_DATA_DIR": "old"}, "old"),
    ],
)
def test_where_the_data_directory_comes_from(
    served: list[Settings], args: list[str], environ: dict[str, str], found: str
) -> None:
    assert invoke(*args, **environ).exit_code == 0
    assert [settings.data_dir for settings in served] == [Path(found)]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Missing option '--data-dir'"),
        (["--data-dir", "d", "--heartbeat-ttl", "0"], "0 is not in the range 1<=x<=3600"),
        (["--data-dir", "d", "--heartbeat-ttl", "3601"], "3601 is not in the range"),
        (["--data-dir", "d", "--heartbeat-ttl", "15s"], "'15s' is not a valid integer"),
        *(
            (["--data-dir", "d", "--cors-origin", origin], "is no origin: write http://HOST[:PORT]")
            for origin in ("a", "ftp://a", "http://", "http://a/", "http://a:0", "http://a:70000", "http://u@a", "null")
        ),
    ],
)
def test_what_makes_no_sense_is_refused(served: list[Settings], args: list[str], message: str) -> None:
    result = invoke(*args)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert served == []


def test_names_that_do_nothing_are_told_of_once(served: list[Settings], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        invoke(CONTROLLER_DB="/x/y.db", FAILOVER_ENABLED="true", FAILBACK_MAX_RATE="2", FAILBACK_ENABLED="")
    assert [record.message for record in caplog.records] == [
        "CONTROLLER_DB=/x/y.db: the original's database is not read; see docs/migration.md",
        "FAILOVER_ENABLED, FAILBACK_MAX_RATE: set, but this version neither fails over nor back; "
        "nothing is moved between nodes",
    ]
    caplog.clear()
    assert invoke("--data-dir", "d").exit_code == 0
    assert caplog.records == []
