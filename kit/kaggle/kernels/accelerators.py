"""The names of Kaggle's accelerators.

From the documents and the source of the official client 2.2.5; its service sends no list.
"""

from __future__ import annotations

import difflib

from kit.errors import ConfigError

T4_TWICE = "NvidiaTeslaT4"
"""Kaggle's default GPU: two T4."""
GPUS = (
    T4_TWICE,
    "NvidiaL4",
    "NvidiaL4X1",
    "NvidiaTeslaA100",
    "NvidiaH100",
    "NvidiaRtxPro6000",
    "NvidiaTeslaT4Highmem",
)
"""All but the first are open only to participants of some competitions, or to Kaggle's own people."""
_TPUS = ("TpuV5E8", "TpuV6E8", "TpuV38", "Tpu1VmV38", "TpuV232", "TpuV2256")
_RETIRED = {"NvidiaTeslaP100": T4_TWICE}
_SURE = 0.5
"""Similarity from which a name is suggested."""


def accelerator(given: str) -> tuple[str, str]:
    """The name to send for *given*, and a note for the user ("" mostly).

    A retired GPU becomes the one that Kaggle runs in its place.  Raises ConfigError for a TPU and for a name
    that Kaggle does not have, with the likely one.
    """
    name = given.strip()
    if name in GPUS:
        return name, ""
    if name in _RETIRED:
        instead = _RETIRED[name]
        return instead, f"--gpu {name}: Kaggle retired it and runs {instead} (two T4) in its place"
    if name in _TPUS:
        raise ConfigError(f"--gpu {name}: is a TPU, and the kit trains on GPUs; give {' or '.join(GPUS[:2])}")
    known = [*GPUS, *_RETIRED, *_TPUS]
    likely = _likely(name, known)
    meant = f"did you mean {likely}? " if likely else ""
    if likely in _RETIRED:
        meant = f"{likely} is retired ({_RETIRED[likely]} runs in its place); "
    raise ConfigError(
        f"--gpu {given!r}: Kaggle has no accelerator of this name; {meant}give one of {', '.join(GPUS)}"
    )


def _likely(name: str, known: list[str]) -> str | None:
    """The known name that *name* is written like, or is a part of ("T4", "gpu-t4-x2", "a100")."""
    plain = "".join(character for character in name.lower() if character.isalnum())
    short = plain.removeprefix("gpu").removeprefix("nvidia").removeprefix("tesla").removesuffix("x2")
    for one in known:
        if short and one.lower().endswith(short):
            return one
    lowered = {one.lower(): one for one in known}
    close = difflib.get_close_matches(plain, list(lowered), n=1, cutoff=_SURE)
    return lowered[close[0]] if close else None
