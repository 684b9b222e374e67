"""Points in the past on the command line: a version, a time, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

import click

from apiserver.api.meta import format_micro_time, parse_time

Query = dict[str, str]

_PART = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HELP = "write a version (1234), a time (2026-01-02T15:04:05Z), or how long ago (90s, 10m, 2h, 1d12h)"


def read_moment(text: str, now: datetime) -> Query:
    """The query of a GET that asks for an object as it was then. Raises ValueError."""
    if text.isascii() and text.isdigit() and int(text):
        return {"resourceVersion": text, "resourceVersionMatch": "Exact"}
    try:
        ago = read_duration(text)
        return {"at": format_micro_time(parse_time(text) if ago is None else now - ago)}
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} names no point in the past: {_HELP}") from None


def read_duration(text: str) -> timedelta | None:
    """How long ``90s``, ``10m`` or ``1d12h`` is; None for what is no duration. Raises OverflowError."""
    if not re.fullmatch(rf"({_PART.pattern})+", text):
        return None
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _PART.findall(text)), timedelta())


class Moment(click.ParamType[Query]):
    """An option's value that names a point in the past."""

    name = "version|time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Query:
        """See click."""
        if isinstance(value, dict):
            return value
        try:
            return read_moment(str(value), datetime.now(UTC))
        except ValueError as error:
            self.fail(str(error), param, ctx)
