"""What a page complains about: errors on the console, exceptions, requests that fail or leave the origin, and
violations of the Content-Security-Policy. A test that has not said that it expects one fails."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

WATCH_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI || event.sourceFile}`)
})
"""

# A watch that a page has open when it is left ends so; nothing is wrong then.
ABORTED = "net::ERR_ABORTED"
INSIDE = ("data", "blob")


@dataclass
class Trouble:
    """Listens to all pages of a context."""

    origin: str
    seen: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    def listen(self, context: BrowserContext) -> None:
        """From now on."""
        context.add_init_script(WATCH_VIOLATIONS)
        context.on("page", self._listen_to)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed)
        context.on("response", self._on_response)

    def expect(self, pattern: str) -> None:
        """Complaints that contain the pattern are part of the test, before and after."""
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """What nobody has expected."""
        return [text for text in self.seen if not any(pattern.search(text) for pattern in self._expected)]

    def _listen_to(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.seen.append(f"exception: {error}"))
        page.on("crash", lambda _: self.seen.append("the page has crashed"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.seen.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in INSIDE and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.seen.append(f"left the origin: {request.url}")

    def _on_failed(self, request: Request) -> None:
        if request.failure != ABORTED:
            self.seen.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.seen.append(f"answered {response.status}: {response.request.method} {response.url}")
