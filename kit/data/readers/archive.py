"""The members of a zip archive that may hold questions, in memory: nothing is extracted to the disk."""

from __future__ import annotations

import contextlib
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

from kit.data.readers.display import plain
from kit.data.readers.signatures import zipped_signature
from kit.errors import DataError

# The largest real file of the field (111,967 AI Hub documents) is well under 1 GiB, and Korean
# JSON shrinks 4 to 12 times; a zip bomb shrinks a thousand times.
MOST_BYTES = 4 << 30
MOST_RATIO = 200
RATIO_MATTERS_FROM = 16 << 20
_BLOCK = 1 << 20
_JSON = (".json", ".jsonl", ".ndjson")
_TABLES = (".csv", ".tsv", ".parquet", ".arrow")
DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile and its decompressors raise at damage, each in its own way."""


def is_archive(data: bytes) -> bool:
    """Whether *data* is a zip archive, an empty one included."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def question_members(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes of the JSON members, in name order, one at a time; of tables without JSON.

    Raises DataError for a damaged or encrypted archive, one without such a member, and one that
    unpacks to more than MOST_BYTES, or to more than MOST_RATIO times its size.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _called(archive, _JSON) or _called(archive, _TABLES)
            if not members:
                known = zipped_signature(archive.namelist())
                if known is not None:
                    raise DataError(f"{name}: {known}")
                inside = ", ".join(_readable(info) for info in archive.infolist()[:5]) or "nothing"
                raise DataError(
                    f"{name}: holds no JSON file (inside: {inside}); give the archive with the questions"
                )
            left = MOST_BYTES
            for info in sorted(members, key=lambda info: info.filename):
                content = _content(archive, info, f"{name}: {_readable(info)}", left)
                left -= len(content)
                yield _readable(info), content
    except NotImplementedError as error:
        raise DataError(f"{name}: cannot be unpacked ({error}); unpack it and give the JSON file") from None
    except DAMAGED as error:
        raise DataError(f"{name}: is a damaged zip archive ({error}); download it again") from None


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, most: int) -> bytes:
    if info.flag_bits & 0x1:
        raise DataError(f"{name} is encrypted; unpack it with its password and give the JSON file")
    blocks: list[bytes] = []
    size = 0
    with archive.open(info) as member:
        # The size in the header may lie, so what really comes out is what counts.
        while block := member.read(_BLOCK):
            size += len(block)
            if size > most or (size > RATIO_MATTERS_FROM and size > MOST_RATIO * info.compress_size):
                raise DataError(
                    f"{name} unpacks to more than {size >> 20} MiB from {info.compress_size:,} bytes, "
                    "as a zip bomb does; unpack it yourself if you trust it, and give the JSON file"
                )
            blocks.append(block)
    return b"".join(blocks)


def _called(archive: zipfile.ZipFile, suffixes: tuple[str, ...]) -> list[zipfile.ZipInfo]:
    """The members with such names that are not empty, but for JSON, whose emptiness is a mistake."""
    # macOS archives carry a binary "._name" beside every file.
    return [
        info
        for info in archive.infolist()
        if info.filename.lower().endswith(suffixes)
        and not info.filename.rsplit("/", 1)[-1].startswith("._")
        and (info.file_size or suffixes is _JSON)
    ]


def _readable(info: zipfile.ZipInfo) -> str:
    """The member's name; archives made on Korean Windows carry CP949 names without saying so."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("cp949")
    return plain(name)
