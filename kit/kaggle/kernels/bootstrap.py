"""The script that trains a backbone on Kaggle, written by ``kit kernel push``.

It installs the kit that it carries and the missing requirements, but never another torch, and then starts
kit.kaggle.kernels.runner.
"""

from __future__ import annotations

import base64
import bz2
import hashlib
import importlib
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PLAN: dict[str, Any] = {}
WHEEL = ""

WORKING = Path(os.environ.get("KIT_KAGGLE_WORKING", "/kaggle/working")).absolute()
SCRATCH = Path(os.environ.get("KIT_KAGGLE_SCRATCH", "/kaggle/temp")).absolute()
MANIFEST = "kit-kernel.json"
SESSION = "kit.kaggle.kernels.runner"

# The host's torch fits its driver: whatever pip thinks, these stay as they are.
_FIXED = re.compile(r"(torch|torchvision|torchaudio|triton|pytorch-.*|nvidia-.*|cuda-.*|cupy-.*)")
# Needed only where kernels are pushed from.
_NOT_NEEDED = {"kaggle", "six"}
NO_INTERNET = (
    "the kernel has no Internet: verify your phone number at https://www.kaggle.com/settings, switch "
    "Internet on in the settings of the kernel's page, and push again"
)
# Messages of pip and git when no server was reached.
_UNREACHED = re.compile(
    r"NewConnectionError|ConnectTimeoutError|NameResolutionError|ProxyError|name resolution"
    r"|Could not resolve host|Failed to connect|Network is unreachable|\(from versions: none\)"
)


def main() -> None:
    """Install the kit, then run its session; exit code 1 where either fails."""
    plan = {**PLAN, "began": time.time()}
    SCRATCH.mkdir(parents=True, exist_ok=True)
    try:
        environment = install(SCRATCH / "installed")
    except (ValueError, OSError) as error:
        about = {name: PLAN[name] for name in ("run", "backbone", "competition", "kit", "revision")}
        manifest = {**about, "state": "failed", "message": str(error), "seconds": 0, "files": []}
        (WORKING / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
        raise SystemExit(f"the kit could not be installed: {error}") from error
    given = SCRATCH / "plan.json"
    given.write_text(json.dumps(plan), encoding="utf-8")
    command = [sys.executable, "-m", SESSION, str(given)]
    process = subprocess.Popen(command, env=environment, cwd=SCRATCH)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    if code := process.wait():
        raise SystemExit(code)


def install(target: Path) -> dict[str, str]:
    """Install the kit into *target*, and its missing requirements beside the host's packages.

    Returns the environment in which ``python -m kit`` is that kit.  Raises ValueError naming what is wrong.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if PLAN["git"]:
        pip("install", "--no-deps", "--target", str(target), f"git+{PLAN['git']}")
    else:
        wheel = SCRATCH / PLAN["wheel"]
        try:
            content = bz2.decompress(base64.b64decode(WHEEL))
        except (ValueError, OSError):
            content = b""
        if hashlib.sha256(content).hexdigest() != PLAN["wheel_sha256"]:
            raise ValueError("the kit inside this kernel is damaged; push it again")
        wheel.write_bytes(content)
        pip("install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    (kit_itself,) = importlib.metadata.distributions(path=[str(target)])
    required = [line for line in kit_itself.requires or () if "extra ==" not in line]
    if missing := lacking(required):
        refuse_fixed(missing)
        pins = SCRATCH / "fixed.txt"
        pins.write_text("".join(f"{name}=={version}\n" for name, version in fixed_here()))
        print("installing", ", ".join(missing), flush=True)
        pip("install", "--constraint", str(pins), *missing)
        importlib.invalidate_caches()
        if still := lacking(required):
            raise ValueError(f"the host still lacks {', '.join(still)}")
    path = os.pathsep.join([str(target), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def lacking(required: Iterable[str]) -> list[str]:
    """Those of *required* that the host lacks or has too old."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        from pip._vendor.packaging.requirements import Requirement  # type: ignore[assignment]

    missing = []
    for line in required:
        needed = Requirement(line)
        if needed.name.lower() in _NOT_NEEDED or (needed.marker and not needed.marker.evaluate()):
            continue
        version = installed_version(needed.name)
        # 2.6.0+cu124 is 2.6.0, and a host's pre-release will do.
        if version is None or not needed.specifier.contains(version.split("+")[0], prereleases=True):
            missing.append(line)
    return missing


def refuse_fixed(missing: Iterable[str]) -> None:
    """Raise ValueError where torch itself is missing or too old."""
    for line in missing:
        name = re.split(r"[^A-Za-z0-9._-]", line.strip())[0]
        if _FIXED.fullmatch(name.lower()):
            raise ValueError(
                f"the kit needs {line} and the host has {installed_version(name) or 'none'}; it is never "
                "replaced: choose the latest environment in the kernel's settings"
            )


def fixed_here() -> list[tuple[str, str]]:
    """Name and version of the packages that pip must not change."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if _FIXED.fullmatch(name):
            found.setdefault(name, distribution.version)
    return sorted(found.items())


def installed_version(name: str) -> str | None:
    """The host's version of a package; None where it has none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def pip(*words: str) -> None:
    """Run pip of this Python.  Raises ValueError with what it could not install, and why."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    lines = []
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.strip())
    if process.returncode:
        options = ("-", os.sep)  # and their folders
        packages = ", ".join(word for word in words[1:] if not word.startswith(options)) or "the kit"
        what = f"pip could not install {re.sub('//[^/@]+@', '//', packages)}"  # a token is nobody's business
        if any(_UNREACHED.search(line) for line in lines):
            raise ValueError(f"{what}: {NO_INTERNET}")
        errors = [line for line in lines if line.startswith("ERROR:")] or lines[-1:]
        raise ValueError(f"{what} ({errors[0].removeprefix('ERROR: ') if errors else 'it does not say why'})")


if __name__ == "__main__":
    main()
