"""All commands, put together."""

from plumctl import (
    about,
    apply,
    auth,
    backup,
    create,
    delete,
    describe,
    diff,
    edit,
    get,
    history,
    label,
    logs,
    patch,
    push,
    rollout,
    rollout_restart,
    rollout_status,
    scale,
    state,
    top,
    up,
    wait,
)
from plumctl.cli import cli

rollout.rollout.add_command(rollout_restart.restart)
rollout.rollout.add_command(rollout_status.status)

for _command in (
    up.up,
    push.app,
    apply.apply,
    diff.diff,
    create.create,
    create.replace,
    edit.edit,
    auth.auth,
    get.get,
    describe.describe,
    logs.logs,
    top.top,
    history.history,
    rollout.rollout,
    label.label,
    label.annotate,
    patch.patch,
    scale.scale,
    wait.wait,
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
