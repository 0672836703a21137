"""The two files of a kernel, its script (with the kit inside) and its metadata, and what it is called."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kit.errors import ConfigError
from kit.kaggle.downloads.manifest import StoredFile
from kit.kaggle.kernels import bootstrap
from kit.kaggle.kernels.limits import LONGEST_SESSION, LONGEST_TITLE, MOST_SOURCE, SOME_SESSIONS, T4_TWICE
from kit.kaggle.kernels.wheel import build_wheel
from kit.version import __version__

SCRIPT, METADATA = "kernel.py", "kernel-metadata.json"
NOBODY = "USERNAME"
"""Placeholder for the account in files written without one."""
LONGEST_NAME = LONGEST_TITLE - len("kit--99")
"""Characters of a run's name: room for the number of a continuation."""
_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OTHERS_SLUG = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9-]+")
_PLAN = re.compile(r"^PLAN: dict\[str, Any\] = json\.loads\((.*)\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a kernel does.  ``train`` are further words of ``kit train``."""

    run: str
    backbone: str
    competition: str
    train: tuple[str, ...]
    git: str | None = None
    """URL@REV to install the kit from; None: the kernel carries it."""
    with_weights: bool = False
    datasets: tuple[str, ...] = ()
    continued: str | None = None
    """The kernel (owner/slug) whose unfinished run this one continues."""
    attempt: int = 1
    """Of the same run: a kernel cannot read its own output."""
    hours: float = 8.5
    gpu: str = T4_TWICE
    weights: tuple[StoredFile, ...] = ()
    """The files of the backbone in a data set, which the kernel compares before it trains."""

    def __post_init__(self) -> None:
        if not _RUN_NAME.fullmatch(self.run) or not 5 <= len(self.slug) <= LONGEST_TITLE:
            raise ConfigError(
                f"--run-name {self.run!r}: names a folder and a kernel; letters (a to z), digits, - _ and . "
                f"only, at most {LONGEST_NAME} of them, such as {free_name(self.run, lambda name: False)}"
            )
        if not 0 < self.hours <= LONGEST_SESSION:
            raise ConfigError(
                f"--hours {self.hours:g}: must be above 0, and Kaggle ends a kernel after "
                f"{LONGEST_SESSION:g} at the latest"
            )
        for given in (*self.datasets, *filter(None, [self.continued])):
            if not _OTHERS_SLUG.fullmatch(given):
                raise ConfigError(f"{given!r}: is no OWNER/NAME of Kaggle's")

    @property
    def slug(self) -> str:
        """The kernel's slug, which is also its title."""
        return slug_of(self.run, self.attempt)

    @property
    def notes(self) -> list[str]:
        """What the user should know before it is pushed, one line each."""
        if self.hours <= SOME_SESSIONS:
            return []
        return [
            f"--hours {self.hours:g}: Kaggle ends some GPU sessions after {SOME_SESSIONS:g} h, and a kernel "
            "that it ends keeps no output; give less to be safe, and continue with --continue"
        ]

    def using(self, dataset: str, files: tuple[StoredFile, ...]) -> Plan:
        """This plan with the backbone in *dataset* (OWNER/NAME), whose *files* the kernel compares."""
        return dataclasses.replace(
            self,
            backbone=f"/kaggle/input/datasets/{dataset}",
            datasets=tuple(dict.fromkeys((*self.datasets, dataset))),
            weights=files,
        )


def write_files(folder: Path, plan: Plan, owner: str, revision: str) -> None:
    """Write the kernel of *plan* into *folder*.  Raises ConfigError for a script too large for Kaggle."""
    script = script_text(plan, revision)
    if (size := len(script.encode())) > MOST_SOURCE:
        raise ConfigError(
            f"the kernel's script has {size:,} bytes with the kit inside, and Kaggle takes about "
            f"{MOST_SOURCE:,}; push the kit to a git server and give --git URL@REV"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).write_text(script, encoding="utf-8", newline="\n")
    text = json.dumps(metadata(plan, owner), ensure_ascii=False, indent=2)
    (folder / METADATA).write_text(text + "\n", encoding="utf-8", newline="\n")


def script_text(plan: Plan, revision: str) -> str:
    """The program that runs on Kaggle; the same plan and kit give the same text."""
    wheel = None if plan.git else build_wheel()
    content = {
        "run": plan.run,
        "backbone": plan.backbone,
        "competition": plan.competition,
        "train": list(plan.train),
        "hours": plan.hours,
        "with_weights": plan.with_weights,
        "datasets": list(plan.datasets),
        "continue": plan.continued,
        "weights": [file.model_dump() for file in plan.weights],
        "kit": __version__,
        "revision": revision,
        "git": plan.git,
        "wheel": wheel.name if wheel else None,
        "wheel_sha256": wheel.sha256 if wheel else None,
    }
    lines = wheel.packed if wheel else ""
    text = Path(bootstrap.__file__).read_text(encoding="utf-8")
    plan_text = f"PLAN: dict[str, Any] = json.loads({json.dumps(content)!r})"
    for old, new in (("PLAN: dict[str, Any] = {}", plan_text), ('WHEEL = ""', f'WHEEL = """\n{lines}\n"""')):
        assert text.count(f"\n{old}\n") == 1, old
        text = text.replace(f"\n{old}\n", f"\n{new}\n")
    return text


def metadata(plan: Plan, owner: str) -> dict[str, object]:
    """What the official client reads beside the script."""
    return {
        "id": f"{owner}/{plan.slug}",
        "title": plan.slug,
        "code_file": SCRIPT,
        "language": "python",
        "kernel_type": "script",
        "is_private": True,
        "enable_gpu": True,
        "enable_tpu": False,
        "enable_internet": True,
        "machine_shape": plan.gpu,
        "dataset_sources": list(plan.datasets),
        "competition_sources": [plan.competition],
        "kernel_sources": [plan.continued] if plan.continued else [],
        "model_sources": [],
    }


def slug_of(run: str, attempt: int = 1) -> str:
    """The slug of a run's kernel, which is also its title: "kit-klue-bert", or "kit-klue-bert-2" where it is
    the second kernel that continues the run."""
    name = re.sub(r"[^a-z0-9]+", "-", run.lower()).strip("-")
    return f"kit-{name}" if attempt == 1 else f"kit-{name}-{attempt}"


def run_in(source: str) -> str | None:
    """The run that a kernel of the kit trains, read from its script; None for any other kernel."""
    found = _PLAN.search(source)
    if found is None:
        return None
    try:
        run = json.loads(ast.literal_eval(found[1]))["run"]
    except (ValueError, SyntaxError, KeyError, TypeError):
        return None
    return run if isinstance(run, str) else None


def free_name(run: str, used: Callable[[str], bool]) -> str:
    """A name like *run* with a number, short enough for a kernel, that is not *used*."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", run).strip("-_.") or "run"
    endings = map("-{}".format, itertools.count(2))
    names = (stem[: LONGEST_NAME - len(ending)].rstrip("-_.") + ending for ending in endings)
    return next(name for name in names if not used(name))
