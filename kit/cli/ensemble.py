"""``kit ensemble``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import edit, print_json, quoted, scored, share
from kit.errors import ConfigError

if TYPE_CHECKING:
    from kit.decoding.explain import Explanation
    from kit.submission.card import Estimate

_SHOWN = 10
_AROUND = 60
"""Code points of context shown on both sides of the answer."""


def ensemble(
    recipe: Annotated[list[Path], typer.Argument(help="A recipe (.yaml), or a run.")],
    data: Annotated[Path, typer.Option("--data", help="The questions.")],
    out: Annotated[Path | None, typer.Option(help="The CSV [submissions/NAME.csv].")] = None,
    answers: Annotated[
        Path | None, typer.Option(help="The same questions with answers: scores the result.")
    ] = None,
    member: Annotated[
        list[Path] | None, typer.Option(help="Runs in place of the recipe's own members.")
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="GUID", help="Write nothing; explain the answer to this question.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decode span scores with a recipe; write the submission CSV and its card.

    Example: kit ensemble ensembles/course-2022.yaml --data data/goorm-2/test.json
    """
    chosen, members = _chosen(recipe, member or [])
    if explain is not None:
        _print_explanation(kit.explain(chosen, data, explain, members=members), as_json)
        return
    made = kit.ensemble(chosen, data, members=members, out=out, answers=answers)
    blanks = sum(not text for text in made.answers.values())
    if as_json:
        score = None if made.score is None else made.score.as_dict()
        estimate = made.card.estimate.model_dump(mode="json")
        counts = {"questions": len(made.answers), "blanks": blanks}
        print_json({"csv": str(made.path), **counts, "score": score, "estimate": estimate})
        return
    rows = [
        ("CSV", str(made.path)),
        ("card", str(made.path.with_suffix(".json"))),
        ("questions", f"{len(made.answers):,}"),
        ("blank answers", f"{blanks:,} ({share(blanks / max(len(made.answers), 1))})"),
    ]
    if made.score is None:
        rows += _estimate(made.card.estimate)
    else:
        rows += [
            ("Edit Score", f"{scored(made.score.edit, made.score.interval)} characters"),
            ("exact match", share(made.score.exact)),
            ("character F1", share(made.score.f1)),
        ]
    terminal.facts(made.card.name, rows)


def _estimate(estimate: Estimate) -> list[tuple[str, str]]:
    if estimate.edit is None:
        return [("local estimate", estimate.reason)]
    return [
        (
            "local estimate",
            f"Edit Score {scored(estimate.edit, estimate.interval)} characters, {estimate.kind}",
        ),
        ("", estimate.reason),
    ]


def _chosen(given: Sequence[Path], members: Sequence[Path]) -> tuple[Path | None, Sequence[Path]]:
    """A recipe or a run, and the runs in place of its members; None and the runs where there are several."""
    from kit.api.arguments import is_recipe

    first, *more = given
    if not more:
        return first, members
    if is_recipe(first):
        raise ConfigError(f"{first} is a recipe and {len(more)} more were given; give one recipe, or runs")
    if members:
        raise ConfigError("--member replaces the members of a recipe; name the recipe file first")
    return None, given


def _print_explanation(found: Explanation, as_json: bool) -> None:
    if as_json:
        print_json(_explanation(found))
        return
    question = found.question
    terminal.facts(
        f"question {question.guid}",
        [
            ("question", question.text),
            ("answer", quoted(found.answer)),
            *([("before the rules", quoted(found.decoded))] if found.decoded != found.answer else []),
            ("why", " ".join(found.reasons)),
            ("context", _marked(found)),
            *([("gold", ", ".join(map(quoted, question.golds)))] if question.answers is not None else []),
        ],
    )
    if found.choice is not None:
        rows = [(quoted(one.text), share(one.p), edit(one.risk)) for one in found.choice.candidates[:_SHOWN]]
        left_out = found.choice.weighed - len(rows)
        title = "texts by expected distance" + (f" (and {left_out} more)" if left_out else "")
        terminal.table(title, ("text", "probability", "expected distance (characters)"), rows)
    members = [
        (one.label, quoted(one.text), "" if one.p is None else share(one.p), share(one.weight))
        for one in found.members
    ]
    columns = ("member", "answer", "probability", "weight")
    terminal.table("the members' own answers", columns, members, words=("answer",))


def _marked(found: Explanation) -> str:
    """The context around the answer, the answer between ▶ and ◀."""
    context, place = found.question.context, found.place
    if place is None:
        return context[: 2 * _AROUND] + ("…" if len(context) > 2 * _AROUND else "")
    end = place + len(found.decoded)
    first, last = max(place - _AROUND, 0), min(end + _AROUND, len(context))
    before = ("…" if first else "") + context[first:place]
    after = context[end:last] + ("…" if last < len(context) else "")
    return f"{before}▶{context[place:end]}◀{after}"


def _explanation(found: Explanation) -> dict[str, object]:
    candidates = () if found.choice is None else found.choice.candidates
    return {
        "guid": found.question.guid,
        "question": found.question.text,
        "answer": found.answer,
        "decoded": found.decoded,
        "begin": found.place,
        "golds": list(found.question.golds),
        "candidates": [{"text": one.text, "p": one.p, "expected_distance": one.risk} for one in candidates],
        "reasons": list(found.reasons),
        "members": [
            {"member": one.label, "answer": one.text, "p": one.p, "weight": one.weight}
            for one in found.members
        ],
    }
