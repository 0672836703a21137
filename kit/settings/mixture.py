"""Several data files in one training: what they are called, their shares, and which of them judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from kit.errors import ConfigError
from kit.settings.validation import Settings

MOST = 100.0
"""The largest share: every window a hundred times an epoch."""

Share = Annotated[float, Field(gt=0, le=MOST)]


class Mixture(Settings):
    """Shares and judge of one run's data files, which stand here by the names of `names_of`."""

    shares: dict[str, Share] = Field(default_factory=dict)
    """The share of a file's windows that an epoch holds; a file that is not named: 1, all of them once."""
    judge: str | None = None
    """The file whose held-out questions choose the checkpoint and make the run's score; None: all files."""

    def __str__(self) -> str:
        parts = [f"--share {name}={share:g}" for name, share in self.shares.items()]
        parts += [f"--judge {self.judge}"] if self.judge is not None else []
        return " ".join(parts) or "no --share and no --judge"


def names_of(paths: Sequence[Path]) -> tuple[str, ...]:
    """What each file is called: its name, with as many folders before it as tell it from the others."""
    parts = [path.absolute().parts for path in paths]
    deepest = max(map(len, parts), default=1)
    found = []
    for own in parts:
        depths = range(1, deepest + 1)
        alone = (depth for depth in depths if sum(other[-depth:] == own[-depth:] for other in parts) == 1)
        found.append("/".join(own[-next(alone, 1) :]))
    return tuple(found)


def mixture_of(
    paths: Sequence[Path], share: Sequence[str] | Mapping[str, float] = (), judge: str | None = None
) -> Mixture:
    """The mixture of the data files *paths* from flags (``korquad.json=0.25``) or a mapping.

    A file is meant by its name, with or without its ending, or by its path as given.  Shares of 1 and a
    judge of one file change nothing and are left out.  Raises ConfigError for an unknown or ambiguous
    name, a file named twice, and what is no share.
    """
    pairs = share.items() if isinstance(share, Mapping) else [_pair(text, paths) for text in share]
    shares: dict[str, float] = {}
    for name, text in pairs:
        flag = f"--share {name}={text}"
        found = _meant(name, flag, paths)
        if found in shares:
            raise ConfigError(f"{flag}: {found} has a share already; give it one")
        shares[found] = _share(str(text), flag)
    judging = None if judge is None else _meant(judge, f"--judge {judge}", paths)
    return Mixture(
        shares={name: value for name, value in shares.items() if value != 1.0},
        judge=judging if len(paths) > 1 else None,
    )


def _pair(text: str, paths: Sequence[Path]) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not equals or not name:
        raise ConfigError(f"--share {text}: give it as NAME=SHARE, as in {names_of(paths)[-1]}=0.25")
    return name, value


def _share(text: str, flag: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= MOST:
        raise ConfigError(
            f"{flag}: a share is a number above 0 and at most {MOST:g}; 0.25 is a quarter of the windows an "
            "epoch, 2 is each of them twice; leave a file out of --data to do without it"
        )
    return value


def _meant(name: str, flag: str, paths: Sequence[Path]) -> str:
    """The data file that *name* stands for, as `names_of` calls it."""
    names = names_of(paths)
    called = [
        known
        for known, path in zip(names, paths, strict=True)
        if name in {known, str(path), path.name, path.stem}
    ]
    if name in called:
        return name
    if len(called) > 1:
        raise ConfigError(f"{flag}: {len(called)} --data files are called so; write {' or '.join(called)}")
    if not called:
        raise ConfigError(f"{flag}: no --data file is called so; they are {', '.join(names)}")
    return called[0]
