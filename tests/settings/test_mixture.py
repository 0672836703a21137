"""Several data files: what they are called, which shares and judge the flags mean, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ConfigError
from kit.settings.mixture import Mixture, mixture_of, names_of

FILES = [Path("data/goorm/train.json"), Path("data/korquad.json"), Path("/far/korquad/train.json")]


def test_files_are_called_by_as_little_of_their_path_as_tells_them_apart() -> None:
    assert names_of(FILES) == ("goorm/train.json", "korquad.json", "korquad/train.json")
    assert names_of(FILES[:2]) == ("train.json", "korquad.json")
    assert names_of([]) == ()


@given(st.lists(st.text("ab/", min_size=1, max_size=6), min_size=1, max_size=5, unique=True))
def test_names_tell_files_apart_and_end_their_paths(texts: list[str]) -> None:
    paths = list({Path("/root", text.strip("/"), "x"): None for text in texts})
    names = names_of(paths)
    assert len(set(names)) == len(paths)
    assert all(str(path).endswith(f"/{name}") for path, name in zip(paths, names, strict=True))
    for path, name in zip(paths, names, strict=True):  # each name means its own file and no other
        assert mixture_of(paths, [f"{name}=0.5"]).shares == {name: 0.5}, path


@pytest.mark.parametrize("name", ["korquad.json", "korquad", "data/korquad.json"])
def test_a_file_is_meant_by_name_stem_or_path(name: str) -> None:
    expected = Mixture(shares={"korquad.json": 0.25}, judge="korquad.json")
    assert mixture_of(FILES, [f"{name}=0.25"], name) == expected
    assert mixture_of(FILES, {name: 0.25}, name) == expected


def test_what_changes_nothing_is_left_out() -> None:
    assert mixture_of(FILES, ["korquad=1"]) == Mixture()
    assert mixture_of(FILES[:1], [], "train.json") == Mixture()
    assert str(Mixture()) == "no --share and no --judge"
    assert str(Mixture(shares={"a.json": 0.5}, judge="b.json")) == "--share a.json=0.5 --judge b.json"


@pytest.mark.parametrize(
    ("share", "says"),
    [
        (["korquad"], "--share korquad: give it as NAME=SHARE, as in korquad/train.json=0.25"),
        (["=2"], "--share =2: give it as NAME=SHARE"),
        (["squad=2"], "no --data file is called so; they are goorm/train.json, korquad.json, korquad/train"),
        (["train.json=2"], "2 --data files are called so; write goorm/train.json or korquad/train.json"),
        (["korquad=1", "korquad.json=2"], "korquad.json has a share already"),
        *(
            (["korquad=" + value], "a share is a number above 0 and at most 100")
            for value in ("0", "-1", "x")
        ),
        *((["korquad=" + value], "a share is a number above 0") for value in ("nan", "inf", "100.5", "")),
    ],
)
def test_what_is_no_share_is_refused(share: list[str], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        mixture_of(FILES, share)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_judge_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"--judge squad: no --data file is called so; they are train\.json"
    ):
        mixture_of(FILES[:2], [], "squad")
