"""The variants a page is looked at in: language, theme, width."""

from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Browser, BrowserContext

Language = Literal["en", "zh"]
Theme = Literal["light", "dark"]

WIDE, NARROW = 1440, 390
HEIGHTS = {WIDE: 900, NARROW: 844}
LOCALES: dict[Language, str] = {"en": "en-GB", "zh": "zh-CN"}


@dataclass(frozen=True)
class Look:
    """One variant."""

    language: Language = "en"
    theme: Theme = "light"
    width: int = WIDE

    def __str__(self) -> str:
        return f"{self.language}-{self.theme}-{self.width}"

    def context(self, browser: Browser, base_url: str) -> BrowserContext:
        """What a user with these preferences comes with."""
        return browser.new_context(
            base_url=base_url,
            locale=LOCALES[self.language],
            color_scheme=self.theme,
            viewport={"width": self.width, "height": HEIGHTS.get(self.width, 900)},
            timezone_id="UTC",
        )


EN_LIGHT, ZH_DARK = Look("en", "light"), Look("zh", "dark")
EN_DARK, ZH_LIGHT = Look("en", "dark"), Look("zh", "light")
EN_NARROW, ZH_NARROW = Look("en", "light", NARROW), Look("zh", "dark", NARROW)
