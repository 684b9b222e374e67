"""Zips of apps, good and otherwise."""

import io
import zipfile

START = "#!/bin/sh\nexec sleep 1000\n"


def zipped(files: dict[str, str]) -> bytes:
    """A zip of these files; what ends in .sh may be run."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if name.endswith(".sh") else 0o644) << 16
            archive.writestr(info, text)
    return made.getvalue()


def app(name: str, version: str = "1.0.0", *, start: str = START, more: str = "", folder: str = "") -> bytes:
    """A good app; ``more`` goes into its meta.ini."""
    meta = f"name={name}\nversion={version}\n{more}"
    return zipped({f"{folder}meta.ini": meta, f"{folder}start.sh": start})
