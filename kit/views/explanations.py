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
            ("why", " ".join(found.reasons)),
            ("context", _marked(found)),
            *([("gold", ", ".join(map(_quoted, question.golds)))] if question.answers is not None else []),
        ],
    )
    if found.choice is not None:
        listed = found.choice.candidates[:_SHOWN]
        rows = [(_quoted(one.text), share(one.p), edit(one.risk)) for one in listed]
        left_out = found.choice.weighed - len(rows)
        title = "texts by expected distance" + (f" (and {left_out} more)" if left_out else "")
        terminal.table(title, ("text", "probability", "expected distance (characters)"), rows)
    members = [
        (one.label, _quoted(one.text), "" if one.p is None else share(one.p), share(one.weight))
        for one in found.members
    ]
    columns = ("member", "answer", "probability", "weight")
    terminal.table("the members' own answers", columns, members, words=("answer",))


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
