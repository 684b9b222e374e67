"""Debian's Chromium, driven by Playwright, and the built UI: what browser tests cannot do without."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import apiserver.server

ROOT = Path(__file__).parents[2]
BUILT = Path(apiserver.server.__file__).parent / "ui" / "index.html"
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
REQUIRED = "PLUM_REQUIRE_BROWSER"
"""Environment: without it, tests skip where something is missing."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
)


def executable() -> str | None:
    """Where Chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def missing() -> str:
    """What browser tests lack on this machine, in a sentence; empty if nothing."""
    if executable() is None:
        return "there is no Chromium: apt-get install chromium fonts-noto-cjk"
    if not BUILT.exists():
        return "the web UI is not built: make ui"
    return "" if AXE.exists() else "the web UI's packages are not installed: make ui"


def is_required() -> bool:
    """Whether a machine without a browser fails instead of passing over these tests."""
    return os.environ.get(REQUIRED) == "1"


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
