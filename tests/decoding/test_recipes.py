"""Recipes: the whole schema, and every mistake in one readable line."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.decoding.decoders import DECODERS
from kit.decoding.recipes import check, load_recipe
from kit.errors import ConfigError
from kit.settings.recipe import Member, Recipe
from kit.spans.blending import BLENDS
from kit.text_rules.rules import COURSE_2022, RULES, parse_rules


def written(folder: Path, text: str) -> Path:
    path = folder / "five.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def message(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_recipe(written(folder, text))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_are_those_of_the_schema(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, "members: [{run: runs/a}]"))
    assert recipe == Recipe(members=(Member(run="runs/a", weight=1.0, temperature=1.0),))
    assert (recipe.blend, recipe.decoder, recipe.length_cap, recipe.candidates) == ("mean", "argmax", 60, 50)
    assert (recipe.length_prior, recipe.rules, recipe.lengths, recipe.ranker) == (0.0, (), None, None)


def test_the_course_recipe_is_the_course_entry(project: Path) -> None:
    recipe = load_recipe(project / "ensembles" / "course-2022.yaml")
    assert (recipe.decoder, recipe.length_cap) == ("argmax", 60)
    assert recipe.rules == COURSE_2022
    assert [rule.spec for rule in parse_rules(recipe.rules)] == [
        "strip_special_tokens",
        "trim",
        {"blank_long": 20},
    ]


def test_every_shipped_recipe_is_valid_and_says_what_it_is_for(project: Path) -> None:
    paths = sorted((project / "ensembles").glob("*.yaml"))
    assert paths
    for path in paths:
        assert len(load_recipe(path).about) > 20, path


def test_three_mistakes_are_reported_together(tmp_path: Path) -> None:
    text = """
members:
  - {run: runs/a, wieght: 2}
  - {run: runs/b, weight: -0.1}
blend: median
rules: [trimm]
"""
    said = message(tmp_path, text)
    assert said.startswith(f"{tmp_path / 'five.yaml'}: ")
    assert "members[0].wieght is not a known key; did you mean weight?" in said
    assert "members[1].weight is -0.1; input should be greater than or equal to 0" in said
    assert 'blend is "median"; did you mean mean? known: mean, product, vote' in said
    assert "trimm" in said


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is empty; a recipe is a mapping with at least members:"),
        ("[1]", "is a list; a recipe is a mapping"),
        ("members: []", "members is []"),
        ("blend: mean", "members is missing; add it"),
        ("members: [{}]", "either run:, answers: or csv:, exactly one"),
        ("members: [{run: a, csv: b}]\nblend: vote", "either run:, answers: or csv:, exactly one"),
        ("members: [{csv: b, fold: 1}]\nblend: vote", "fold belongs to a run"),
        ("members: [{answers: a, fold: 1, out_of_fold: b}]", "fold belongs to a run; answers have none"),
        ("members: [{run: a, out_of_fold: b}]", "out_of_fold belongs to answers:"),
        (
            "members: [{run: a}, {answers: b.jsonl}]",
            "b.jsonl without out_of_fold: may only vote, and blend is mean; give blend: vote, or its",
        ),
        ("members: [{csv: b}]", "a csv member may only vote, and blend is mean"),
        ("members: [{run: a, weight: 0}]", "all weights are 0"),
        ("members: [{run: a}]\ndecoder: ranked", "ranked and ranker: belong together"),
        ("members: [{run: a}]\nboundary_weight: 0.3", "boundary_weight: needs boundary:"),
        ("members: [{run: a}]\nboundary: b\nboundary_weight: -1", "boundary_weight is -1"),
        ("members: [{run: a}]\nranker: r", "decoder: ranked and ranker: belong together"),
        (
            "members: [{run: a}]\nblend: vote\ndecoder: ranked\nranker: r",
            "decoder: ranked chooses among a blend's candidates; blend: vote has none",
        ),
        (
            "members: [{run: a}]\ndecoder: rankd\nranker: r",
            'decoder is "rankd"; did you mean ranked? known: argmax, edit, ranked',
        ),
        ("members: [{run: a}]\ndecoder: beam", 'decoder is "beam"; known: argmax, edit, ranked'),
        ('members: [{run: a}]\nblend: "a\\nb"', 'blend is "a\\nb"; known: mean, product, vote'),
        (
            "members: [{run: a}]\nrules: [trimm]",
            "'trimm' is not a rule; did you mean trim?",
        ),
        ("members: [{run: a, temperature: 0}]", "members[0].temperature is 0"),
        ("members: [{run: a, weight: .nan}]", "members[0].weight"),
        ("members: [{run: a, weight: '1'}]", 'members[0].weight is "1"'),
        ("members: [{run: a}]\nlength_cap: 0", "length_cap is 0"),
        ("members: [{run: a}]\nlength_cap: true", "length_cap is true"),
        ("members: [{run: a}]\nrules: trim", "rules"),
        (
            "members: [{run: a}]\nmembers: [{run: b}]",
            "five.yaml:2: not valid YAML: members is given twice",
        ),
        ("a: &x [1]\nb: *x", "five.yaml:2: not valid YAML: aliases (*name) are not allowed"),
        ("members: [", "not valid YAML"),
        ("members: !!python/object/apply:os.system [ls]", "not valid YAML"),
        ("{[1]: 2}: 3", "a key must be plain text"),
    ],
)
def test_mistakes_name_place_value_and_rule(tmp_path: Path, text: str, part: str) -> None:
    assert part in message(tmp_path, text)


def test_a_missing_recipe_a_folder_and_bytes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_recipe(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="is a folder"):
        load_recipe(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"members: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_recipe(tmp_path / "bytes.yaml")


def test_a_mistake_in_the_rules_alone_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("members: [{run: a}]\nrules: [trim, nope]\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    assert str(caught.value).startswith(f"{path}: rules[1]: 'nope' is not a rule")
    path.write_text("members: [{run: a}]\nrules: [[trim], nope]\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    assert str(caught.value).count("rules[0]") == 1


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    assert "nested too deeply" in message(tmp_path, "[" * 5000)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"decoder": "agrmax"},
            'decoder is "agrmax"; did you mean argmax? known: argmax, edit, ranked',
        ),
        ({"blend": "means"}, 'blend is "means"; did you mean mean? known: mean, product, vote'),
        ({"decoder": "ranked"}, "decoder: ranked and ranker: belong together; give both or neither"),
        ({"ranker": "r"}, "decoder: ranked and ranker: belong together; give both or neither"),
    ],
)
def test_a_recipe_made_in_python_is_checked_as_a_file(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(Recipe(members=(Member(run="a"),), **given))  # type: ignore[arg-type]
    assert str(caught.value) == f"recipe: {said}"


def test_the_table_of_decoders_blends_and_rules_is_the_one_in_the_documents(project: Path) -> None:
    recipes, blending = (
        (project / "docs" / name).read_text(encoding="utf-8") for name in ("recipes.md", "blending.md")
    )
    for table in (BLENDS, DECODERS):
        assert " | ".join(table) in recipes
        assert all(f"| `{name}` |" in blending for name in table)
    for name in RULES:
        assert f"| `{name}` |" in blending or f"| `{{{name}: " in blending
