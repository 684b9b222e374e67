"""When an ended process starts again: exponential waits that a long run forgives."""

from apiserver.api.kinds.task import RestartPolicy

FIRST_DELAY = 1.0
LONGEST_DELAY = 300.0
STABLE_AFTER = 600.0
"""Seconds of running after which earlier exits no longer count."""


def is_wanted(policy: RestartPolicy, *, success: bool) -> bool:
    """Whether the policy asks for another start after an end."""
    return policy == "Always" or (policy == "OnFailure" and not success)


def delay(streak: int) -> float:
    """Seconds to wait after the ``streak``-th end in a row: 1, 2, 4, … 300."""
    if streak <= 0:
        return 0.0
    return float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(streak - 1, 20)))


def next_streak(streak: int, *, ran_for: float) -> int:
    """How many ends in a row this one makes, after a run of ``ran_for`` seconds."""
    return 1 if ran_for >= STABLE_AFTER else streak + 1


def is_backing_off(streak: int) -> bool:
    """Whether the wait is long enough to be shown as BackOff: from the second end in a row on."""
    return streak >= 2
