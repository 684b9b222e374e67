"""What a page costs: memory of its processes, and the time from a click to its effect on the screen."""

from dataclasses import dataclass

import psutil
from playwright.sync_api import Browser, Locator, Page

MIB = 1024**2

LIMIT_MS = 30_000

CLOCK = """
() => {
  const holds = () => (CONDITION)
  window.__effect = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no effect of the click within LIMIT ms: CONDITION`)), LIMIT)
    addEventListener("click", (event) => {
      // The event's own time is when the click came, also when the page was busy then.
      const look = () => holds() ? requestAnimationFrame(() => resolve(performance.now() - event.timeStamp))
                                 : requestAnimationFrame(look)
      look()
    }, { capture: true, once: true })
  })
}
"""

FRAMES = """
(milliseconds) => { window.__frames = new Promise((resolve) => {
  const gaps = []
  let before = performance.now()
  const begun = before
  const tick = (now) => {
    gaps.push(now - before)
    before = now
    if (now - begun < milliseconds) requestAnimationFrame(tick)
    else resolve(gaps.slice(1))
  }
  requestAnimationFrame(tick)
}) }
"""


@dataclass(frozen=True)
class Memory:
    """In MiB, of the largest renderer: the page's, which mostly holds the shared worker too."""

    resident: float
    """With what it shares with other processes: Chromium's own code, about 100 MiB."""
    own: float
    """What would be free if it ended."""
    heap: float
    """What the page's script holds, after a collection of garbage."""

    def __str__(self) -> str:
        return f"{self.resident:.0f} MiB resident, {self.own:.0f} of them its own; heap {self.heap:.0f}"


def memory(browser: Browser, page: Page) -> Memory:
    """What the tab's process holds now."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"] / MIB
    session.detach()
    whole = browser.new_browser_cdp_session()
    processes = whole.send("SystemInfo.getProcessInfo")["processInfo"]
    whole.detach()
    sizes = [_sizes(one["id"]) for one in processes if one["type"] == "renderer"]
    return Memory(*max(sizes, default=(0.0, 0.0)), heap)


def _sizes(pid: int) -> tuple[float, float]:
    try:
        found = psutil.Process(pid).memory_full_info()
    except psutil.Error:
        return 0.0, 0.0
    return found.rss / MIB, found.uss / MIB


def click_to_effect(page: Page, what: Locator, condition: str) -> float:
    """Milliseconds from the click to the first frame drawn after the condition, an expression of script, holds."""
    what.scroll_into_view_if_needed()
    page.evaluate(CLOCK.replace("CONDITION", condition).replace("LIMIT", str(LIMIT_MS)))
    what.click()
    found: float = page.evaluate("() => window.__effect")
    return found


def frames_while_scrolling(page: Page, seconds: float) -> list[float]:
    """Milliseconds between the frames while the wheel is turned."""
    page.evaluate(FRAMES, seconds * 1000)
    for number in range(round(seconds * 10)):
        page.mouse.wheel(0, 400 if number % 20 < 15 else -900)
        page.wait_for_timeout(100)
    found: list[float] = page.evaluate("() => window.__frames")
    return found
