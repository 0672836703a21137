"""Slugs in capitals and pasted addresses, wherever a competition, a kernel or a data set is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.errors import ConfigError
from kit.kaggle.kernels.history import find_kernel
from kit.kaggle.slugs import competition_named, dataset_named, kernel_named, source_of

LONG = "k-digital-goorm-2-korean-mrc"


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        LONG.upper(),
        "GOORM-2",
        f"https://www.kaggle.com/competitions/{LONG}",
        f"https://www.kaggle.com/competitions/{LONG}/data?select=train.json#top",
        f"http://kaggle.com/c/{LONG.title()}/",
        f"www.kaggle.com/c/{LONG}/leaderboard",
        f"kaggle.com/competitions/{LONG}?rvi=1",
        f"HTTPS://WWW.KAGGLE.COM/C/{LONG.upper()}/Overview",
        f" <https://www.kaggle.com/competitions/{LONG}/submissions> ",
        f'"{LONG}"',
    ],
)
def test_a_competition_by_any_of_its_names(text: str) -> None:
    assert source_of(text).slug == LONG
    assert source_of(text).alias == "goorm-2"


def test_korquad_in_capitals() -> None:
    assert source_of("KorQuAD").is_korquad


@pytest.mark.parametrize(
    "text",
    [
        "https://www.kaggle.com/code/person/kit-five",
        "https://www.kaggle.com/datasets/person/mine",
        "https://www.kaggle.com/competitions",
        "https://www.kaggle.com/",
        "https://example.com/c/titanic",
        "person/kit-five",
        "한국어",
    ],
)
def test_what_is_no_competition_is_refused_as_it_was_given(text: str) -> None:
    assert competition_named(text) == text
    with pytest.raises(ConfigError, match="is no competition") as error:
        source_of(text)
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("person/kit-five", "person/kit-five"),
        ("Person/Kit-Five", "person/kit-five"),
        ("person/kit-five/3", "person/kit-five/3"),
        ("/code/person/kit-five", "person/kit-five"),
        ("https://www.kaggle.com/code/person/kit-five", "person/kit-five"),
        ("https://www.kaggle.com/code/Person/kit-five/output?scriptVersionId=12", "person/kit-five"),
        ("https://www.kaggle.com/code/person/kit-five/edit/run/12", "person/kit-five"),
        ("https://www.kaggle.com/kernels/person/kit-five", "person/kit-five"),
        ("kaggle.com/person/kit-five", "person/kit-five"),
    ],
)
def test_a_kernel_by_any_of_its_names(text: str, name: str) -> None:
    assert kernel_named(text) == name
    assert find_kernel(Path("nowhere"), text) == name


@pytest.mark.parametrize(
    "text",
    [
        "https://www.kaggle.com/c/titanic",
        "https://www.kaggle.com/datasets/a/bcdef",
        "https://example.com/a/bcdef",
    ],
)
def test_the_address_of_something_else_is_no_kernel(text: str) -> None:
    with pytest.raises(ConfigError, match="is no kernel; give OWNER/SLUG"):
        find_kernel(Path("nowhere"), text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("person/mine", "person/mine"),
        ("https://www.kaggle.com/datasets/Person/Mine/data", "person/mine"),
        ("datasets/person/mine", "person/mine"),
        ("https://www.kaggle.com/c/titanic", "https://www.kaggle.com/c/titanic"),
    ],
)
def test_a_data_set_by_any_of_its_names(text: str, name: str) -> None:
    assert dataset_named(text) == name
