"""An agent of another version: another text of its shims, another version told to the server, and records of a format
that only it and later ones know.

``SOAK_AGENT`` says which: ``FORMAT:NAME``.
"""

import os

from agent import __main__, folders, instances, launching, shim

VARIABLE = "SOAK_AGENT"
VERSIONS = ((1, "a"), (1, "b"), (1, "a"), (2, "b"), (2, "c"), (3, "a"))
"""Agents in the order in which they follow each other: forth, and back where the format allows it."""


def environ(version: int) -> dict[str, str]:
    """What makes this module that version."""
    number, name = VERSIONS[version % len(VERSIONS)]
    return {VARIABLE: f"{number}:{name}"}


def change(number: int, name: str) -> None:
    """Become that version."""
    text = shim.SHIM.replace("sleep 0.02", f"sleep 0.0{ord(name) % 5 + 1}") + f"# version {name}\n"
    assert text.count("sleep 0.0") == 1
    shim.SHIM = text
    vars(launching)["SHIM"] = text
    for module in (instances, folders):
        assert vars(module)["FORMAT"] == 1
        vars(module)["FORMAT"] = number
    instances.Record.model_fields["format"].default = number
    instances.Record.model_rebuild(force=True)
    assert instances.Record(namespace="n", name="n", uid="u").format == number
    vars(__main__)["_version"] = lambda: f"{number}.{name}"


if __name__ == "__main__":
    wanted, _, letter = os.environ[VARIABLE].partition(":")
    change(int(wanted), letter)
    __main__.main()
