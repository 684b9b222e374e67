"""The systemd units: what keeps apps alive, and what is promised about settings."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import click
import pytest

from agent.__main__ import main as agent
from apiserver.server.__main__ import main as apiserver
from controllers.__main__ import main as controllers

PACKAGING = Path("packaging")
UNITS = sorted(path.name for path in PACKAGING.glob("*.service"))
PROGRAMS: dict[str, click.Command] = {"agent": agent, "apiserver": apiserver, "controllers": controllers}
CONFINING = re.compile(
    "Private|Protect|Restrict|SystemCall|NoNewPrivileges|CapabilityBoundingSet|Memory(High|Max|Deny)|CPUQuota"
    "|OOMScoreAdjust|ReadOnly|Inaccessible|TemporaryFileSystem|RootDirectory|DynamicUser|RuntimeMaxSec"
)
Unit = dict[str, list[str]]


def read(name: str) -> Unit:
    """All values of each key, as ``Section.Key``, in order: keys may repeat."""
    found: Unit = defaultdict(list)
    section = ""
    for line in (PACKAGING / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.strip() and line[0] not in "#;":
            assert not line.endswith("\\"), "lines are not continued here"
            key, equals, value = line.partition("=")
            assert equals, line
            found[f"{section}.{key}"].append(value)
    return found


def only(unit: Unit, key: str) -> str:
    (value,) = unit[key]
    return value


def test_there_is_a_unit_for_every_program() -> None:
    assert [f"plum-{name}.service" for name in PROGRAMS] == UNITS


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("KillMode", "process", "a restart of the agent would kill every app"),
        ("Delegate", "yes", "systemd would tidy away the cgroups that hold the apps"),
        ("Restart", "always", "nobody would look after the apps"),
        ("OOMPolicy", "continue", "one app out of memory would stop the agent"),
        ("TasksMax", "infinity", "all apps together would share the limit of one service"),
        ("Type", "exec", "a program that is missing would count as started"),
    ],
)
def test_the_agent_s_unit_keeps_apps_alive(key: str, value: str, reason: str) -> None:
    assert only(read("plum-agent.service"), f"Service.{key}") == value, reason


def test_nothing_in_the_agent_s_unit_confines_apps() -> None:
    unit = read("plum-agent.service")
    assert [key for key in unit if CONFINING.match(key.removeprefix("Service."))] == []


def test_the_agent_s_settings_come_from_its_file_last() -> None:
    """``EnvironmentFile`` overrides ``Environment``; without the file there is no server to go to."""
    unit = read("plum-agent.service")
    assert only(unit, "Service.EnvironmentFile") == "/etc/plum/agent.env"
    assert only(unit, "Service.ExecStart") == "/opt/plum/bin/plum-agent"
    assert only(unit, "Unit.StartLimitIntervalSec") == "0"


def test_apps_are_drained_only_when_the_machine_goes_down_or_people_ask(tmp_path: Path) -> None:
    stop = only(read("plum-agent.service"), "Service.ExecStop")
    command = shlex.split(stop.replace("$$", "$"))[2]
    for state, asked, drains in (("running", "", False), ("stopping", "", True), ("running", "drain", True)):
        script = command.replace("/etc/plum/drain", str(tmp_path / "drain")).replace("exec /opt/plum/bin/", "echo ")
        (tmp_path / asked).touch()
        path = f"{stub(tmp_path, state)}:{os.environ['PATH']}"
        run = subprocess.run(
            ["/bin/sh", "-c", script],
            env={"PATH": path, "PLUM_DATA_DIR": "/d"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout == ("plum-agent stop --data-dir /d --drain\n" if drains else "")


def stub(folder: Path, state: str) -> Path:
    """A folder with a systemctl that says how the system is."""
    (folder / "systemctl").write_text(f"#!/bin/sh\necho {state}\n")
    (folder / "systemctl").chmod(0o755)
    return folder


def test_apps_do_not_run_as_the_user_who_owns_the_store() -> None:
    users = {name: only(read(name), "Service.User") for name in UNITS}
    assert users["plum-agent.service"] not in (
        users["plum-apiserver.service"],
        users["plum-controllers.service"],
        "root",
    )


@pytest.mark.parametrize("name", ["plum-apiserver.service", "plum-controllers.service"])
def test_server_and_controllers_are_confined(name: str) -> None:
    unit = read(name)
    assert only(unit, "Service.ProtectSystem") == "strict"
    assert only(unit, "Service.NoNewPrivileges") == "yes"
    assert only(unit, "Service.CapabilityBoundingSet") == ""
    assert only(unit, "Service.Restart") == "always"


@pytest.mark.parametrize("program", PROGRAMS)
def test_settings_are_flags_of_the_program(program: str) -> None:
    names = set()
    for option in PROGRAMS[program].params:
        names.add(f"PLUM_{(option.name or '').upper()}" if option.name != "name" else "PLUM_NODE")
        names |= {*([option.envvar] if isinstance(option.envvar, str) else option.envvar or ())}
    lines = (PACKAGING / f"{program}.env").read_text().splitlines()
    set_there = {line.lstrip("#").split("=")[0] for line in lines if re.match(r"#?[A-Z]", line)}
    set_there |= {value.split("=")[0] for value in read(f"plum-{program}.service").get("Service.Environment", ())}
    assert set_there
    assert set_there <= names


def test_the_readme_names_units_and_files_that_exist() -> None:
    text = (PACKAGING / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"plum-\w+\.service", text)) == set(UNITS)
    for name in re.findall(r"packaging/([\w.-]+\.\w+)", text):
        assert (PACKAGING / name).exists(), name
    for name in UNITS:
        unit = read(name)
        assert (
            f"| `{name}` | `{only(unit, 'Service.User')}` | `{unit['Service.EnvironmentFile'][0].lstrip('-')}` |"
            in text
        )


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_to_complain_about(name: str, tmp_path: Path) -> None:
    """With programs that exist where the unit looks for them."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    usage = subprocess.run(["systemd-analyze", "--help"], capture_output=True, text=True, check=False, timeout=30)
    if "--recursive-errors" not in usage.stdout:
        pytest.skip("systemd-analyze is older than version 250")
    text = (PACKAGING / name).read_text(encoding="utf-8")
    unit = tmp_path / name
    unit.write_text(re.sub(r"/opt/plum/bin/plum-\w+|(?<=file://)\S+", lambda _: sys.executable, text))
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")
