"""All commands, put together, in the groups in which ``--help`` shows them."""

from plumctl import (
    about,
    apply,
    auth,
    backup,
    config,
    config_changes,
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
for _change in config_changes.COMMANDS:
    config.config.add_command(_change)

for _section, _commands in {
    "Basic commands": (up.up, push.app, apply.apply, create.create, get.get, about.explain, edit.edit, delete.delete),
    "Deploy commands": (rollout.rollout, scale.scale, state.start, state.stop, state.restart),
    "Cluster management commands": (top.top, backup.backup, backup.restore),
    "Troubleshooting commands": (describe.describe, logs.logs, history.history, auth.auth),
    "Advanced commands": (diff.diff, patch.patch, create.replace, wait.wait),
    "Settings commands": (label.label, label.annotate, about.completion),
    "Other commands": (about.api_resources, config.config, about.version),
}.items():
    for _command in _commands:
        cli.add_command(_command)
    cli.sections[_section] = [str(_command.name) for _command in _commands]

__all__ = ["cli"]
