"""The page about the store names metrics and flags that exist."""

import re
from pathlib import Path

import httpx

from apiserver.server.__main__ import main
from tests.servers import start_apiserver

PAGE = Path("docs/store.md").read_text(encoding="utf-8")
OTHERS = "".join(Path(f"docs/{name}.md").read_text(encoding="utf-8") for name in ("usage", "logs"))
SERVED = re.compile(
    r"`((?:apiserver|plum_store|plum_stuck|plum_backups?|plum_instances?|plum_node|process)_[a-z0-9_]+)"
)


def test_every_metric_of_the_server_is_served(tmp_path: Path) -> None:
    with start_apiserver(tmp_path) as url:
        httpx.get(f"{url}/version", trust_env=False).raise_for_status()
        served = httpx.get(f"{url}/metrics", trust_env=False).text
    families = set(re.findall(r"^# TYPE (\S+)", served, re.MULTILINE))
    named = set(SERVED.findall(PAGE + OTHERS))
    assert named - families == set()
    assert {name for name in families if name.startswith("plum_") and not name.endswith("_created")} - named == set()


def test_every_flag_is_one() -> None:
    flags = {flag for option in main.params for flag in option.opts}
    named = set(re.findall(r"^\| `(--[a-z-]+)`", PAGE, re.MULTILINE))
    assert len(named) == 3
    assert named <= flags
