"""Unpack a downloaded zip archive: no member outside the folder, only the files that were offered."""

from __future__ import annotations

import errno
import re
import stat
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kit.data.readers.archive import DAMAGED, MOST_RATIO, RATIO_MATTERS_FROM
from kit.data.readers.display import plain
from kit.errors import DownloadError, all_of

_BLOCK = 1 << 20
# What Windows takes for a device, whatever the ending.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def unpack(archive: Path, folder: Path, listed: Mapping[str, int]) -> None:
    """Write all members of *archive* below *folder*, which exists, and check their CRC.

    *listed* is what the archive should hold: name → bytes.  Raises DownloadError, naming what is
    wrong, for a file that is no zip archive, a damaged one, an unsafe name, and a member that is
    missing, not listed, or of another size than listed; files written until then are left in *folder*.
    """
    if not zipfile.is_zipfile(archive):
        raise DownloadError(f"{archive.name}: is no zip archive but {beginning(archive)}; download again")
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [info for info in opened.infolist() if not info.orig_filename.endswith("/")]
            if wrong := unsafe_names(opened.infolist()):
                raise DownloadError(f"{archive.name}: {all_of(wrong)}; nothing was unpacked")
            sizes = {info.filename: info.file_size for info in members}
            if wrong := _differences(sizes, listed):
                raise DownloadError(
                    f"{archive.name}: {all_of(wrong)}; download again, and tell us if that does not help"
                )
            for info in members:
                _write(opened, info, folder / info.filename)
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # from the disk; a damaged offset is an invalid argument
        raise DownloadError(f"{archive.name}: is a damaged zip archive ({error}); download again") from None


def beginning(path: Path) -> str:
    """How a file begins, for a message about unexpected content."""
    with path.open("rb") as file:
        start = file.read(200)
    if not start:
        return "an empty file"
    text = start.decode("utf-8", errors="replace")
    return f"begins with {plain(text[:80])!r}"


def unsafe_names(members: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Why members may not be unpacked: one entry a fault."""
    wrong: list[str] = []
    seen: set[str] = set()
    for info in members:
        # `filename` is what is left after a NUL and after separators were put right: judge what was sent.
        name = info.orig_filename
        kind = stat.S_IFMT(info.external_attr >> 16)
        shown = plain(name)
        if reason := unsafe_name(name.removesuffix("/")):
            wrong.append(f"member {shown!r} {reason}")
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            wrong.append(f"member {shown!r} is a link or a device")
        elif info.flag_bits & 0x1:
            wrong.append(f"member {shown!r} is encrypted")
        # File systems of Windows and macOS take these for one name.
        key = unicodedata.normalize("NFC", name.removesuffix("/")).casefold()
        if key in seen:
            wrong.append(f"member {shown!r} is there twice")
        seen.add(key)
    return wrong


def unsafe_name(name: str) -> str | None:
    """Why no file below a folder may have *name*, a path with ``/``; None where it may."""
    parts = name.split("/")
    if any(not character.isprintable() for character in name):
        return "has a control character in its name"
    if "\\" in name or ":" in name:
        return "has a backslash or colon in its name"
    if name.startswith("/"):
        return "has an absolute path"
    if ".." in parts:
        return "leads out of the folder"
    if not name or "" in parts or "." in parts:
        return "has an empty part in its path"
    if any(_DEVICE.fullmatch(part) or part != part.rstrip(". ") for part in parts):
        return "has a name that Windows cannot store"
    return None


def _differences(sizes: Mapping[str, int], listed: Mapping[str, int]) -> list[str]:
    wrong = [f"{plain(name)} is missing" for name in listed if name not in sizes]
    for name, size in sizes.items():
        if name not in listed:
            wrong.append(f"{plain(name)} is not among the listed files")
        elif size != listed[name]:
            wrong.append(f"{plain(name)} has {size:,} bytes, listed with {listed[name]:,}")
    return wrong


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    # Reading to the end, or to the size in the header, compares the CRC; fewer bytes may come.
    with archive.open(info) as member, target.open("xb") as out:
        while block := member.read(_BLOCK):
            size += len(block)
            if size > RATIO_MATTERS_FROM and size > MOST_RATIO * info.compress_size:
                raise DownloadError(
                    f"{archive.filename and Path(archive.filename).name}: {plain(info.filename)} unpacks to "
                    f"more than {size:,} bytes from {info.compress_size:,}, as a zip bomb does; "
                    "look at it on the competition's page"
                )
            out.write(block)
    if size != info.file_size:
        raise DownloadError(
            f"{plain(info.filename)}: {size:,} bytes came out, not {info.file_size:,}; download again"
        )
