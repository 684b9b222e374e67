"""How the copies of a large fleet fare: most are well, some are not, in all the ways there are. Pure."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apiserver.api.kinds.assignment import Assignment
from apiserver.api.meta import format_micro_time, format_time
from tests.browser.worlds.door import Json


@dataclass(frozen=True)
class Look:
    """What a copy's status is made of."""

    copy: Assignment
    rng: random.Random
    now: datetime
    ip: str

    def ago(self, least: float, most: float) -> datetime:
        """A moment between so many seconds ago."""
        return self.now - timedelta(seconds=self.rng.uniform(least, most))


Make = Callable[[Look], Json]
HOUR, DAY = 3600.0, 86400.0


def well(look: Look) -> Json:
    """It runs and is ready."""
    since = look.ago(120, 20 * DAY)
    return _status(look, "Running", since, ready=("True", "Running", ""), restarts=look.rng.choice((0,) * 9 + (1,)))


def stopped(look: Look) -> Json:
    """Somebody wanted it to stop."""
    since = look.ago(HOUR, 5 * DAY)
    return _status(look, "Stopped", since, reason="Stopped", exit_code=0, up=False)


def completed(look: Look) -> Json:
    """It has done what it had to."""
    since = look.ago(600, 2 * DAY)
    return _status(look, "Exited", since, reason="Completed", message="exited with code 0", exit_code=0, up=False)


def crash(code: int) -> Make:
    """A loop of crashes."""

    def make(look: Look) -> Json:
        streak = look.rng.randint(6, 40)
        wait = min(300, 2 ** min(streak - 1, 9))
        words = f"exited with code {code}, {streak} times in a row; starts again after {wait} s"
        since = look.ago(20, wait)
        return _status(
            look, "BackOff", since, reason="BackOff", message=words, exit_code=code, restarts=streak - 1, up=False
        )

    return make


def killed(look: Look) -> Json:
    """A signal ended it, again and again."""
    streak = look.rng.randint(3, 9)
    words = f"ended by signal 9, {streak} times in a row; starts again after {2 ** (streak - 1)} s"
    status = _status(look, "BackOff", look.ago(5, 60), reason="BackOff", message=words, restarts=streak - 1, up=False)
    return status | {"signal": 9}


def failed(look: Look) -> Json:
    """It has failed for good."""
    since = look.ago(HOUR, 30 * HOUR)
    return _status(look, "Failed", since, reason="Error", message="exited with code 1", exit_code=1, up=False)


def unfetched(reason: str, words: str) -> Make:
    """Its archive cannot be had."""

    def make(look: Look) -> Json:
        address = f"http://127.0.0.1:18090{look.copy.spec.template.artifact_url}"
        message = words.format(address=address)
        status = _status(look, "Preparing", look.ago(300, 2 * HOUR), reason=reason, message=message, up=False)
        status["conditions"][0] |= {"status": "False", "reason": reason, "message": message}
        return status

    return make


def unready(look: Look) -> Json:
    """It runs, and its readiness probe fails."""
    port = look.rng.randint(20_000, 20_400)
    words = f"readiness: GET http://127.0.0.1:{port}/ready: answered 503"
    return _status(look, "Running", look.ago(HOUR, DAY), ready=("False", "ProbeFailed", words))


def flaky(look: Look) -> Json:
    """It runs, and has been restarted often."""
    status = _status(look, "Running", look.ago(60, HOUR), ready=("True", "Running", ""), exit_code=137)
    return status | {"restarts": look.rng.randint(17, 240)}


def preparing(look: Look) -> Json:
    """A rollout is under way."""
    words = "the artifact is being fetched and unpacked"
    return _status(look, "Preparing", look.ago(1, 20), reason="Preparing", message=words, up=False)


def stopping(look: Look) -> Json:
    """It takes its time to end."""
    return _status(look, "Stopping", look.ago(HOUR, DAY), reason="Stopping")


def waiting(look: Look) -> Json:
    """What it depends on is not ready."""
    lacks = ", ".join(look.copy.spec.template.depends_on) or "main"
    return _status(
        look, "Pending", look.ago(60, HOUR), reason="WaitingForDependencies", message=f"waits for {lacks}", up=False
    )


def silent(look: Look) -> Json:
    """Its node says nothing any more."""
    message = f"node {look.copy.spec.node_name} is silent"
    status = _status(look, "Unknown", look.ago(DAY, 9 * DAY), reason="NodeSilent", message=message)
    status["conditions"][1] |= {"status": "Unknown", "reason": "NodeSilent", "message": message}
    return status


NOT_FOUND = unfetched(
    "ArtifactNotFound", "{address}: the server answered 404 Not Found; push the app, or correct the address"
)
CORRUPT = unfetched(
    "ArtifactCorrupt", "{address}: its SHA-256 is another than the one that was asked for; the archive is not kept"
)

MISHAPS: Sequence[tuple[str, Make, bool]] = (
    ("web", crash(1), False),
    ("worker", crash(2), True),
    ("worker", crash(127), True),
    ("web", killed, False),
    ("web", NOT_FOUND, True),
    ("worker", NOT_FOUND, True),
    ("worker", CORRUPT, True),
    ("worker", unfetched("DiskFull", "no space for the archive: 412Mi are needed, 97Mi are free"), False),
    ("web", unready, True),
    ("web", unready, False),
    ("web", unready, False),
    ("web", flaky, False),
    ("worker", flaky, True),
    ("web", preparing, False),
    ("worker", preparing, False),
    ("worker", stopping, False),
    ("batch", failed, True),
    ("batch", failed, False),
)  # fmt: skip
"""What befalls one task each: a kind of program, how its copies fare, and whether it is all of them or one."""


def draw(rng: random.Random, tasks: Sequence[Json]) -> Mapping[str, tuple[Make, bool]]:
    """Which tasks are in trouble, and in which."""
    by_tier: dict[str, list[str]] = {}
    for task in tasks:
        if task["spec"]["state"] == "Running":
            by_tier.setdefault(task["metadata"]["labels"]["tier"], []).append(task["metadata"]["name"])
    for found in by_tier.values():
        rng.shuffle(found)
    return {by_tier[tier].pop(): (make, whole) for tier, make, whole in MISHAPS if by_tier.get(tier)}


def _status(
    look: Look,
    phase: str,
    since: datetime,
    *,
    reason: str = "",
    message: str = "",
    ready: tuple[str, str, str] | None = None,
    exit_code: int | None = None,
    restarts: int = 0,
    up: bool = True,
) -> Json:
    ready = ready or ("False", phase, "")
    template = look.copy.spec.template
    ports = [{"name": port.name, "port": port.port or look.rng.randint(20_000, 29_999)} for port in template.ports]
    numbers = {port["name"]: port["port"] for port in ports}
    status: Json = {
        "phase": phase,
        "reason": reason or phase,
        "message": message,
        "restarts": restarts,
        "ip": look.ip,
        "ports": ports,
        "reportedAt": format_micro_time(since),
        "conditions": [
            {"type": "Prepared", "status": "True", "reason": "Unpacked", "lastTransitionTime": format_time(since)},
            _condition("Ready", *ready, since),
        ],
    }
    if up:
        status |= {"pid": look.rng.randint(1200, 64_000), "startedAt": format_micro_time(since)}
        status["services"] = [
            {"name": one.name, "port": numbers.get(str(one.port), 0) or one.port, "protocol": one.protocol}
            for one in template.services
        ]
    elif exit_code is not None or phase == "BackOff":
        ran = timedelta(seconds=look.rng.uniform(0.2, 900))
        status |= {"finishedAt": format_micro_time(since), "previousStartedAt": format_micro_time(since - ran)}
        status["startedAt"] = status["previousStartedAt"]
    if exit_code is not None:
        status["exitCode"] = exit_code
    return status


def _condition(kind: str, status: str, reason: str, message: str, since: datetime) -> Json:
    found = {"type": kind, "status": status, "reason": reason, "lastTransitionTime": format_time(since)}
    return found | ({"message": message} if message else {})
