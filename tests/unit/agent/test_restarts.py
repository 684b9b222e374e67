import pytest

from agent import restarts
from apiserver.api.kinds.task import RestartPolicy


def test_waits_double_from_one_second_to_five_minutes() -> None:
    waits = [restarts.delay(streak) for streak in range(12)]
    assert waits == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert restarts.delay(10**6) == 300


def test_a_long_run_is_forgiven() -> None:
    assert restarts.next_streak(7, ran_for=599) == 8
    assert restarts.next_streak(7, ran_for=600) == 1


def test_the_wait_is_shown_from_the_second_end_on() -> None:
    assert [restarts.is_backing_off(streak) for streak in (0, 1, 2)] == [False, False, True]


@pytest.mark.parametrize(
    ("policy", "after_success", "after_failure"),
    [("Always", True, True), ("OnFailure", False, True), ("Never", False, False)],
)
def test_the_policy_decides(policy: RestartPolicy, after_success: bool, after_failure: bool) -> None:
    assert restarts.is_wanted(policy, success=True) is after_success
    assert restarts.is_wanted(policy, success=False) is after_failure
