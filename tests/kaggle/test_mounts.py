"""What is attached on Kaggle is found by its own name, in both layouts and through links; nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.errors import ConfigError
from kit.kaggle.mounts import competition_file, mounted, notebook_output, placed

SLUG = "k-digital-goorm-2-korean-mrc"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "input").mkdir()
    return tmp_path / "input"


def mount(root: Path, place: str, *files: str, linked: bool = False) -> Path:
    """A mount at *place* with *files*; with *linked* it is a symbolic link to a folder elsewhere."""
    folder = root.parent / "store" / place.replace("/", "_") if linked else root / place
    for file in files or ("config.json",):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(place)
    if linked:
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).symlink_to(folder)
    return root / place


# ---- the competition's own data


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("place", [SLUG, f"competitions/{SLUG}"])
@pytest.mark.parametrize("named", ["goorm-2", SLUG])
def test_competition_data(root: Path, place: str, named: str, linked: bool) -> None:
    for other in ("a", "datasets/a/b", f"datasets/a/{SLUG}", "competitions/another"):
        mount(root, other, "train.json")
    expected = mount(root, place, "train.json", "test.json", linked=linked)
    assert competition_file(named, "train.json", root) == expected / "train.json"
    assert competition_file(named, "test.json", root) == expected / "test.json"


def test_competition_data_in_a_folder_of_the_mount(root: Path) -> None:
    place = mount(root, f"competitions/{SLUG}", "data/v1/train.json")
    assert competition_file("goorm-2", "train.json", root) == place / "data/v1/train.json"
    (place / "circle").symlink_to(place)
    assert competition_file("goorm-2", "train.json", root) == place / "data/v1/train.json"
    mount(root, f"competitions/{SLUG}", "data/v2/train.json")
    with pytest.raises(ConfigError, match=r"several train\.json \(data/v1/train\.json, data/v2/"):
        competition_file("goorm-2", "train.json", root)
    mount(root, f"competitions/{SLUG}", "train.json")
    assert competition_file("goorm-2", "train.json", root) == place / "train.json"


def test_a_link_in_a_circle_ends(root: Path) -> None:
    (mount(root, f"competitions/{SLUG}", "test.json") / "circle").symlink_to(root)
    with pytest.raises(ConfigError, match=rf"{SLUG}: has no train\.json; it holds circle, test\.json"):
        competition_file("goorm-2", "train.json", root)


@pytest.mark.parametrize(
    ("others", "listed"),
    [
        ((), "nothing"),
        (("mine",), "mine"),
        (("datasets/a/b", "datasets/a/c", "competitions/x"), "competitions/x, datasets/a/b, datasets/a/c"),
        ((f"datasets/a/{SLUG}", "notebooks/person/kit-five", "old"), None),
        (tuple("abcdefghijkl"), "a, b, c, d, e, f, g, h, i, j and 2 more"),
    ],
)
def test_another_train_json_is_never_taken(root: Path, others: tuple[str, ...], listed: str | None) -> None:
    for other in others:
        mount(root, other, "train.json")
    with pytest.raises(ConfigError) as error:
        competition_file("goorm-2", "train.json", root)
    shown = ", ".join(others) if listed is None else listed
    assert str(error.value) == (
        f"{SLUG} is not mounted below {root}; mounted: {shown}; attach the competition with Add Input "
        "(accept its rules first)"
    )


def test_both_layouts_at_once(root: Path) -> None:
    mount(root, SLUG, "test.json")
    new = mount(root, f"competitions/{SLUG}", "train.json")
    assert competition_file("goorm-2", "train.json", root) == new / "train.json"
    with pytest.raises(ConfigError, match=rf"competitions/{SLUG}: has no test\.json; it holds train\.json"):
        competition_file("goorm-2", "test.json", root)  # what is called so in the old layout is another thing


# ---- paths, as a person writes them


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize(
    ("word", "attached", "place"),
    [
        # Written in the old layout, mounted in either.
        ("/kaggle/input/mine", ["person/mine"], "mine"),
        ("/kaggle/input/mine", ["person/mine"], "datasets/person/mine"),
        ("/kaggle/input/mine", [], "datasets/person/mine"),
        ("/kaggle/input/Mine", ["Person/Mine"], "datasets/person/mine"),
        ("/kaggle/input/kit-five", ["person/kit-five"], "notebooks/person/kit-five"),
        ("/kaggle/input/kit-five", [], "notebooks/person/kit-five"),
        (f"/kaggle/input/{SLUG}", [], f"competitions/{SLUG}"),
        # Written in the new layout, mounted in either.
        ("/kaggle/input/datasets/person/mine", ["person/mine"], "datasets/person/mine"),
        ("/kaggle/input/datasets/person/mine", ["person/mine"], "mine"),
        ("/kaggle/input/notebooks/person/kit-five", [], "kit-five"),
        (f"/kaggle/input/competitions/{SLUG}", [], SLUG),
    ],
)
def test_a_path_in_either_layout(
    root: Path, word: str, attached: list[str], place: str, linked: bool
) -> None:
    mount(root, "datasets/zeta/unlike")
    expected = mount(root, place, "inner/model/config.json", "aihub.zip", linked=linked)
    assert placed(word, attached, root) == str(expected)
    assert placed(f"{word}/aihub.zip", attached, root) == str(expected / "aihub.zip")
    assert placed(f"{word}/inner/model", attached, root) == str(expected / "inner" / "model")


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("/kaggle/input/bert/transformers/base/1", "models/klue/bert/transformers/base/1"),
        ("/kaggle/input/models/klue/bert/transformers/base/1", "models/klue/bert/transformers/base/1"),
        ("/kaggle/input/models/klue/bert/transformers/base/1", "bert/transformers/base/1"),
    ],
)
def test_a_model(root: Path, word: str, place: str) -> None:
    expected = mount(root, place)
    assert placed(word, [], root) == str(expected)


def test_the_attached_owners_data_set_before_any_other(root: Path) -> None:
    mount(root, "datasets/other/mine")
    mount(root, "mine")  # a notebook's output may be called so in the old layout
    mount(root, "notebooks/person/mine")
    own = mount(root, "datasets/person/mine")
    assert placed("/kaggle/input/mine", ["other/else", "person/mine"], root) == str(own)
    mount(root, "mine", "x.json")
    with pytest.raises(ConfigError, match=r"person/mine: has no x\.json"):
        placed("/kaggle/input/mine/x.json", ["person/mine"], root)


def test_another_owners_data_set_is_never_taken(root: Path) -> None:
    mount(root, "datasets/other/mine")
    with pytest.raises(ConfigError, match=r"^mine is not mounted .*; mounted: datasets/other/mine; attach"):
        placed("/kaggle/input/mine", ["person/mine"], root)
    with pytest.raises(ConfigError, match=r"^datasets/person/mine is not mounted"):
        placed("/kaggle/input/datasets/person/mine", [], root)


def test_a_name_that_two_owners_have(root: Path) -> None:
    mount(root, "datasets/a/mine")
    mount(root, "datasets/b/mine")
    for attached in ([], ["a/mine", "b/mine"]):
        with pytest.raises(ConfigError) as error:
            placed("/kaggle/input/mine/x.json", attached, root)
        assert str(error.value) == (
            "/kaggle/input/mine: several mounts have this name; write which one: "
            "/kaggle/input/datasets/a/mine, /kaggle/input/datasets/b/mine"
        )
    assert placed("/kaggle/input/mine", ["b/mine"], root) == str(root / "datasets/b/mine")
    assert placed("/kaggle/input/datasets/b/mine", [], root) == str(root / "datasets/b/mine")


def test_a_mount_that_lacks_the_file_says_what_it_holds(root: Path) -> None:
    place = mount(root, "datasets/person/mine", "a.json", "b.json")
    mount(root, "datasets/other/more", "c.json")
    with pytest.raises(ConfigError) as error:
        placed("/kaggle/input/mine/c.json", ["person/mine"], root)
    assert str(error.value) == f"{place}: has no c.json; it holds a.json, b.json"


@pytest.mark.parametrize("name", ["models", "datasets", "notebooks", "competitions"])
def test_an_old_data_set_that_is_called_like_a_part_of_the_new_layout(root: Path, name: str) -> None:
    place = mount(root, name, "config.json", "a/b/c.json")
    assert placed(f"/kaggle/input/{name}", ["person/" + name], root) == str(place)
    assert placed(f"/kaggle/input/{name}/config.json", [], root) == str(place / "config.json")
    assert placed(f"/kaggle/input/{name}/a/b/c.json", [], root) == str(place / "a/b/c.json")


def test_other_words_stay(root: Path) -> None:
    for word in ("klue/bert-base", "--before", "kaggle/input/x", "/kaggle/inputs/x", "/else/kaggle/input/x"):
        assert placed(word, [], root) == word
    assert placed("/kaggle/input", [], root) == str(root)
    with pytest.raises(ConfigError, match=r"leads out of /kaggle/input; write the path without"):
        placed("/kaggle/input/../etc", [], root)


def test_a_path_may_begin_with_the_real_root(root: Path) -> None:
    place = mount(root, "datasets/person/mine")
    assert placed(f"{root}/mine", [], root) == str(place)


def test_broken_links_and_missing_roots_are_nothing(root: Path) -> None:
    (root / "mine").symlink_to(root / "gone")
    with pytest.raises(ConfigError, match="mine is not mounted"):
        placed("/kaggle/input/mine", ["person/mine"], root)
    assert mounted(root / "none") == []
    with pytest.raises(ConfigError, match="mounted: nothing"):
        placed("/kaggle/input/mine", [], root / "none")


# ---- outputs of notebooks


@pytest.mark.parametrize("place", ["kit-five", "notebooks/person/kit-five"])
@pytest.mark.parametrize("kernel", ["person/kit-five", "person/kit-five/3"])
def test_a_notebooks_output(root: Path, place: str, kernel: str) -> None:
    mount(root, "notebooks/other/kit-five", "kit-kernel.json")
    expected = mount(root, place, "kit-kernel.json")
    assert notebook_output(kernel, root) == expected


def test_another_notebooks_output_is_never_taken(root: Path) -> None:
    mount(root, "notebooks/other/kit-five", "kit-kernel.json")
    with pytest.raises(ConfigError, match=r"^person/kit-five is not .*; mounted: notebooks/other/kit-five;"):
        notebook_output("person/kit-five", root)
