"""Which pictures there are: every page, and what can be opened on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from playwright.sync_api import Page

from tests.browser.worlds.door import Door, Json

Prepare = Callable[[Page], None]


def _nothing(page: Page) -> None:
    """The page as it comes."""


WORLD, EMPTY, GUARDED = "world", "empty", "guarded"
"""Servers: with the world, with nothing, and one that wants a token."""


@dataclass(frozen=True)
class Shot:
    """A picture."""

    name: str
    path: str
    prepare: Prepare = _nothing
    after: Callable[[], None] = lambda: None
    """What puts the world right again."""
    at: str = WORLD
    """Which server the page is of."""
    narrow_only: bool = False
    is_troubled: bool = False
    """Whether complaints of the page are part of it."""


def shots(door: Door) -> list[Shot]:
    """All pictures of a world."""
    return [*_lists(), *_details(door), *_others()]


def bare(stop: Callable[[], None], start: Callable[[], None]) -> Iterator[Shot]:
    """Pictures of a server that has nothing, of one that asks for a token, and of one that is away."""
    for name in ("", "tasks", "assignments", "nodes", "apps", "services", "events", "tasks/create"):
        yield Shot(f"empty-{name.replace('/', '-') or 'overview'}", f"/{name}", at=EMPTY)
    yield Shot("signed-out", "/", at=GUARDED, is_troubled=True)
    yield Shot("reconnecting", "/tasks", lambda page: _lose(page, stop), start, EMPTY, is_troubled=True)


def _lose(page: Page, stop: Callable[[], None]) -> None:
    stop()
    page.locator(".connection.reconnecting:visible").first.wait_for()


def _lists() -> Iterator[Shot]:
    for plural in ("tasks", "assignments", "nodes", "apps", "services", "events"):
        yield Shot(plural, f"/{plural}")
        yield Shot(f"{plural}-nothing-found", f"/{plural}", _search("nothing-is-called-so"))


def _others() -> Iterator[Shot]:
    yield Shot("overview", "/")
    yield Shot("menu", "/", _open_menu, narrow_only=True)
    yield Shot("keys", "/tasks", _show_keys)
    yield Shot("task-create", "/tasks/create")
    yield Shot("settings", "/settings")
    yield Shot("not-found", "/no/such/page")
    yield Shot("task-not-found", "/tasks/no-such-task", is_troubled=True)
    yield Shot("assignment-not-found", "/assignments/no-such-assignment")


def _details(door: Door) -> Iterator[Shot]:
    for name, task in _by_condition(door).items():
        path = f"/tasks/{quote(task)}"
        yield Shot(f"task-{name}", path)
        yield from _tabs(f"task-{name}", path, 6 if name == "well" else 0)
        if name == "well":
            yield Shot(f"task-{name}-edit", f"{path}/edit")
    for name, copy in _by_phase(door).items():
        path = f"/assignments/{quote(copy)}"
        yield Shot(f"assignment-{name}", path)
        yield from _tabs(f"assignment-{name}", path, 3 if name in ("running", "backoff") else 0)
    for name, node in _by_readiness(door).items():
        yield Shot(f"node-{name}", f"/nodes/{quote(node)}")
    apps = sorted({app["spec"]["name"] for app in door.items("apps")})
    yield Shot("app", f"/apps/{quote(_most_versions(door, apps))}")
    for service in door.items("services")[:2]:
        name = service["metadata"]["name"]
        yield Shot(f"service-{name}", f"/services/{quote(name)}")


def _tabs(name: str, path: str, count: int) -> Iterator[Shot]:
    for number in range(1, count):
        yield Shot(f"{name}-tab{number}", path, _choose_tab(number))


def _choose_tab(number: int) -> Prepare:
    def prepare(page: Page) -> None:
        tabs = page.get_by_role("tab")
        if tabs.count() > number:
            tabs.nth(number).click()
            tabs.nth(number).and_(page.locator("[aria-selected=true]")).wait_for()

    return prepare


def _search(text: str) -> Prepare:
    def prepare(page: Page) -> None:
        page.get_by_role("search").get_by_role("textbox").first.fill(text)

    return prepare


def _open_menu(page: Page) -> None:
    page.locator("button[aria-expanded=false]").first.click()
    page.locator("button[aria-expanded=true]").first.wait_for()


def _show_keys(page: Page) -> None:
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()


def _by_condition(door: Door) -> dict[str, str]:
    """One task of each kind: what is wrong with it, or that it is well, stopped, or has several entries."""
    found: dict[str, str] = {}
    for task in door.items("tasks"):
        name = task["metadata"]["name"]
        conditions = {one["type"]: one for one in task.get("status", {}).get("conditions", ())}
        false = [one for kind, one in conditions.items() if one["status"] == "False"]
        what = false[-1]["reason"].lower() if false else "well"
        if conditions.get("Progressing", {}).get("reason") == "RollingOut":
            what = "rolling"
        if what == "well" and len(task["spec"]["entries"]) > 1:
            what = "several"
        found.setdefault(what, name)
    return found


def _by_phase(door: Door) -> dict[str, str]:
    """One assignment of each phase, and a running one that is not ready."""
    found: dict[str, str] = {}
    for copy in door.items("assignments"):
        phase = str(copy.get("status", {}).get("phase") or "Pending").lower()
        if phase == "running" and not _is_true(copy, "Ready"):
            phase = "unready"
        if phase == "preparing" and copy["status"].get("reason") == "Preparing":
            continue
        found.setdefault(phase, copy["metadata"]["name"])
    return found


def _by_readiness(door: Door) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in door.items("nodes"):
        what = "well" if _is_true(node, "Ready") else "lost"
        if node["spec"].get("unschedulable"):
            what = "cordoned"
        found.setdefault(what, node["metadata"]["name"])
    return found


def _most_versions(door: Door, names: list[str]) -> str:
    apps = [app["spec"]["name"] for app in door.items("apps")]
    return max(names, key=apps.count)


def _is_true(body: Json, kind: str) -> bool:
    conditions = body.get("status", {}).get("conditions", ())
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)
