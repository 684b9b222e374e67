"""What managers apply to a task in the sequences: some hundred configs and statuses, the simple ones first.

They are made once, by a seed, and drawn whole: a sequence is then cheap to make and to make smaller.
"""

import json
import random
from collections.abc import Callable, Iterable
from typing import Any

from tests.properties.apply_model import Body


class Maker:
    """Parts of tasks by chance. Values are few, so that managers meet."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)

    def config(self) -> Body:
        """What goes through the main door. Sometimes no valid object comes of it."""
        metadata = self._some(labels=self._labels, finalizers=self._finalizers, ownerReferences=self._owners)
        spec = self._some(state=lambda: self._of("Running", "Stopped"), strategy=self._strategy)
        spec["entries"] = [self._entry(name) for name in self._names("xyz")]
        return {"spec": spec} | ({"metadata": metadata} if metadata else {})

    def status(self) -> Body:
        """What goes through the door of the status."""
        made = self._some(replicas=self._count, conditions=self._conditions, operator=self._operator)
        return {"status": made or {"replicas": 1}}

    def _entry(self, name: str) -> Body:
        source = self._of(*[{"artifactUrl": "/1"}] * 6, {"artifactUrl": "/2"}, {})
        some = self._some(
            startCmd=self._text,
            replicas=self._count,
            restartPolicy=lambda: self._of("Always", "Never"),
            env=self._env,
            labels=self._labels,
            logs=lambda: self._some(maxFiles=self._count) or {"maxSize": self._of("10Mi", "20Mi")},
            probes=self._probes,
        )
        entry: Body = {"name": name} | source | some
        return entry

    def _env(self) -> list[Body]:
        return [{"name": name} | self._some(value=self._text) for name in self._names("AB")]

    def _probes(self) -> Body:
        command = {"command": self._of(["a"], ["a", "b"])}
        return {"readiness": {"exec": command} | self._some(periodSeconds=self._count)}

    def _labels(self) -> Body:
        return {key: self._text() for key in self._names("ab")}

    def _finalizers(self) -> list[str]:
        return self._names("fgh")

    def _owners(self) -> list[Body]:
        return [{"apiVersion": "v1", "kind": "K", "name": self._text(), "uid": uid} for uid in self._names("uv")]

    def _strategy(self) -> Body:
        return self._some(maxSurge=self._count) or {"maxUnavailable": self._count()}

    def _conditions(self) -> list[Body]:
        return [
            {"type": name, "status": self._of("True", "False")} | self._some(reason=self._text)
            for name in self._names(("Ready", "Good"))
        ]

    def _operator(self) -> Body:
        return {key: self._of("1", "2", [1], {"deep": 1}, {"deep": 2, "er": 1}) for key in self._names("pq")}

    def _names(self, names: Iterable[str]) -> list[str]:
        """One or more, in any order."""
        shuffled = self._rng.sample([*names], len([*names]))
        return shuffled[: self._rng.randint(1, len(shuffled))]

    def _some(self, **makers: Callable[[], Any]) -> Body:
        return {key: make() for key, make in makers.items() if self._rng.random() < 0.4}

    def _of(self, *values: Any) -> Any:
        return self._rng.choice(values)

    def _text(self) -> str:
        return self._rng.choice("12")

    def _count(self) -> int:
        return self._rng.randint(1, 2)


def pool(make: Callable[[], Body], size: int) -> list[Body]:
    """Different ones, the shortest first."""
    return [
        json.loads(text)
        for text in sorted({json.dumps(make()) for _ in range(size)}, key=lambda text: (len(text), text))
    ]


_MAKER = Maker(6)
CONFIGS = pool(_MAKER.config, 400)
STATUSES = pool(_MAKER.status, 200)
