"""Whose a kernel's slug is: on the account and in the record, one slug belongs to one run."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path

from kit.errors import ConfigError
from kit.kaggle.client import Client
from kit.kaggle.kernels.history import all_pushed
from kit.kaggle.kernels.remote import Known, Status, address, known, status_if_any

LONGEST = 50
"""Of a kernel's title, which becomes its slug."""
LONGEST_NAME = LONGEST - len("kit--99")
"""Of a run's name: room for the number of a continuation."""
_PLAN = re.compile(r"^PLAN: dict\[str, Any\] = json\.loads\((.*)\)$", re.MULTILINE)


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


class Slugs:
    """The slugs of one account, as far as the record in *runs* and the account itself know them."""

    def __init__(self, client: Client, runs: Path) -> None:
        self.client, self.runs = client, runs
        self.owner = client.username

    def owners(self, kernel: str) -> set[str]:
        """The runs that were pushed as *kernel* from here."""
        return {pushed.run for pushed in all_pushed(self.runs) if pushed.kernel == kernel}

    def claim(self, run: str, slug: str) -> tuple[Known | None, Status | None]:
        """What the account has under *slug*, which *run* may use: its latest version, and how that is.

        Raises ConfigError, with a free name, where the slug is another run's or no kernel of the kit.
        """
        kernel = f"{self.owner}/{slug}"
        here = self.owners(kernel)
        if others := sorted(here - {run}):
            raise self._taken(run, kernel, f"belongs to the run {others[0]}, which was pushed from here")
        found, state = known(self.client, kernel), status_if_any(self.client, kernel)
        if found is None and state is None:
            return None, None
        owner = None if found is None else run_in(found.source)
        if owner is not None and owner != run:
            raise self._taken(run, kernel, f"belongs to the run {owner} on this account")
        if owner is None and run not in here:
            raise self._taken(run, kernel, "is a kernel of this account that is not known to train this run")
        return found, state

    def free_attempt(self, run: str, first: int) -> int:
        """The first attempt, from *first*, whose kernel is neither in the record nor on the account."""
        return next(number for number in itertools.count(first) if not self._used(slug_of(run, number)))

    def _used(self, slug: str) -> bool:
        kernel = f"{self.owner}/{slug}"
        return (
            bool(self.owners(kernel))
            or known(self.client, kernel) is not None
            or (status_if_any(self.client, kernel) is not None)
        )

    def _taken(self, run: str, kernel: str, why: str) -> ConfigError:
        free = free_name(run, lambda name: self._used(slug_of(name)) or (self.runs / name).exists())
        return ConfigError(
            f"--run-name {run}: its kernel would be {kernel}, which {why} ({address(kernel)}); push with "
            f"--run-name {free}"
        )


def free_name(run: str, used: Callable[[str], bool]) -> str:
    """A name like *run* with a number, short enough for a kernel, that is not *used*."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", run).strip("-_.") or "run"
    for number in itertools.count(2):
        ending = f"-{number}"
        name = stem[: LONGEST_NAME - len(ending)].rstrip("-_.") + ending
        if not used(name):
            return name
    raise AssertionError("numbers have no end")
