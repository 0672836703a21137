"""The running kit as a wheel, from its own files: the same files give the same bytes.

No build backend is used: it may be missing, downloads its requirements, leaves folders in the source tree,
and cannot work where the kit was installed without its sources.
"""

from __future__ import annotations

import ast
import base64
import bz2
import csv
import functools
import hashlib
import importlib.metadata
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import kit
from kit.errors import ConfigError
from kit.version import __version__

PROJECT = "korean-mrc-kit"
_NAME = PROJECT.replace("-", "_")
_INFO = f"{_NAME}-{__version__}.dist-info"
_LEFTOVER = re.compile(r"(^|/)(__pycache__/|\.)|~$")
"""Caches, and what editors and file managers leave."""
# The earliest date of a zip archive: the time of the build must not change the bytes.
_WHEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel's file name and bytes."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of its bytes, hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def packed(self) -> str:
        """Its bytes as lines of letters, to stand between \"\"\" in a program.

        Compressed as one stream, it takes half of the letters of a compressed archive.
        """
        return _packed(self.content)


@functools.lru_cache(maxsize=1)
def _packed(content: bytes) -> str:
    return base64.encodebytes(bz2.compress(content)).decode().rstrip()


def build_wheel() -> Wheel:
    """The running kit as a wheel.  Raises ConfigError where its requirements are not found."""
    package = Path(kit.__file__).parent
    files = {
        f"kit/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and not _LEFTOVER.search(path.relative_to(package).as_posix())
    }
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {PROJECT}",
        f"Version: {__version__}",
        "Requires-Python: >=3.11",
        *(f"Requires-Dist: {line}" for line in requirements()),
    ]
    files[f"{_INFO}/METADATA"] = "".join(f"{line}\n" for line in metadata).encode()
    files[f"{_INFO}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: kit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{_INFO}/entry_points.txt"] = b"[console_scripts]\nkit = kit.cli:main\n"
    files[f"{_INFO}/top_level.txt"] = b"kit\n"
    files[f"{_INFO}/RECORD"] = _record(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _WHEN)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return Wheel(f"{_NAME}-{__version__}-py3-none-any.whl", out.getvalue())


def requirements() -> list[str]:
    """The requirements of the kit, from its setup.py (in a source tree) or its installation."""
    setup = Path(kit.__file__).parent.parent / "setup.py"
    if setup.is_file() and PROJECT in (text := setup.read_text(encoding="utf-8")):
        return _declared(text)
    try:
        found = importlib.metadata.requires(PROJECT) or []
    except importlib.metadata.PackageNotFoundError:
        raise ConfigError(
            f"{Path(kit.__file__).parent}: neither its setup.py nor its installation is to be found; "
            "install the kit with pip, or give --git URL@REV"
        ) from None
    return [line for line in found if "extra ==" not in line]


def _declared(text: str) -> list[str]:
    """The list ``install_requires`` of a setup.py, which is not run."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.keyword) and node.arg == "install_requires":
            return [str(line) for line in ast.literal_eval(node.value)]
    raise ConfigError("setup.py: has no list install_requires; give --git URL@REV")


def _record(files: dict[str, bytes]) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow([name, f"sha256={digest}", len(content)])
    rows.writerow([f"{_INFO}/RECORD", "", ""])
    return out.getvalue().encode()
