"""Prints one of the server's OpenAPI documents, made without a server: ``openapi.py plum.dev/v1`` or ``openapi.py v1``.

The same code makes what ``/openapi/v3`` serves. The release is left out, so that a new one changes no types.
"""

import json
import sys

from apiserver.api.openapi.document import document
from apiserver.server.http import discovery
from apiserver.server.http.openapi import below


def main() -> None:
    """Write the document of the group and version that was named."""
    (wanted,) = sys.argv[1:]
    group, _, version = wanted.rpartition("/")
    found = document(group, version, discovery.by_group()[group, version], below, release="")
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
