"""Why an archive could not be had, each cause with the word that conditions and events tell it by."""

from typing import ClassVar


class ArtifactFailure(Exception):
    """The archive could not be had; later it may be. ``reason`` is a CamelCase word for programs."""

    reason: ClassVar[str]


class Missing(ArtifactFailure):
    """There is nothing at the address: 404 or 410."""

    reason = "ArtifactNotFound"


class Denied(ArtifactFailure):
    """The server will not give it: 401, 403, or another refusal of the request itself."""

    reason = "ArtifactRefused"


class Unavailable(ArtifactFailure):
    """No connection, no answer in time, a break, 429 or 5xx."""

    reason = "ArtifactUnavailable"


class Corrupt(ArtifactFailure):
    """What was fetched whole is not the archive that was asked for."""

    reason = "ArtifactCorrupt"


class Invalid(ArtifactFailure):
    """It is what was asked for, and nothing that is unpacked: too large, no zip, or with a refused entry."""

    reason = "ArtifactInvalid"


class DiskFull(ArtifactFailure):
    """There is no space for it on this node."""

    reason = "DiskFull"
