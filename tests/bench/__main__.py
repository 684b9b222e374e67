"""``make bench``: all groups as one table. ``python -m tests.bench creates reads --quick`` runs some of them."""

import os
import resource
import tempfile
import time
from pathlib import Path

import click

from tests.bench import creates, fanout, heartbeats, holding, memory, probes, reads, tasks, ui, v1
from tests.bench.table import FULL, HEADING, QUICK

GROUPS = {
    "creates": creates.run,
    "reads": reads.run,
    "fanout": fanout.run,
    "heartbeats": heartbeats.run,
    "memory": memory.run,
    "tasks": tasks.run,
    "probes": probes.run,
    "holding": holding.run,
    "v1": v1.run,
    "ui": ui.run,
}


@click.command()
@click.argument("groups", nargs=-1, type=click.Choice(list(GROUPS)))
@click.option(
    "--quick", is_flag=True, help="A tenth of the loads, to try the bench itself; the aims are for the whole."
)
def main(groups: tuple[str, ...], quick: bool) -> None:
    """Measure the groups, by default all. Servers have the first processor, the generator the last one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each client is a connection
    began = time.monotonic()
    click.echo(str(HEADING))
    for name in groups or GROUPS:
        click.echo(f"\n{name} (load average {os.getloadavg()[0]:.1f})")
        with tempfile.TemporaryDirectory() as folder:
            for row in GROUPS[name](Path(folder), QUICK if quick else FULL):
                click.echo(str(row))
    click.echo(f"\nmeasured in {time.monotonic() - began:.0f} s on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
