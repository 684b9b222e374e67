"""Looks at a page that stands still, and says what is wrong with it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.browser.chromium import AXE, ROOT

SHIFTS = """
window.__shifts = []
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue
    const moved = entry.sources.map(({ node }) => {
      const element = node instanceof Element ? node : node?.parentElement
      return element ? `${element.tagName.toLowerCase()}.${[...element.classList].slice(0, 2).join(".")}` : "?"
    })
    window.__shifts.push({ value: entry.value, at: Math.round(entry.startTime), moved })
  }
}).observe({ type: "layout-shift", buffered: true })
"""

WORDS = frozenset(
    re.findall(
        r"\w+",
        "Plum plumctl kubectl YAML JSON CPU ID URL HTTP HTTPS GRPC TCP API SHA IP PID UTC UID Ctrl Alt Shift Enter Esc "
        "Tab English TERM INT QUIT HUP USR KILL KiB MiB GiB TiB Ki Mi Gi Ti kB MB GB TB ms ANSI TLS OpenAPI zip "
        "GET POST PUT Swagger Kubernetes npm Always OnFailure Never Held http https grpc tcp "
        "default shell startup readiness liveness",
    )
)
"""Words that are the same in Chinese: names, units, and what the API calls things."""

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
SERIOUS = ("serious", "critical")
LARGEST_SHIFT = 0.02
"""Cumulative layout shift that nobody notices."""


@dataclass(frozen=True)
class Findings:
    """What is wrong with a page."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    axe: list[str] = field(default_factory=list)
    shift: float = 0.0
    shifts: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """In words, one a finding."""
        told = [f"{kind}: {text}" for kind, texts in self.texts.items() for text in texts]
        told += [f"axe: {text}" for text in self.axe]
        if self.shift > LARGEST_SHIFT:
            told.append(f"jumps: layout shift {self.shift:.3f}: {'; '.join(self.shifts[:4])}")
        return told


@cache
def _look() -> str:
    return (Path(__file__).parent / "page.js").read_text(encoding="utf-8")


@cache
def _areas() -> list[str]:
    """The first parts of the keys of translations."""
    found = {path.stem for path in (ROOT / "ui" / "src" / "locales" / "en").glob("*.ts")}
    return sorted(found - {"index"})


def prepare(context: BrowserContext) -> None:
    """Have the pages of a context count their shifts, and know axe: the page's own policy forbids added scripts."""
    context.add_init_script(SHIFTS)
    context.add_init_script(AXE.read_text(encoding="utf-8"))


def look(page: Page, *, chinese: bool, known: Iterable[str] = ()) -> dict[str, list[str]]:
    """What is wrong with its texts. ``known`` are words that the page shows as they are: names of objects."""
    options = {"chinese": chinese, "known": sorted(WORDS | set(known)), "areas": _areas()}
    found: dict[str, list[str]] = page.evaluate(_look(), options)
    return found


def axe(page: Page, impacts: tuple[str, ...] = SERIOUS) -> list[str]:
    """What axe-core finds, one line a kind of violation, with where."""
    # Without frames there is nothing to wait for in them.
    script = "(rules) => axe.run(document, {runOnly: rules, resultTypes: ['violations'], iframes: false})"
    violations: list[dict[str, Any]] = page.evaluate(script, list(RULES))["violations"]
    return [
        f"{one['impact']} {one['id']}: {one['help']}: {_where(one['nodes'])}"
        for one in violations
        if one["impact"] in impacts
    ]


def _where(nodes: list[dict[str, Any]]) -> str:
    told = []
    for node in nodes[:5]:
        summary = re.sub(r"\s+", " ", node.get("failureSummary", "")).removeprefix("Fix any of the following: ")
        told.append(f"{' '.join(map(str, node['target']))} ({summary[:140]})")
    return "; ".join(told) + (f" and {len(nodes) - 5} more" if len(nodes) > 5 else "")


def shifts(page: Page) -> tuple[float, list[str]]:
    """How far the page has jumped since it was opened, and what did."""
    found: list[dict[str, Any]] = page.evaluate("() => window.__shifts ?? []")
    worst = sorted(found, key=lambda one: -one["value"])
    told = [f"{one['value']:.3f} at {one['at']} ms by {', '.join(one['moved'][:3])}" for one in worst]
    return sum(one["value"] for one in found), told


def inspect(page: Page, *, chinese: bool, known: Iterable[str] = ()) -> Findings:
    """Everything at once."""
    shift, told = shifts(page)
    return Findings(look(page, chinese=chinese, known=known), axe(page), shift, told)
