"""The command line's own few lines of logic."""

from __future__ import annotations

import pytest

from kit.cli.app import several_after, words_of


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("train b --data x y z --run r", "train b --data x --data y --data z --run r"),
        ("train b --data x --data y --run r", "train b --data x --data y --run r"),
        ("train b --data x y --before z w", "train b --data x --data y --before z --before w"),
        ("train b --before z --data x y --json", "train b --before z --data x --data y --json"),
        ("train b --run r --data x y", "train b --run r --data x --data y"),
        ("train --data x b --run r", "train --data x b --run r"),
        ("predict r --data x y", "predict r --data x y"),
        ("train b --limit 3 --data x", "train b --limit 3 --data x"),
        ("train", "train"),
        ("", ""),
    ],
)
def test_data_takes_several_files(given: str, expected: str) -> None:
    assert several_after(given.split(), "train", "--data", "--before") == expected.split()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("runs --compare a b c", "runs --compare a --compare b --compare c"),
        ("runs models --compare a b --json", "runs models --compare a --compare b --json"),
        ("runs --compare a b --data x", "runs --compare a --compare b --data x"),
        ("runs", "runs"),
        ("sweep b --data x y --run r", "sweep b --data x --data y --run r"),
        ("train b --data x y", "train b --data x --data y"),
    ],
)
def test_every_option_of_several_values_is_known(given: str, expected: str) -> None:
    assert words_of(given.split()) == expected.split()
