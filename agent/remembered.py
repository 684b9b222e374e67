"""An assignment as it was last seen, kept in the record of its instance: what an agent needs without a server."""

from dataclasses import dataclass
from typing import Annotated, Any, Self

import orjson
from pydantic import PlainSerializer, PlainValidator

from apiserver.api.kinds.assignment import RESTARTED_AT, Assignment


@dataclass(frozen=True, slots=True)
class Seen:
    """Kept as text: hundreds of instances would otherwise take their memory twice."""

    text: bytes
    generation: int | None
    restarted_at: str | None

    @classmethod
    def of(cls, assignment: Assignment) -> Self:
        """All that matters of it; the status is not for the next agent to believe."""
        body = assignment.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"status"})
        body["metadata"].pop("managedFields", None)
        return cls._of(body)

    @classmethod
    def read(cls, body: Any) -> Self:
        """From a record, whatever it says there. Raises ValueError for what is no object at all."""
        if isinstance(body, cls):
            return body
        if not isinstance(body, dict):
            raise ValueError("an assignment is an object")
        return cls._of(body)

    @classmethod
    def _of(cls, body: dict[str, Any]) -> Self:
        metadata = body.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        annotations = metadata.get("annotations")
        restarted_at = annotations.get(RESTARTED_AT) if isinstance(annotations, dict) else None
        text = bytes(memoryview(orjson.dumps(body)))  # a copy: orjson's own keeps a buffer of several times its size
        return cls(text, metadata.get("generation"), restarted_at)

    def parse(self) -> Assignment:
        """The assignment. Raises ValidationError for one that a later version wrote."""
        return Assignment.model_validate_json(self.text)

    def says(self, assignment: Assignment) -> bool:
        """Whether it tells all that matters of the assignment: its generation grows with every other change."""
        meta = assignment.metadata
        return (self.generation, self.restarted_at) == (meta.generation, meta.annotations.get(RESTARTED_AT))


Remembered = Annotated[
    Seen, PlainValidator(Seen.read), PlainSerializer(lambda seen: orjson.loads(seen.text), return_type=dict[str, Any])
]
"""As a field of a record: an object in JSON."""
