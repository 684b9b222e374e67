"""Whether an uploaded file is an app, and which; bounded, however hostile the file is.

The list of entries is judged and ``meta.ini`` is read; agents look at every byte before they unpack it, and are the
ones to be trusted.
"""

import io
import struct
import zipfile
import zlib
from pathlib import Path

from apiserver.api.archives import MAX_FILES, app_meta, check_entries
from apiserver.api.errors import BadRequest
from apiserver.api.package import META, START, Meta, NotAnApp

MAX_DIRECTORY = 16 << 20
"""Bytes of a zip's list of entries, which is read into memory as a whole."""

_ENTRY = b"PK\1\2"

# What zipfile raises for bytes that are not what they should be; a seek to a wild offset is an OSError.
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError)


def judge(path: Path) -> Meta:
    """What the archive's ``meta.ini`` says. Blocks, for about a second at most: call it in a thread.

    Raises BadRequest: ``not a zip: …`` for what cannot be read as one, ``zip must contain start.sh and
    meta.ini(name,version): …`` for a zip that is no app, both with the reason.
    """
    try:
        with _File(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
            meta = app_meta(archive)
            _check(archive, path)
            return meta
    except NotAnApp as error:
        raise BadRequest(f"zip must contain {START} and {META}(name,version): {error}") from None
    except _DAMAGED as error:
        raise BadRequest(f"not a zip: {str(error) or type(error).__name__}; pack the app again") from None


class _File(io.BufferedReader):
    """A zip that is not read into memory in larger pieces than a list of entries of ours may be."""

    def read(self, size: int | None = -1, /) -> bytes:
        """See BufferedReader. Raises NotAnApp."""
        if size is not None and size > MAX_DIRECTORY:
            raise NotAnApp(f"its list of entries is over {MAX_DIRECTORY} bytes; pack fewer files")
        raw = super().read(size)
        # Each entry begins so; making objects of millions of them would take minutes.
        if raw.count(_ENTRY) > MAX_FILES:
            raise NotAnApp(f"it has more than {MAX_FILES} entries; pack fewer files")
        return raw


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse what no agent would unpack. Raises BadRequest."""
    try:
        check_entries(archive, path.stat().st_size, "no agent unpacks it")
    except NotAnApp as error:
        raise BadRequest(f"not a zip: {error}") from None
