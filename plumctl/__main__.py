"""``plumctl``: all commands, put together."""

import sys

from plumctl import about, apply, delete, describe, get, push, state, up
from plumctl.cli import cli, quiet_pipe

for _command in (
    up.up,
    push.app,
    apply.apply,
    get.get,
    describe.describe,
    state.start,
    state.stop,
    state.restart,
    delete.delete,
    about.api_resources,
    about.explain,
    about.version,
    about.completion,
):
    cli.add_command(_command)


def main() -> None:
    """The console script."""
    try:
        cli(prog_name="plumctl")
    except BrokenPipeError:
        quiet_pipe()
        sys.exit(0)


if __name__ == "__main__":
    main()
