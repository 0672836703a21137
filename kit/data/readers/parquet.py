"""Parquet files and Arrow files and streams, as the Hugging Face hub and `datasets` keep them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kit.errors import DataError

INSTALL = "pip install 'korean-mrc-kit[parquet]'"
PARQUET, ARROW = "parquet", "arrow"
# A column of one repeated text shrinks to nothing, so what comes out is what counts.
MOST_BYTES = 4 << 30
_ROWS_AT_ONCE = 1024
SHOWN = {PARQUET: "a Parquet file", ARROW: "an Arrow file"}


def kind(data: bytes) -> str:
    """``"parquet"``, ``"arrow"`` (a file or a stream), or "" for anything else."""
    if data.startswith(b"PAR1"):
        return PARQUET
    # A stream has no mark; it begins with a message's length behind four bytes of ones.
    if data.startswith(b"ARROW1\0\0") or (data.startswith(b"\xff\xff\xff\xff") and len(data) > 8):
        return ARROW
    return ""


def rows(data: bytes, name: str) -> list[object]:
    """The rows as dicts of Python values, lists and dicts; *name* is what messages call the file.

    Raises DataError where pyarrow is not installed, and where the file is damaged or unpacks to
    more than MOST_BYTES.
    """
    what = SHOWN[kind(data)]
    try:
        import pyarrow
    except ImportError:
        raise DataError(
            f"{name}: is {what}; reading it needs pyarrow, which is not installed: {INSTALL} "
            "(or write it as JSON lines with datasets' to_json)"
        ) from None
    found: list[object] = []
    size = 0
    try:
        for batch in _batches(data):
            # Offsets that point outside would otherwise be read as they are.
            batch.validate(full=True)
            size += batch.get_total_buffer_size()
            if size > MOST_BYTES:
                raise DataError(
                    f"{name}: unpacks to more than {MOST_BYTES >> 30} GiB from {len(data):,} bytes; "
                    "write its questions as JSON lines"
                )
            found.extend(batch.to_pylist())
    # Each layer of pyarrow has its own way to fail; a damaged file is no reason for a traceback.
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, OverflowError, MemoryError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{name}: is {what} that cannot be read ({first}); download it again") from None
    return found


def _batches(data: bytes) -> Iterator[Any]:
    import pyarrow
    from pyarrow import ipc, parquet

    source = pyarrow.BufferReader(data)
    if kind(data) == PARQUET:
        yield from parquet.ParquetFile(source).iter_batches(batch_size=_ROWS_AT_ONCE)
    elif data.startswith(b"ARROW1\0\0"):
        file = ipc.open_file(source)
        for number in range(file.num_record_batches):
            yield file.get_batch(number)
    else:
        yield from ipc.open_stream(source)
