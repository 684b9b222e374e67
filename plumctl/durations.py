"""Durations on the command line as Go writes them: ``30s``, ``1m30s``, ``1.5h``, ``-1s``; a bare number is seconds."""

import re

import click

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(ns|us|µs|ms|s|m|h)")
_WHOLE = re.compile(rf"([+-]?)((?:{_PART.pattern})+)")
_BARE = re.compile(r"[+-]?([0-9]{1,12}(\.[0-9]{0,12})?|\.[0-9]{1,12})")


def read_seconds(text: str) -> float:
    """The duration in seconds. Raises ValueError."""
    if _BARE.fullmatch(text):
        return float(text)
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration: write 30s, 1m30s or 2h, or a number of seconds")
    seconds = sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(found[2]))
    return -seconds if found[1] == "-" else seconds


class Duration(click.ParamType[float]):
    """An option's value that says how long, in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See click."""
        if isinstance(value, int | float):
            return float(value)
        try:
            return read_seconds(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
