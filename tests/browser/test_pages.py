"""Every page stands up to a look: axe-core finds nothing serious, nothing scrolls sideways, no key of a text shows, no
word is left untranslated, and nothing jumps while it loads. ``gallery`` takes the pictures for the rest."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.browser.conftest import Visit
from tests.browser.gallery import known_words, settle
from tests.browser.inspection.inspect import inspect
from tests.browser.looks import EN_DARK, EN_LIGHT, NARROW, ZH_DARK, ZH_LIGHT, Look
from tests.browser.shots import Shot, shots
from tests.browser.worlds import large, usage
from tests.browser.worlds.door import open_door
from tests.browser.worlds.wanted import Size
from tests.servers import running_apiserver

ALL_LOOKS = bool(os.environ.get("PLUM_SOAK_UI"))
LOOKS = (ZH_DARK, EN_LIGHT, ZH_LIGHT, EN_DARK)
WRONG = ("sideways", "keys", "untranslated", "overlaps", "axe")
"""Findings that fail; what is cut or wraps is for the gallery and a person."""

LARGEST_SHIFT = 0.1
"""Up to which browsers' own measure calls a page steady; the gallery tells of smaller ones."""

Wanted = Callable[[Shot], bool]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Shot], frozenset[str]]]:
    with running_apiserver(tmp_path_factory.mktemp("pages")) as (_, url):
        large.fill(url, size=Size(tasks=40, nodes=8, apps=10))
        with open_door(url) as door:
            usage.report(door, 0)
            found = shots(door), known_words(door)
        yield url, *found


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_apiserver(tmp_path_factory.mktemp("empty")) as (_, url):
        yield url


World = tuple[str, list[Shot], frozenset[str]]
PARTS: dict[str, Wanted] = {
    "lists": lambda shot: shot.path.count("/") == 1,
    "tasks": lambda shot: shot.path.startswith("/tasks/"),
    "others": lambda shot: shot.path.count("/") > 1 and not shot.path.startswith("/tasks/"),
}


@pytest.mark.parametrize("part", PARTS)
def test_every_page_stands_up_to_a_look(world: World, visit: Visit, part: str) -> None:
    url, found, known = world
    chosen = [shot for shot in found if PARTS[part](shot) and not shot.narrow_only]
    wrong: list[str] = []
    looks = LOOKS if ALL_LOOKS else LOOKS[:2]
    for number, look in enumerate(looks):
        mine = chosen if ALL_LOOKS else chosen[number :: len(looks)]
        wrong += _look_at(visit, url, mine, look, known)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("look", [EN_LIGHT, ZH_DARK], ids=str)
def test_the_main_pages_fit_a_phone(world: World, visit: Visit, look: Look) -> None:
    url, found, known = world
    chosen = [shot for shot in found if shot.name in ("overview", "tasks", "assignments", "menu")]
    chosen += [shot for shot in found if shot.name.startswith(("task-well", "assignment-running")) and ALL_LOOKS]
    wrong = _look_at(visit, url, chosen, replace(look, width=NARROW), known)
    assert not wrong, "\n".join(wrong)


def test_an_empty_fleet_says_what_to_do(empty: str, visit: Visit) -> None:
    names = ("", "tasks", "assignments", "nodes", "apps", "services", "events")
    chosen = [Shot(f"empty-{name or 'overview'}", f"/{name}") for name in names]
    wrong = _look_at(visit, empty, chosen, ZH_LIGHT, frozenset())
    assert not wrong, "\n".join(wrong)


def _look_at(visit: Visit, url: str, chosen: list[Shot], look: Look, known: frozenset[str]) -> list[str]:
    user = visit(url, look)
    user.trouble.expect("no-such-")
    user.trouble.expect(r"503.*/log\?")  # no agent is there to give one
    told = []
    for shot in chosen:
        user.page.goto(shot.path)
        settle(user.page)
        shot.prepare(user.page)
        settle(user.page)
        findings = inspect(user.page, chinese=user.is_chinese, known=known)
        lines = [line for line in findings.lines() if line.startswith(WRONG)]
        lines += [f"jumps: {findings.shifts[:3]}"] if findings.shift > LARGEST_SHIFT else []
        told += [f"{look} {shot.name}: {line}" for line in lines]
    return told
