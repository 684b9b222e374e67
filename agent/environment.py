"""What an app finds in its environment: a clean one, the same on every start of the same assignment."""

from collections.abc import Mapping
from pathlib import Path

from agent.runtime import MARKER
from apiserver.api.kinds.assignment import Assignment

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INHERITED = ("PATH", "LANG", "TZ")


def of(
    assignment: Assignment,
    *,
    node: str,
    server: str,
    home: Path,
    data: Path,
    ports: Mapping[str, int],
    agent_environ: Mapping[str, str],
) -> dict[str, str]:
    """The variables of one instance. Of the agent's own environment only PATH, LANG and TZ pass through."""
    spec, template = assignment.spec, assignment.spec.template
    namespace, name = assignment.key
    base = {"PATH": DEFAULT_PATH, "LANG": "C.UTF-8"}
    base |= {key: agent_environ[key] for key in INHERITED if agent_environ.get(key)}
    ours = {
        "PLUM_TASK": spec.task_name,
        "PLUM_ENTRY": spec.entry,
        "PLUM_INSTANCE_ID": name if namespace == "default" else f"{namespace}.{name}",
        "PLUM_NODE": node,
        "PLUM_NAMESPACE": namespace,
        "PLUM_APP_NAME": template.app_name,
        "PLUM_APP_VERSION": template.app_version,
        "PLUM_API": server,
        "PLUM_DATA": str(data),
        MARKER: assignment.metadata.uid or "",
    }
    numbers = {f"PLUM_PORT_{name.upper().replace('-', '_')}": str(port) for name, port in ports.items()}
    wanted = {variable.name: variable.value for variable in template.env}
    return {**base, "HOME": str(home), **wanted, **ours, **numbers}
