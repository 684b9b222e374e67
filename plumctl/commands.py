"""All commands, put together."""

from plumctl import about, apply, backup, delete, describe, get, history, logs, push, rollout, state, top, up
from plumctl.cli import cli

for _command in (
    up.up,
    push.app,
    apply.apply,
    get.get,
    describe.describe,
    logs.logs,
    top.top,
    history.history,
    rollout.rollout,
    state.start,
    state.stop,
    state.restart,
    delete.delete,
    backup.backup,
    backup.restore,
    about.api_resources,
    about.explain,
    about.version,
    about.completion,
):
    cli.add_command(_command)

__all__ = ["cli"]
