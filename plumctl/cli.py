"""The group of commands, the options they share, and errors as one line with a hint."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click

from apiserver.api.errors import ApiError, Conflict, ServiceUnavailable, Unauthorized
from apiserver.client.config import Config, ConfigError
from apiserver.client.kubeconfig import load
from apiserver.client.rest import RestClient

MANAGER = "plumctl"
T = TypeVar("T")

_HINTS: tuple[tuple[type[ApiError], str], ...] = (
    (ServiceUnavailable, "is it running? plumctl up starts one; --server, PLUM_SERVER or KUBECONFIG say where"),
    (Unauthorized, "set PLUM_TOKEN, or a token or client certificate in the kubeconfig"),
)


class Failure(click.ClickException):
    """An error of ours: one line, exit code 1."""

    def show(self, file: Any = None) -> None:
        """Print ``error: …``; a message of several lines is several errors."""
        for line in self.message.splitlines():
            click.echo(f"error: {line}", err=True)


def explain_error(error: ApiError) -> Failure:
    """An API error as a user should read it."""
    hint = next((text for kind, text in _HINTS if isinstance(error, kind) and "CERTIFICATE" not in error.message), "")
    if isinstance(error, Conflict) and error.details.causes:
        hint = "another manager owns these fields; --force-conflicts takes them over"
    return Failure(f"{error.message} ({hint})" if hint else error.message)


@dataclass(frozen=True)
class Session:
    """What commands are given: where the server is."""

    server: str = ""
    kubeconfig: str = ""

    def config(self) -> Config:
        """The server's address. Raises Failure."""
        try:
            return load(os.environ, server=self.server, kubeconfig=self.kubeconfig)
        except ConfigError as error:
            raise Failure(str(error)) from error

    def run(self, work: Callable[[RestClient], Awaitable[T]]) -> T:
        """Do the work with a client. API errors end the program with one line and code 1."""
        config = self.config()

        async def main() -> T:
            async with RestClient(config, manager=MANAGER) as client:
                return await work(client)

        try:
            return asyncio.run(main())
        except ApiError as error:
            raise explain_error(error) from error


_pass_object = click.make_pass_decorator(Session)


def pass_session(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the session to a command, which takes --server and --kubeconfig too: people write them last."""
    return _passed(command, "kubeconfig", "server")


def pass_kubeconfig(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the session to a command that asks no server; it takes --kubeconfig."""
    return _passed(command, "kubeconfig")


def _passed(command: Callable[..., Any], *names: str) -> Callable[..., Any]:
    for name in names:
        command = click.option(f"--{name}", default="", hidden=True, expose_value=False, callback=_override)(command)
    return _pass_object(command)


def _override(context: click.Context, option: click.Parameter, value: str) -> None:
    if value and option.name:
        context.obj = replace(context.obj or Session(), **{option.name: value})


_NAMESPACE = "plumctl.namespace"


def _given_before_the_command() -> str:
    return str(click.get_current_context().meta.get(_NAMESPACE, ""))


namespace_option = click.option(
    "-n", "--namespace", default=_given_before_the_command, help="Namespace; by default the kubeconfig's."
)


class Commands(click.Group):
    """The group; what goes wrong becomes one line, and an exit code: 1 refused or failed, 2 usage, 130 Ctrl-C."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.sections: dict[str, list[str]] = {}
        """The names of the commands by heading."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their first lines, section by section."""
        longest = max((len(name) for name in self.commands), default=0)
        for title, names in self.sections.items():
            with formatter.section(title):
                limit = formatter.width - 6 - longest
                formatter.write_dl(
                    [(f"{name:<{longest}}", self.commands[name].get_short_help_str(limit)) for name in names]
                )

    def main(self, *args: Any, **extra: Any) -> Any:
        """See click.Command.main."""
        try:
            code = super().main(*args, **extra | {"standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(2)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "plumctl"
            click.echo(f"error: {error.format_message()} ({path} --help shows what there is)", err=True)
            sys.exit(2)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            sys.exit(130)
        except BrokenPipeError:
            quiet_pipe()
            sys.exit(0)
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--server", default="", help="Address of the API server (PLUM_SERVER).")
@click.option("--kubeconfig", default="", help="A kubeconfig file (KUBECONFIG).")
@click.option("-n", "--namespace", default="", help="Namespace; by default the kubeconfig's.")
@click.pass_context
def cli(context: click.Context, server: str, kubeconfig: str, namespace: str) -> None:
    """Run plain processes on a fleet of machines.

    \b
      plumctl up                              everything on this machine
      plumctl app push ./app                  upload an app
      plumctl apply -f task.yaml              declare what should run
      plumctl get assignments -w              watch it happen
    """
    context.obj = Session(server, kubeconfig)
    context.meta[_NAMESPACE] = namespace


def talk(text: str) -> None:
    """Say something that is not data."""
    click.echo(text, err=True)


def quiet_pipe() -> None:
    """A reader that has gone (``| head``) is no error."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
