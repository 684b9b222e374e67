"""Flags as kubectl takes them: ``--overwrite=false``, ``--dry-run`` with and without a value."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import click

DryRun = Literal["none", "client", "server"]

SUFFIX = {"none": "", "client": " (dry run)", "server": " (server dry run)"}
"""What is told behind the outcome."""

_TRUE, _FALSE = ("true", "1", "t"), ("false", "0", "f")


class Command(click.Command):
    """A command whose yes-or-no flags also take ``=true`` and ``=false``, and whose ``--dry-run`` takes a value only
    behind ``=``: what follows a bare one is the next argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        stop = args.index("--") if "--" in args else len(args)
        return super().parse_args(ctx, [*self._plain(args[:stop]), *args[stop:]])

    def _plain(self, args: Sequence[str]) -> Iterator[str]:
        flags = {
            name: param
            for param in self.params
            if isinstance(param, click.Option) and param.is_flag
            for name in param.opts
        }
        for arg in args:
            name, equals, value = arg.partition("=")
            flag = flags.get(name) if equals else None
            if arg == "--dry-run":
                yield "--dry-run=server"
            elif flag is not None and value.lower() in _TRUE:
                yield name
            elif flag is not None and value.lower() in _FALSE:
                yield from flag.secondary_opts[:1]
            else:
                yield arg


def dry_run_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--dry-run``; use it with ``cls=Command``."""
    return click.option(
        "--dry-run",
        type=click.Choice(["none", "client", "server"]),
        default="none",
        help="Store nothing; a bare --dry-run is =server: the server checks everything.",
    )(command)


def manager_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--field-manager``."""
    return click.option(
        "--field-manager", "manager", default="plumctl", show_default=True, help="Who owns the changed fields."
    )(command)


def write_query(manager: str, dry_run: DryRun) -> dict[str, str]:
    """The query of a write."""
    return {"fieldManager": manager} | ({} if dry_run == "none" else {"dryRun": "All"})
