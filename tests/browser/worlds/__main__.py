"""Make a world to look at by hand: ``python -m tests.browser.worlds small --addr 127.0.0.1:8080``."""

import signal
import sys
import threading
from pathlib import Path

import click

from tests.browser.worlds import ageing, faults, large, small, storm, usage
from tests.browser.worlds.door import open_door
from tests.servers import running_apiserver

ADDR = click.option("--addr", default="127.0.0.1:8080", show_default=True, help="HOST:PORT of the API.")


@click.group()
def main() -> None:
    """Clusters to look at."""
    # So that a world which is asked to end takes its server along.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))


@main.command("small")
@ADDR
def small_world(addr: str) -> None:
    """Fill a cluster that runs with three tasks."""
    with open_door(f"http://{addr}") as door:
        small.fill(door)


@main.command("faults")
@ADDR
def faulty_world(addr: str) -> None:
    """Add four tasks that cannot work to a cluster that runs."""
    with open_door(f"http://{addr}") as door:
        faults.fill(door)


@main.command("large")
@ADDR
@click.option("--data-dir", type=click.Path(path_type=Path), required=True, help="A folder; what it holds is kept.")
def large_world(addr: str, data_dir: Path) -> None:
    """Run a server with 300 tasks on 40 nodes, of which nothing runs, until Ctrl-C."""
    if not (data_dir / ageing.DATABASE).exists():
        with running_apiserver(data_dir) as (_, url):
            large.fill(url)
        ageing.age(data_dir)
    with running_apiserver(data_dir, "--addr", addr) as (_, url), usage.reporting(url):
        click.echo(f"ready: {url}")
        threading.Event().wait()


@main.command("storm")
@ADDR
@click.option("--data-dir", type=click.Path(path_type=Path), required=True, help="A folder; what it holds is kept.")
@click.option("--rate", default=storm.CHANGES, show_default=True, help="Changes a second.")
def stormy_world(addr: str, data_dir: Path, rate: float) -> None:
    """Run a server with 5,000 assignments that change all the time, until Ctrl-C."""
    if not (data_dir / ageing.DATABASE).exists():
        storm.build(data_dir)
    with running_apiserver(data_dir, "--addr", addr) as (_, url), usage.reporting(url), storm.raging(url, rate):
        click.echo(f"ready: {url}")
        threading.Event().wait()


main()
