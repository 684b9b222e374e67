"""Reports as they go to the server: JSON, compressed where that is worth it."""

import zlib

from apiserver.api.meta import Model

PACK_BYTES = 4096
"""Longer reports are sent compressed, to a tenth or less."""


def packed(report: Model) -> tuple[bytes, dict[str, str]]:
    """The body of a report, and the headers that say what it is."""
    raw = report.model_dump_json(by_alias=True, exclude_none=True).encode()
    headers = {"content-type": "application/json"}
    if len(raw) <= PACK_BYTES:
        return raw, headers
    packing = zlib.compressobj(level=1, wbits=31)
    return packing.compress(raw) + packing.flush(), headers | {"content-encoding": "gzip"}
