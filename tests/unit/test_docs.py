"""What the documents promise is there."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, get_args

import pytest
from pydantic import TypeAdapter

from agent.__main__ import main as agent
from agent.artifact_failures import ArtifactFailure
from agent.logs import retention, runs
from agent.logs.lines import MAX_LINE
from agent.probes import FAILED, PENDING, RUNNING
from apiserver.api.channel import MAX_STREAMS, LogOptions
from apiserver.api.discovery import Reason
from apiserver.api.kinds.probe import Probe
from apiserver.api.kinds.task import MAX_LOG_SIZE, MIN_LOG_SIZE, Logs
from apiserver.api.quantities import format_bytes
from apiserver.api.scheme import SCHEME
from apiserver.api.usage import InstanceUsage, NodeUsage, UsageReport
from apiserver.api.views.pod_states import PodPhase
from apiserver.api.views.pods import PODS
from apiserver.server.__main__ import main as apiserver
from apiserver.server.channels import ANSWER_SECONDS
from apiserver.server.http.cors import is_api
from apiserver.server.http.logs import STUCK_SECONDS
from apiserver.server.http.ui import HEADERS
from apiserver.server.http.usage_metrics import INSTANCE, NODE
from apiserver.server.original import DATABASE, FAILOVER
from plumctl.commands import cli

REASONS = {kind.reason for kind in ArtifactFailure.__subclasses__()}
COMMANDS = re.compile(r"^ *\$?(?:\.venv/bin/|\")?plumctl\"? (?:app )?([a-z][a-z-]*)", re.MULTILINE)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_only_commands_and_targets_that_exist(name: str) -> None:
    text = Path(name).read_text(encoding="utf-8")
    commands = set(COMMANDS.findall(text))
    assert {"up", "push", "apply", "get", "restart", "delete"} <= commands
    assert commands - {"push"} <= set(cli.commands)
    targets = re.findall(r"^([a-z]+):", Path("Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`?make ([a-z]+)", text)) <= set(targets)


def test_the_page_about_migration_names_what_the_programs_take() -> None:
    """Each row with an original name and a flag: the flag's option takes both names, ours first."""
    text = Path("docs/migration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| `(PLUM_[A-Z_]+)` \| `(plum-[a-z]+) (--[a-z-]+)`", text, re.MULTILINE)
    programs = {"plum-apiserver": apiserver, "plum-agent": agent}
    assert len(rows) == 6
    for original, ours, program, flag in rows:
        (option,) = (option for option in programs[program].params if flag in option.opts)
        assert option.envvar == [ours, original]
    assert [name for name in (DATABASE, *FAILOVER) if f"`{name}`" not in text] == []


def test_every_command_shows_an_example() -> None:
    for command in cli.commands.values():
        examples = [command, *getattr(command, "commands", {}).values()]
        assert any("plumctl " in (one.help or "") for one in examples), command.name


def test_every_kind_is_in_the_readme() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = Path(name).read_text(encoding="utf-8")
        assert [kind.name for kind in SCHEME if f"`{kind.name}`" not in text] == []


def test_the_page_about_services_knows_every_reason() -> None:
    text = Path("docs/services.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Za-z]+)` \|", text, re.MULTILINE)) == set(get_args(Reason))


def test_the_page_about_usage_has_every_metric_with_its_type() -> None:
    text = Path("docs/usage.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(plum_[a-z0-9_]+)` \| (counter|gauge) \|", text, re.MULTILINE)
    assert rows == [*((one.name, one.type) for one in INSTANCE), *((one.name, one.type) for one in NODE)]


def test_the_page_about_usage_names_every_figure() -> None:
    text = Path("docs/usage.md").read_text(encoding="utf-8")
    identity = {"namespace", "name", "uid"}
    for model in (InstanceUsage, NodeUsage, UsageReport):
        names = {field.alias or name for name, field in model.model_fields.items()} - identity
        assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_the_page_about_artifacts_names_reasons_and_tests_that_exist() -> None:
    text = Path("docs/artifacts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| (?:`(\w+)`|none) \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE)
    assert {reason for reason, _ in rows if reason} == {*REASONS, "UnpackFailed"}
    assert len(rows) > 10
    assert missing_tests(names for _, names in rows) == []


def missing_tests(cells: Iterable[str]) -> list[str]:
    """The tests named in cells of a table that no test of the agent is."""
    tests = "".join(path.read_text() for path in Path("tests/unit/agent").glob("test_*.py"))
    named = [name for names in cells for name in re.findall(r"`(\w+)`", names)]
    return [name for name in named if f"def {name}(" not in tests]


def test_the_page_about_dependencies_names_tests_that_exist() -> None:
    text = Path("docs/dependencies.md").read_text(encoding="utf-8")
    cells = re.findall(r"\| (`test_[^|]+) \|$", text, re.MULTILINE)
    assert len(cells) == 11
    assert missing_tests(cells) == []


def test_the_page_about_probes_knows_every_field_reason_and_test() -> None:
    text = Path("docs/probes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Za-z]+)` \| (\d+) \| (\d+), (\d+) \|", text, re.MULTILINE)
    fields = {info.alias: info for info in Probe.model_fields.values() if isinstance(info.default, int)}
    assert {name for name, *_ in rows} == set(fields)
    for name, default, least, most in rows:
        adapter = TypeAdapter(Annotated[int, *fields[name].metadata])
        assert int(default) == fields[name].default
        assert adapter.json_schema() == {"type": "integer", "minimum": int(least), "maximum": int(most)}
    assert set(re.findall(r"^\| `([A-Z][A-Za-z]+)` \|", text, re.MULTILINE)) == {RUNNING, PENDING, FAILED}
    tests = "".join(path.read_text() for path in Path("tests").glob("**/test_*.py"))
    named = set(re.findall(r"`(test_[a-z_]+)`", text))
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []
    assert len(named) >= 15


def test_the_page_about_the_agent_backs_each_cell_with_a_test() -> None:
    text = Path("docs/agent.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    tests = "".join(path.read_text() for path in Path("tests").rglob("*.py"))
    assert len(named) > 20
    assert sorted(name for name in named if f"def {name}(" not in tests) == []
    rows = re.findall(r"^\| .+ \|$", text.partition("## Ending an agent")[0], re.MULTILINE)[1:]
    assert len(rows) == 13
    assert [cell for row in rows for cell in row.split("|")[2:6] if "`test_" not in cell] == []


def test_the_page_about_logs_tells_the_numbers_as_they_are() -> None:
    text = Path("docs/logs.md").read_text(encoding="utf-8")
    defaults = Logs()
    assert f"logs: {{maxSize: {defaults.max_size}, maxFiles: {defaults.max_files}}}" in text
    assert (runs.Limits().size, runs.Limits().files) == (defaults.max_size_bytes, defaults.max_files)
    assert f"`maxSize` ({format_bytes(MIN_LOG_SIZE)} to {format_bytes(MAX_LOG_SIZE)})" in text
    assert f"The last {retention.MAX_RUNS} runs of an instance are kept" in text
    assert (retention.ENDED_SECONDS, f"newest {format_bytes(retention.ENDED_BYTES)}") == (3600, "newest 256Mi")
    assert f"the newest {format_bytes(retention.ENDED_BYTES)}" in text
    assert f"answers {MAX_STREAMS} readers" in text
    assert f"for {STUCK_SECONDS / 60:.0f} minutes is cut off" in text
    assert f"A line longer than {format_bytes(MAX_LINE)} is shown as several" in text
    assert f"within {ANSWER_SECONDS:.0f} s" in text
    (command,) = (command for name, command in cli.commands.items() if name == "logs")
    options = {flag for option in command.params for flag in option.opts if flag.startswith("-")}
    assert set(re.findall(r"`(-[a-z-]+)[ `,]", text)) <= options | {"ls -l"}


def test_the_page_about_pods_names_all_phases_and_selectors() -> None:
    text = Path("docs/pods.md").read_text(encoding="utf-8")
    phases = re.findall(r"^\| ([A-Z][a-z]+) \| ", text.partition("## Phases")[2], re.MULTILINE)
    assert phases[1:] == list(get_args(PodPhase))
    assert [field for field in PODS.fields if f"`{field}`" not in text] == []
    assert {
        name for field in LogOptions.model_fields.values() if (name := field.alias) and f"`{name}`" not in text
    } == {"cursor", "cursors", "oneRun"}


def test_the_page_about_plumctl_has_every_command_and_a_test_for_each_row() -> None:
    text = Path("docs/plumctl.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z][a-z-]*)", row[0])}
    assert named == set(cli.commands)
    tests = "".join(path.read_text() for path in Path("tests").rglob("test_*.py"))
    shown = [re.findall(r"`(test_\w+)` \|$", row[-1]) for row in rows]
    assert [row[0] for row, names in zip(rows, shown, strict=True) if len(names) != 1] == []
    assert [name for names in shown for name in names if f"def {name}(" not in tests] == []


def test_the_page_about_the_ui_names_headers_and_targets_as_they_are() -> None:
    text = Path("docs/ui.md").read_text(encoding="utf-8")
    table = text.partition("| header | value |")[2].partition("\n\n")[0]
    assert {name.lower() for name in re.findall(r"`([A-Z][A-Za-z-]+)`", table)} == set(HEADERS)
    targets = set(re.findall(r"^([a-z-]+):", Path("Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets
    scripts = json.loads(Path("ui/package.json").read_text())["scripts"]
    assert set(re.findall(r"npm run ([a-z:]+)", text)) <= set(scripts)
    shared = text.partition("may use the API where")[2].partition("and the health paths")[0]
    assert all(is_api(path) for path in re.findall(r"`(/[a-z0-9]+)`", shared))
