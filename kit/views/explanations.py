"""``kit ensemble --explain GUID``."""

from __future__ import annotations

from pathlib import Path

from kit import api, terminal
from kit.decoding.explain import Explanation
from kit.settings.recipe import Recipe
from kit.views.output import edit, print_json, share

_SHOWN = 10
_AROUND = 60
"""Code points of context shown on both sides of the answer."""


def run(recipe: Recipe, data: Path, guid: str, as_json: bool) -> None:
    """Print how one question's answer came about."""
    found = api.explain(recipe, data, guid)
    if as_json:
        print_json(_as_dict(found))
        return
    question = found.question
    terminal.facts(
        f"question {question.guid}",
        [
            ("question", question.text),
            ("answer", _quoted(found.answer)),
            *([("before the rules", _quoted(found.decoded))] if found.decoded != found.answer else []),
            ("context", _marked(found)),
            *([("gold", ", ".join(map(_quoted, question.golds)))] if question.answers is not None else []),
        ],
    )
    if found.considered is not None:
        table = zip(
            found.considered.texts, found.considered.p.tolist(), found.considered.risk.tolist(), strict=True
        )
        rows = [(_quoted(text), share(p), edit(risk)) for text, p, risk in list(table)[:_SHOWN]]
        left_out = len(found.considered.texts) - len(rows)
        title = "texts by expected distance" + (f" (and {left_out} more)" if left_out else "")
        terminal.table(title, ("text", "probability", "expected distance (characters)"), rows)
    opinions = [
        (one.label, _quoted(one.text), "" if one.p is None else share(one.p), share(one.weight))
        for one in found.opinions
    ]
    columns = ("member", "answer", "probability", "weight")
    terminal.table("the members' own answers", columns, opinions, words=("answer",))


def _quoted(text: str) -> str:
    return f"“{text}”" if text else "(blank)"


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


def _as_dict(found: Explanation) -> dict[str, object]:
    weighed = found.considered
    table = [] if weighed is None else list(
        zip(weighed.texts, weighed.p.tolist(), weighed.risk.tolist(), strict=True)
    )  # fmt: skip
    return {
        "guid": found.question.guid,
        "question": found.question.text,
        "answer": found.answer,
        "decoded": found.decoded,
        "begin": found.place,
        "golds": list(found.question.golds),
        "candidates": [{"text": text, "p": p, "expected_distance": risk} for text, p, risk in table],
        "members": [
            {"member": one.label, "answer": one.text, "p": one.p, "weight": one.weight}
            for one in found.opinions
        ],
    }
