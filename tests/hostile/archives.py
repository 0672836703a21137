"""Zip archives made by hand, for whoever needs one that no tool would write."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping


def zipped(members: Mapping[str, bytes], *, compress: bool = True) -> bytes:
    """An archive with these members, whatever they are called."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def linked(name: str, target: str) -> bytes:
    """An archive whose one member is a symbolic link to *target*."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    return data.getvalue()
