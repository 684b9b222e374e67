"""The web UI in a browser that sees it for the first time: what Overview loads, and how long until it shows.

A fleet of 300 tasks on 40 nodes, in Debian's Chromium with an empty cache, on the generator's one core. Beside it a
page of one sentence, from the same server in the same browser: what no page can be faster than.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, Response

from apiserver.server.http.ui_files import BUILT
from tests.bench.processes import plum
from tests.bench.table import Row, Scale, ratios
from tests.browser.chromium import launched, missing
from tests.browser.worlds import large

TIMES = 5
QUIET_MS = 1500
"""A page has come to rest when the browser's main thread had no long task for so long."""

OVERVIEW, BARE = "/overview", "/bare.html"
KINDS = {".js": "scripts", ".css": "styles"}
BODY = "<!doctype html><html lang='en'><meta charset='utf-8'><title>Bare</title><p>This is all."

# Long tasks and paints are told to who looks for them; a task blocks for what it lasts over 50 ms.
WATCH = """
window.bench = { blocked: 0, painted: 0, largest: 0, last: 0 }
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  window.bench.blocked += Math.max(0, entry.duration - 50)
  window.bench.last = performance.now()
})).observe({ type: "longtask", buffered: true })
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  window.bench.largest = entry.startTime
})).observe({ type: "largest-contentful-paint", buffered: true })
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (entry.name === "first-contentful-paint") window.bench.painted = entry.startTime
})).observe({ type: "paint", buffered: true })
"""
AT_REST = f"() => window.bench.painted && performance.now() - window.bench.last > {QUIET_MS}"


@dataclass
class Visit:
    """One page, loaded once with an empty cache; milliseconds since the browser went there."""

    painted: float
    largest: float
    blocked: float
    sizes: Counter[str]
    """Bytes of files as they came over the wire, without headers, by kind."""


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    lacking = missing()
    if lacking:
        yield Row(f"the web UI: {lacking}", "")
        return
    pages = folder / "pages"
    shutil.copytree(BUILT, pages)
    (pages / BARE[1:]).write_text(BODY)
    with plum(folder / "server", "--ui-dir", str(pages)) as server:
        url = f"http://127.0.0.1:{server.address[1]}"
        large.fill(url)
        times = scale.count(TIMES)
        with launched() as browser:
            _visit(browser, url, OVERVIEW)  # the server compresses each file once
            bare, overview = [], []
            for _ in range(times):
                bare.append(_visit(browser, url, BARE))
                overview.append(_visit(browser, url, OVERVIEW))
    yield from _rows(bare, overview)


def _rows(bare: list[Visit], overview: list[Visit]) -> Iterator[Row]:
    sizes = overview[-1].sizes
    told = ", ".join(f"{kind} {size / 1000:.0f}" for kind, size in sizes.most_common())
    yield Row("Overview, its first load in gzip", f"{sizes.total() / 1000:.0f} kB: {told}", "", "< 300 kB")
    raw = [visit.painted for visit in bare]
    times = f"{len(bare)} times"
    yield Row(f"a page of one sentence, first contentful paint, {times}", _middle(raw))
    for what, figures in (
        ("first contentful paint", [visit.painted for visit in overview]),
        ("largest contentful paint", [visit.largest for visit in overview]),
    ):
        yield Row(f"Overview of 300 tasks, {what}, {times}", _middle(figures), ratios(figures, raw))
    yield Row("a page of one sentence, total blocking time", _middle([visit.blocked for visit in bare]))
    yield Row("Overview of 300 tasks, total blocking time", _middle([visit.blocked for visit in overview]))


def _middle(figures: list[float]) -> str:
    return f"{median(figures):.0f} ms ({min(figures):.0f} to {max(figures):.0f})"


def _visit(browser: Browser, url: str, path: str) -> Visit:
    """Go there with a cache of its own, and wait until nothing happens any more."""
    answers: list[Response] = []
    before = _served(url)
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.add_init_script(WATCH)
        page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it is marked, and a method cannot be
        page.goto(url + path)
        page.wait_for_function(AT_REST, timeout=60_000)
        found = page.evaluate("window.bench")
        sizes = _sizes(answers)
    sizes["workers"] = _served(url) - before - sizes.total()  # what the page itself has not asked for
    return Visit(found["painted"], found["largest"], found["blocked"], sizes)


def _served(url: str) -> int:
    """Bytes of all files of the UI that the server has sent."""
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    found = re.findall(r'^apiserver_response_sizes_sum\{[^}]*resource="ui"[^}]*\} (\S+)$', text, re.MULTILINE)
    return round(sum(map(float, found)))


def _sizes(answers: list[Response]) -> Counter[str]:
    found: Counter[str] = Counter()
    for answer in answers:
        path = urlsplit(answer.url).path
        if not path.startswith(("/api", "/v1")):
            found[KINDS.get(Path(path).suffix, "others")] += answer.request.sizes()["responseBodySize"]
    return found
