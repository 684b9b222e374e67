"""Where instances run, and what they are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent import environment
from agent.folders import Folders
from agent.ports import PortRange
from apiserver.api.kinds.assignment import Assignment


@dataclass(frozen=True)
class Host:
    """What the agent tells its instances about where they are."""

    node: str
    server: str
    ip: str
    port_range: PortRange
    environ: Mapping[str, str] = field(default_factory=dict)
    """The agent's own environment."""

    def environment(self, assignment: Assignment, folders: Folders, numbers: Mapping[str, int]) -> dict[str, str]:
        """What an instance finds in its environment; ``numbers`` are its ports by name."""
        return environment.of(
            assignment,
            node=self.node,
            server=self.server,
            home=folders.instance(assignment.key),
            data=folders.slot_data(assignment),
            ports=numbers,
            agent_environ=self.environ,
        )
