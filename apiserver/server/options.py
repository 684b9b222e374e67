"""What options of the command line may say, beyond what click knows."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import click

from apiserver.server import original


class Duration(click.ParamType[timedelta]):
    """A time such as ``90s``, ``30m``, ``24h`` or ``7d``."""

    name = "duration"
    _UNITS: ClassVar = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """See click."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,6})([smhd])", str(value))
        if not found:
            self.fail(f"{value!r} is not a duration: write a number and s, m, h or d, for example 24h", param, ctx)
        duration = timedelta(**{self._UNITS[found[2]]: int(found[1])})
        if duration < timedelta(minutes=1):
            self.fail(f"{value!r} is too short: give at least 1m", param, ctx)
        return duration


class Origin(click.ParamType[str]):
    """Where a web page comes from, as browsers write it (``scheme://host[:port]`` in lower case, without the port
    that goes without saying), or ``*``."""

    name = "origin"
    _FORM: ClassVar = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
    _SILENT: ClassVar = {"http": 80, "https": 443}

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See click."""
        text = str(value)
        if text == "*":
            return text
        found = self._FORM.fullmatch(text.lower())
        port = int(found[3] or self._SILENT[found[1]]) if found else 0
        if not found or not 1 <= port <= 65535:
            self.fail(f"{text!r} is no origin: write http://HOST[:PORT] or https://…, without a path, or *", param, ctx)
        return f"{found[1]}://{found[2]}" + ("" if port == self._SILENT[found[1]] else f":{port}")


def data_dir_or_original(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path:
    """The data directory: as given, or the folder of the original's database. Raises click.MissingParameter."""
    found = value or original.data_dir(os.environ)
    if found is None:
        raise click.MissingParameter(ctx=ctx, param=param)
    return found
