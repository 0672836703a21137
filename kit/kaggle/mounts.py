"""Where Kaggle mounts what is attached to a notebook or kernel.

Two layouts exist, and a mount of either may be a symbolic link:

    new    competitions/SLUG    datasets/OWNER/NAME    notebooks/OWNER/SLUG    models/OWNER/MODEL/...
    old    SLUG                 NAME                   SLUG                    MODEL/...

A mount is found by its name, never by its files: many data sets have a train.json.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from kit.errors import ConfigError, listed
from kit.kaggle.slugs import source_of

ROOT = "/kaggle/input"
INPUT = Path(os.environ.get("KIT_KAGGLE_INPUT", ROOT)).absolute()
_COMPETITIONS, _DATASETS, _NOTEBOOKS, _MODELS = "competitions", "datasets", "notebooks", "models"
_WITH_OWNER = (_DATASETS, _NOTEBOOKS, _MODELS)
_DEEPEST = 4
"""Depth of the search for a file below a mount: a data set of pictures has many folders."""


def competition_file(competition: str, name: str, root: Path = INPUT) -> Path:
    """The file *name* of a competition ("goorm-2", a slug), at the top of its mount or in a folder there.

    Raises ConfigError where the competition is not mounted, or has no such file, or several.
    """
    slug = source_of(competition).slug
    mount = next(_folders(root, (_COMPETITIONS, slug), (slug,)), None)
    if mount is None:
        raise _not_mounted(slug, root, "attach the competition with Add Input (accept its rules first)")
    return _file_inside(mount, name)


def notebook_output(notebook: str, root: Path = INPUT) -> Path:
    """The mounted output of a notebook or kernel, OWNER/SLUG.  Raises ConfigError where it is not mounted."""
    owner, slug = notebook.split("/")[:2]
    mount = next(_folders(root, (_NOTEBOOKS, owner, slug), (slug,)), None)
    if mount is None:
        raise _not_mounted(notebook, root, "attach its output with Add Input")
    return mount


def placed(word: str, attached: Iterable[str] = (), root: Path = INPUT) -> str:
    """The real path of a path below /kaggle/input in either layout; other words unchanged.

    *attached* are data sets and notebooks as OWNER/NAME: they say whose ``/kaggle/input/NAME`` is meant.
    Raises ConfigError where nothing of that name is mounted, several are, or the mount lacks the file.
    """
    path = PurePosixPath(word)
    top = next((top for top in (ROOT, root.as_posix()) if path.is_relative_to(top)), None)
    if top is None:
        return word
    parts = path.relative_to(top).parts
    if not parts:
        return str(root)
    if ".." in parts:
        raise ConfigError(f"{word}: leads out of {ROOT}; write the path without ..")
    if parts[0] in (_COMPETITIONS, *_WITH_OWNER) and (written := root.joinpath(*parts)).exists():
        return str(written)
    mount, rest = _mount_of(parts, attached, root)
    if mount is None:
        raise _not_mounted("/".join(parts), root, "attach it (--dataset OWNER/NAME, or Add Input)")
    if not (found := mount.joinpath(*rest)).exists():
        raise _lacks(mount, "/".join(rest))
    return str(found)


def mounted(root: Path = INPUT) -> list[str]:
    """The mounts below *root*, as paths relative to it."""
    found: list[str] = []
    for entry in _entries(root):
        depth = {_COMPETITIONS: 1, **dict.fromkeys(_WITH_OWNER, 2)}.get(entry.name, 0)
        below = [entry]
        for _ in range(depth):
            below = [child for folder in below for child in _entries(folder)]
        # An old data set may itself be called "models": it has files, or nothing, where owners would be.
        listed = below if below and all(child.is_dir() for child in below) else [entry]
        found += [child.relative_to(root).as_posix() for child in listed]
    return found


def _mount_of(
    parts: Sequence[str], attached: Iterable[str], root: Path
) -> tuple[Path | None, tuple[str, ...]]:
    """The mount of a path (None: not mounted), and the parts inside it.

    The old layout does not name owners, so it counts only where the new one has no such mount.
    """
    kind = parts[0]
    if kind == _COMPETITIONS and len(parts) > 1:
        return next(_folders(root, (kind, parts[1]), (parts[1],)), None), tuple(parts[2:])
    if kind in _WITH_OWNER and len(parts) > 2:
        return next(_folders(root, (kind, *parts[1:3]), (parts[2],)), None), tuple(parts[3:])
    name, rest = kind, tuple(parts[1:])
    named = (one.split("/")[:2] for one in dict.fromkeys(attached))
    owners = [owner for owner, own_name in named if own_name.casefold() == name.casefold()]
    either = [next(_folders(root, *((kind, owner, name) for kind in _WITH_OWNER)), None) for owner in owners]
    theirs = [mount for mount in either if mount is not None]
    old = next(_folders(root, (name,)), None)
    if old or owners:  # a mount of this name by another owner is never meant
        return _only(theirs, name, root) or old, rest
    everyone = [(kind, owner.name, name) for kind in _WITH_OWNER for owner in _entries(root / kind)]
    return _only([*_folders(root, (_COMPETITIONS, name), *everyone)], name, root), rest


def _only(mounts: Sequence[Path], name: str, root: Path) -> Path | None:
    """The only one of *mounts*.  Raises ConfigError where there are several."""
    if len(mounts) > 1:
        choices = ", ".join(f"{ROOT}/{mount.relative_to(root).as_posix()}" for mount in mounts)
        raise ConfigError(f"{ROOT}/{name}: several mounts have this name; write which one: {choices}")
    return mounts[0] if mounts else None


def _folders(root: Path, *places: Sequence[str]) -> Iterator[Path]:
    """Those of *places*, paths below *root* in parts, that are folders.

    Kaggle's own names have no upper case; a person's may.
    """
    for parts in places:
        folder = root
        for part in parts:
            exact = folder / part
            folder = exact if exact.exists() else folder / part.casefold()
        if folder.is_dir():
            yield folder


def _file_inside(mount: Path, name: str) -> Path:
    """The file called *name* nearest to the top of *mount*.  Raises ConfigError for none, or several."""
    level = [mount]
    for _ in range(_DEEPEST + 1):
        files = [folder / name for folder in level if (folder / name).is_file()]
        found = list({path.resolve(): path for path in files}.values())
        if len(found) > 1:
            shown = listed([path.relative_to(mount).as_posix() for path in found])
            raise ConfigError(f"{mount}: has several {name} ({shown}); name the folder of the right one")
        if found:
            return found[0]
        level = [entry for folder in level for entry in _entries(folder) if entry.is_dir()]
    raise _lacks(mount, name)


def _entries(folder: Path) -> list[Path]:
    """What a folder holds, by name; nothing where it is none or may not be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _lacks(mount: Path, name: str) -> ConfigError:
    held = listed([entry.name for entry in _entries(mount)]) or "nothing"
    return ConfigError(f"{mount}: has no {name}; it holds {held}")


def _not_mounted(what: str, root: Path, cure: str) -> ConfigError:
    shown = listed(mounted(root)) or "nothing"
    return ConfigError(f"{what} is not mounted below {root}; mounted: {shown}; {cure}")
