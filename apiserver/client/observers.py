"""Who hears how the work goes: programs measure with what they like, this library only tells."""

from typing import Protocol


class WorkObserver(Protocol):
    """Told about one controller, on the event loop; must neither block nor raise."""

    def added(self) -> None:
        """A key that was not there was put into the queue."""
        ...

    def waiting(self, keys: int) -> None:
        """So many keys now wait for a worker."""
        ...

    def retried(self) -> None:
        """A key that failed is to be tried again later."""
        ...

    def reconciled(self, seconds: float, *, failed: bool) -> None:
        """A reconcile took so long."""
        ...


class Unobserved:
    """Nobody listens."""

    def added(self) -> None:
        """See ``WorkObserver``."""

    def waiting(self, keys: int) -> None:
        """See ``WorkObserver``."""

    def retried(self) -> None:
        """See ``WorkObserver``."""

    def reconciled(self, seconds: float, *, failed: bool) -> None:
        """See ``WorkObserver``."""


UNOBSERVED = Unobserved()
