"""Each experiment prepared once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.chaos.experiments import COMMANDS, experiments
from tests.chaos.trials import Bench
from tests.commands import warm

Benches = Callable[[str, str], Bench]


@pytest.fixture(scope="session")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Benches]:
    """From a command and its variant to the experiment, prepared when it is first asked for."""
    place = tmp_path_factory.mktemp("chaos")
    made: dict[tuple[str, str], Bench] = {}
    with experiments(COMMANDS, place, warm()) as found:
        known = {(one.command, one.variant): one for one in found}

        def bench(command: str, variant: str) -> Bench:
            key = command, variant
            if key not in made:
                made[key] = Bench(known[key], warm(), place / f"{command}-{variant}")
            return made[key]

        yield bench
