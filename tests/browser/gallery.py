"""Pictures of every page in every variant, on one sheet, and what is mechanically wrong with each:
``python -m tests.browser.gallery OUT --world small --lang en,zh --theme light,dark --width 1440,390``.

Without ``--url`` it makes the world itself. The UI comes from the server, or with ``--ui`` from where it is developed.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.browser.chromium import launched
from tests.browser.inspection import inspect
from tests.browser.looks import HEIGHTS, Language, Look, Theme
from tests.browser.sheet import contact_sheets
from tests.browser.shots import EMPTY, GUARDED, WORLD, Shot, bare, shots
from tests.browser.trouble import Trouble
from tests.browser.worlds import faults, large, small, usage
from tests.browser.worlds.ageing import age
from tests.browser.worlds.door import Door, open_door
from tests.e2e.cluster import running_cluster
from tests.servers import running_apiserver

NARROW_UP_TO = 860
"""Pixels up to which the navigation is in a menu."""

SHOWN = "() => document.querySelector('#app > *') && !document.querySelector('[aria-busy=true], .skeleton')"
"""The application is there, and has what it asked for."""

AT_REST = """() => new Promise((resolve) => {
  const moves = () => document.getAnimations().some((one) =>
    one.playState === "running" && one.effect?.getComputedTiming().endTime !== Infinity)
  const look = (calm) => moves() ? requestAnimationFrame(() => look(0))
    : calm < 3 ? requestAnimationFrame(() => look(calm + 1)) : resolve(true)
  look(0)
})"""
"""Three frames in a row without a transition that ends: what moves in starts in the frame after it is there."""


@dataclass(frozen=True)
class Gallery:
    """Where pictures are taken, and where they go."""

    browser: Browser
    servers: Mapping[str, str]
    """URLs, by what the server is for."""
    out: Path
    known: frozenset[str]

    def take(self, look: Look, found: list[Shot]) -> dict[str, list[str]]:
        """All pictures of one look; what is wrong, by picture."""
        folder = self.out / str(look)
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            contexts = {name: self._context(look, url, stack) for name, url in self.servers.items()}
            wrong: dict[str, list[str]] = {}
            for shot in found:
                if shot.narrow_only and look.width > NARROW_UP_TO:
                    continue
                context, trouble = contexts[shot.at]
                trouble.seen.clear()
                page = context.new_page()
                told = self._one(page, shot, look, folder)
                page.close()
                wrong[shot.name] = told + [f"complains: {text}" for text in trouble.seen if not shot.is_troubled]
        taken = [folder / f"{shot.name}.png" for shot in found]
        contact_sheets([path for path in taken if path.exists()], self.out, str(look))
        return {name: lines for name, lines in wrong.items() if lines}

    def _context(self, look: Look, url: str, stack: ExitStack) -> tuple[BrowserContext, Trouble]:
        context = look.context(self.browser, url)
        stack.callback(context.close)
        trouble = Trouble(url)
        trouble.listen(context)
        inspect.prepare(context)
        return context, trouble

    def _one(self, page: Page, shot: Shot, look: Look, folder: Path) -> list[str]:
        page.set_default_timeout(6000)
        told = []
        try:
            page.goto(shot.path)
            settle(page)
            shot.prepare(page)
            settle(page)
        except Error as error:
            told.append(f"not reached: {error.message.splitlines()[0]}")
        path = folder / f"{shot.name}.png"
        grow(page, look.width)
        page.screenshot(path=path)
        findings = inspect.inspect(page, chinese=look.language == "zh", known=self.known)
        shot.after()
        return told + findings.lines()


def settle(page: Page) -> None:
    """Wait until the page has what it asked for, and nothing moves. Watches never end, so that the network is never
    idle."""
    page.wait_for_load_state("load")
    page.wait_for_function(SHOWN, timeout=6000)
    page.evaluate(AT_REST)


def grow(page: Page, width: int) -> None:
    """Make the window as high as what scrolls in it, within bounds: the page's frame is as high as the window."""
    wanted = page.evaluate("() => document.querySelector('main')?.scrollHeight ?? document.body.scrollHeight")
    least = HEIGHTS.get(width, 900)
    page.set_viewport_size({"width": width, "height": max(least, min(3000, int(wanted) + 60))})
    settle(page)


def known_words(door: Door) -> frozenset[str]:
    """Names of objects and their labels: they are the same in every language."""
    found: set[str] = set()
    for plural in ("tasks", "assignments", "nodes", "apps", "services"):
        for body in door.items(plural):
            meta, spec = body["metadata"], body.get("spec", {})
            found |= {meta["name"], str(spec.get("name", "")), *map(str, meta.get("labels", {}).values())}
            found |= {one["manager"] for one in meta.get("managedFields", ())}
            found |= set(meta.get("labels", {})) | {entry["name"] for entry in spec.get("entries", ())}
    return frozenset(found)


@contextmanager
def world(name: str, directory: Path) -> Iterator[str]:
    """A server with the world; its URL."""
    if name == "large":
        with running_apiserver(directory) as (_, url):
            large.fill(url)
        age(directory)
        with running_apiserver(directory) as (_, url), usage.reporting(url):
            yield url
    else:
        with running_cluster(directory, nodes=3) as cluster:
            with open_door(cluster.url) as door:
                small.fill(door)
                faults.fill(door)
            yield cluster.url


class Interrupted:
    """A server with nothing that can be stopped, and started again at the same address."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._stack = directory, ExitStack()
        self.url = self._stack.enter_context(running_apiserver(directory))[1]

    def stop(self) -> None:
        """It is away."""
        self._stack.close()

    close = stop

    def start(self) -> None:
        """It is back."""
        self._stack.enter_context(running_apiserver(self._directory, "--addr", self.url.removeprefix("http://")))


def _tokens(directory: Path) -> str:
    path = directory / "tokens"
    path.write_text("a-token-of-a-gallery,ann\n", encoding="utf-8")
    return str(path)


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--world", "name", type=click.Choice(["small", "large"]), default="small", show_default=True)
@click.option("--url", default="", help="A server that has the world already.")
@click.option("--ui", default="", help="Where the UI is, if not at the server.")
@click.option("--lang", default="en,zh", show_default=True)
@click.option("--theme", default="light,dark", show_default=True)
@click.option("--width", default="1440,390", show_default=True)
@click.option("--only", default="", help="Pictures whose name contains this alone.")
def main(*, out: Path, name: str, url: str, ui: str, lang: str, theme: str, width: str, only: str) -> None:
    """Take pictures of every page, and say what is wrong with each."""
    looks = [
        Look(_language(one), _theme(other), int(wide))
        for wide in width.split(",")
        for one in lang.split(",")
        for other in theme.split(",")
    ]
    with ExitStack() as stack:
        if not url:
            url = stack.enter_context(world(name, Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        door = stack.enter_context(open_door(url))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        empty = stack.enter_context(closing(Interrupted(directory / "empty")))
        guarded = stack.enter_context(running_apiserver(directory / "guarded", "--token-file", _tokens(directory)))[1]
        servers = {WORLD: ui or url, EMPTY: empty.url, GUARDED: guarded}
        found = [shot for shot in (*shots(door), *bare(empty.stop, empty.start)) if only in shot.name]
        gallery = Gallery(stack.enter_context(launched()), servers, out, known_words(door))
        report: dict[str, dict[str, list[str]]] = {}
        for look in looks:
            report[str(look)] = gallery.take(look, found)
            (out / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")
            for shot, lines in report[str(look)].items():
                for line in lines:
                    click.echo(f"{look} {shot}: {line}")


def _language(text: str) -> Language:
    if text not in ("en", "zh"):
        raise click.BadParameter(f"{text!r} is neither en nor zh")
    return "zh" if text == "zh" else "en"


def _theme(text: str) -> Theme:
    if text not in ("light", "dark"):
        raise click.BadParameter(f"{text!r} is neither light nor dark")
    return "dark" if text == "dark" else "light"


if __name__ == "__main__":
    main()
