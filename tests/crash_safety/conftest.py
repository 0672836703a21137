"""Each experiment prepared once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.commands import fork_server
from tools.chaos.experiments import Experiment, experiments
from tools.chaos.trials import Harness

Harnesses = Callable[[str, str], Harness]
_PREPARED = (("download", "submit"), ("tune",), ("train", "predict", "ensemble", "report"))
"""Commands that share what is prepared for them."""
_QUICK = _PREPARED[0]
"""The commands that need nothing trained: what they show of kills and faults is in `make test`."""


def rows(table: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The rows of a *table*, of which a command is the first word, as parameters: most of them slow."""
    return [pytest.param(*row, marks=() if row[0] in _QUICK else pytest.mark.slow) for row in table]


@pytest.fixture(scope="session")
def harnesses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harnesses]:
    """From a command and its variant to the experiment, prepared when it is first asked for."""
    place = tmp_path_factory.mktemp("chaos")
    known: dict[tuple[str, str], Experiment] = {}
    made: dict[tuple[str, str], Harness] = {}
    with ExitStack() as opened:

        def harness(command: str, variant: str) -> Harness:
            key = command, variant
            if key not in known:
                (commands,) = [own for own in _PREPARED if command in own]
                folder = place / commands[0]
                folder.mkdir()
                found = opened.enter_context(experiments(commands, folder, fork_server()))
                known.update({(one.command, one.variant): one for one in found})
            if key not in made:
                made[key] = Harness(known[key], fork_server(), place / f"{command}-{variant}")
            return made[key]

        yield harness
