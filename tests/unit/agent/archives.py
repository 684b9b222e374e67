"""Zip archives for tests, the honest and the hostile."""

import io
import stat
import warnings
import zipfile
from collections.abc import Mapping, Sequence


def archive(files: Mapping[str, str | bytes], *, links: Mapping[str, str] | None = None) -> bytes:
    """An archive of those files, and symbolic links by name to target."""
    return entries([(name, content, 0) for name, content in files.items()], links=links)


def entries(
    items: Sequence[tuple[str, str | bytes, int]],
    *,
    links: Mapping[str, str] | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """An archive of (name, content, mode) as given: names may repeat, lead astray, or end in a slash."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as file:
        warnings.simplefilter("ignore")  # names that repeat are the point
        for name, content, mode in items:
            info = zipfile.ZipInfo(name)
            info.filename = info.orig_filename = name
            info.external_attr = mode << 16 | 0x20  # else the writer makes up a mode
            file.writestr(info, content, compress_type=compression)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            file.writestr(info, target)
    return buffer.getvalue()
