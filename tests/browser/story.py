"""What somebody does with a new app from its upload to its end, step by step, in the browser alone. Each step waits for
what it shows on the page as it stands: nobody reloads."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.conftest import User
from tests.browser.pages import connection, go, heading, state_of
from tests.browser.texts import Texts
from tests.browser.worlds import apps

SOON = 20_000
"""Milliseconds that processes, probes and rollouts may take on a busy machine."""

CRASH_CODE = 3


@dataclass
class Story:
    """One user, and the app that they bring; its task has the same name."""

    user: User
    name: str

    def __post_init__(self) -> None:
        self.page, self.say = self.user.page, Texts(self.user.look.language)
        self.instance = ""
        """The assignment that is looked at."""

    def upload(self, directory: Path) -> None:
        """Choose a zip on the page of apps."""
        package = apps.shop("1.0.0", self.name)
        archive = directory / f"{self.name}.zip"
        archive.write_bytes(package.archive)
        self.page.goto("/")
        go(self.page, self.say, "apps")
        expect(self._button("apps.actions.upload").first).to_be_visible()
        # What the button opens belongs to the desktop; the files chosen there come to this field.
        self.page.locator("main input[type=file]").first.set_input_files(archive)
        done = self.say("apps.uploads.done", name=self.name, version="1.0.0")
        expect(self.page.get_by_text(done)).to_be_visible(timeout=SOON)

    def create(self) -> None:
        """Go on from the upload to the form, which knows the app, and see the task come up."""
        self.page.get_by_role("link", name=self.say("apps.actions.createTask")).first.click()
        # A dry run says what is missing while it is half filled in.
        self.user.trouble.expect("422.*dryRun=All")
        expect(heading(self.page)).to_have_text(self.say("editor.create.title"))
        expect(self.page.get_by_label(self.say("editor.fields.taskName"), exact=True)).to_have_value(self.name)
        self._button("editor.form.more").click()
        self._button("editor.form.addPort").click()
        self.page.locator('[data-path="spec.entries[0].ports"] input').first.fill("http")
        self._button("editor.form.addVariable").click()
        variable = self.page.locator('[data-path="spec.entries[0].env"] input')
        variable.nth(0).fill("EVERY")
        variable.nth(1).fill("1")
        expect(self.page.get_by_text(self.say("editor.check.good"))).to_be_visible(timeout=SOON)
        self._button("editor.create.action").click()
        expect(self.page).to_have_url(re.compile(f"/tasks/{self.name}$"))
        self._is("words.task.healthy")

    def read_log(self) -> None:
        """From the task to its instance, and to the log as it is written."""
        self._tab("tasks.tabs.instances").click()
        link = self.page.get_by_role("link", name=re.compile(f"^{self.name}-main-")).first
        self.instance = (link.get_attribute("href") or "").rpartition("/")[2]
        link.click()
        expect(heading(self.page)).to_have_text(self.instance)
        self._tab("assignments.tabs.log").click()
        log = self.page.get_by_label(self.say("assignments.log.of", name=self.instance)).first
        expect(log).to_contain_text("shop 1.0.0 listens on", timeout=SOON)
        line = log.get_by_text(re.compile(r"order \d+ paid"))
        expect(line.first).to_be_visible(timeout=SOON)
        before = line.count()
        expect(line.nth(before)).to_be_visible(timeout=SOON)

    def see_it_crash(self, crash: Callable[[str], None]) -> None:
        """Its process fails again and again, and the page says how it ended and what was written before."""
        for _ in range(2):
            self._is("words.state.running", "words.state.restarted", "words.state.crashLoop")
            crash(self.instance)
        self._tab("assignments.tabs.overview").click()
        why = self.say.pattern("words.again.code")
        expect(self.page.get_by_text(why).first).to_be_visible(timeout=SOON)
        expect(self.page.get_by_text(why).first).to_contain_text(str(CRASH_CODE))
        self._is("words.state.crashLoop")
        self._tab("assignments.tabs.log").click()
        expect(self.page.get_by_text("ZeroDivisionError").first).to_be_visible(timeout=SOON)

    def scale_by_yaml(self) -> None:
        """Three copies instead of one, and another setting, as text; what will happen stands there before it does."""
        self.page.goto(f"/tasks/{self.name}/edit?view=yaml")
        editor = self.page.locator(".cm-content").first
        self._replace(editor, "replicas: 1", "replicas: 3")
        self._replace(editor, 'value: "1"', 'value: "2"')
        self._button("editor.edit.review").click()
        dialog = self.page.get_by_role("dialog", name=self.say("editor.review.title"))
        expect(dialog).to_contain_text(self.say.pattern("editor.effects.more", count=2), timeout=SOON)
        expect(dialog).to_contain_text("replicas: 3")
        dialog.get_by_role("button", name=self.say("shell.actions.save")).click()
        expect(self.page).to_have_url(re.compile(f"/tasks/{self.name}$"))
        self._ready(3)

    def roll_back(self) -> None:
        """To the setting of before; the count stays."""
        self._tab("tasks.tabs.history").click()
        self._button("tasks.revisions.back").first.click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_contain_text(self.say("tasks.rollback.stays"))
        dialog.get_by_role("button", name=self.say.pattern("tasks.rollback.action")).click()
        expect(dialog).to_be_hidden(timeout=SOON)
        self._ready(3)

    def lose_the_server(self, kill: Callable[[], None]) -> None:
        """It is gone for a moment: what is known stays in sight, and comes alive by itself."""
        kill()
        expect(connection(self.page)).to_have_text(self.say("shell.connection.reconnecting"), timeout=SOON)
        expect(heading(self.page)).to_have_text(self.name)
        expect(connection(self.page)).to_have_text(self.say("shell.connection.live"), timeout=2 * SOON)

    def delete(self) -> None:
        """With a question that names what goes with it."""
        self._button("shell.actions.more").click()
        self.page.get_by_role("menuitem", name=self.say("tasks.actions.delete")).click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_contain_text(self.name)
        expect(dialog).to_contain_text(self.say.pattern("tasks.effect.ends", count=3))
        dialog.get_by_role("button", name=self.say("tasks.ask.deleteAction")).click()
        go(self.page, self.say, "tasks")
        expect(self.page.get_by_role("link", name=self.name, exact=True)).to_have_count(0, timeout=SOON)

    def _is(self, *keys: str) -> None:
        """Wait until the head of the page shows one of these states."""
        words = "|".join(re.escape(self.say(key)) for key in keys)
        head = self.page.locator("header.page-header")
        expect(state_of(head).first).to_have_text(re.compile(f"^(?:{words})$"), timeout=SOON)

    def _ready(self, count: int) -> None:
        """Wait until so many of so many copies are ready, and nothing is under way."""
        told = self.say("tasks.head.ready", ready=count, desired=count)
        expect(self.page.get_by_text(told).first).to_be_visible(timeout=2 * SOON)
        self._is("words.task.healthy")

    def _tab(self, key: str) -> Locator:
        return self.page.get_by_role("tab", name=re.compile("^" + re.escape(self.say(key))))

    def _button(self, key: str) -> Locator:
        return self.page.get_by_role("button", name=self.say(key))

    def _replace(self, editor: Locator, old: str, new: str) -> None:
        """As with a keyboard: to the end of the line, and the line anew."""
        line = editor.locator(".cm-line").filter(has_text=old).first
        line.click()
        self.page.keyboard.press("End")
        for _ in old:
            self.page.keyboard.press("Backspace")
        self.page.keyboard.insert_text(new)
        expect(editor).to_contain_text(new)
