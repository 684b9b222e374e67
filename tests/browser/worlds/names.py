"""The words of a large fleet: what its teams, programs, machines and versions are called."""

import random
from collections.abc import Iterator

TEAMS = (
    "payments", "search", "media", "catalog", "platform", "growth", "identity", "logistics", "pricing", "support",
    "billing", "fraud", "mobile", "ads", "warehouse",
)  # fmt: skip
WEB = ("api", "gateway", "web", "bff", "graphql", "admin", "portal", "webhook")
WORKERS = ("worker", "indexer", "consumer", "notifier", "mailer", "renderer", "scorer", "relay", "ingest")
BATCH = ("export", "reconcile", "backfill", "report", "cleanup", "import")
REGIONS = ("", "-eu", "-us", "-apac", "-canary")
ZONES = ("fra1", "ams2", "sin1", "iad3")

REPOSITORY = "fleet"
NODE_ROLES = ("web", "work", "work", "mem")


def programs(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Names of programs with what they are: web, worker or batch. No two alike."""
    found: dict[str, str] = {}
    while len(found) < count:
        what, words = rng.choices((("web", WEB), ("worker", WORKERS), ("batch", BATCH)), (5, 5, 2))[0]
        found[f"{rng.choice(TEAMS)}-{rng.choice(words)}"] = what
    return list(found.items())


def tasks(rng: random.Random, program: list[tuple[str, str]], count: int) -> Iterator[tuple[str, str, str]]:
    """Names of tasks, each with its program and what that is. A task runs one program in one region."""
    pairs = [(name, what, region) for name, what in program for region in REGIONS]
    extra = [(name, what, f"-{number}") for number in range(2, 100) for name, what in program]
    rng.shuffle(pairs)
    for name, what, region in (pairs + extra)[:count]:
        yield f"{name}{region}", name, what


def nodes(count: int) -> Iterator[tuple[str, str, str]]:
    """Names of machines, with role and zone."""
    for number in range(count):
        zone, role = ZONES[number % len(ZONES)], NODE_ROLES[number // len(ZONES) % len(NODE_ROLES)]
        yield f"{zone}-{role}-{number // len(ZONES) + 1:02d}", role, zone


def versions(rng: random.Random, count: int) -> list[str]:
    """Versions of a program, oldest first."""
    major, minor = rng.randint(0, 7), rng.randint(0, 30)
    found = []
    for _ in range(count):
        minor += rng.randint(1, 3)
        found.append(f"{major}.{minor}.{rng.choice((0, 0, 0, 1, 2))}")
    return found
