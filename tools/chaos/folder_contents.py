"""What a folder holds, without what differs between two equal runs: times and the like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from kit.submission.ledger import NOT_SENT, Ledger

APART = frozenset({"tmp", "home"})
"""Folders of a trial that hold no results."""


def contents(folder: Path) -> dict[str, bytes]:
    """Path below *folder* → content, of every file; folders without files are ``path/``."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if name.parts[0] in APART:
            continue
        if path.is_file():
            found[name.as_posix()] = _lasting(path)
        elif path.is_dir() and not any(path.iterdir()):
            found[f"{name.as_posix()}/"] = b""
    return found


def difference(found: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> str:
    """How two folders differ, in words; "" if they do not."""
    wrong = [f"{name} is missing" for name in wanted if name not in found]
    wrong += [f"{name} is left over" for name in found if name not in wanted]
    wrong += [f"{name} differs" for name in found if name in wanted and found[name] != wanted[name]]
    return "; ".join(wrong)


def _lasting(path: Path) -> bytes:
    """A file's content without what depends on the clock or the number of attempts."""
    content = path.read_bytes()
    if path.name == "ledger.jsonl":
        entries = [entry for entry in Ledger(path).entries() if entry.status != NOT_SENT]
        return repr([entry.model_dump(exclude={"at", "number"}) for entry in entries]).encode()
    if path.name == "run.json":
        return _without(content, "folds.*.seconds", "folds.*.peak_bytes")
    if path.name == "manifest.json":
        return _without(content, "downloaded")
    if path.suffix == ".json" and path.with_suffix(".csv").exists():  # a submission's card
        return _without(content, "made_at", "revision")
    return content


def _without(content: bytes, *places: str) -> bytes:
    try:
        data = json.loads(content)
    except ValueError:  # cut off by a kill
        return content
    for place in places:
        *way, last = place.split(".")
        nodes = [data]
        for name in way:
            nodes = [
                child for node in nodes for child in (node.values() if name == "*" else [node.get(name, {})])
            ]
        for node in nodes:
            node.pop(last, None)
    return json.dumps(data, sort_keys=True).encode()
