"""Gold answers that do not begin and end at a member's token boundaries, and how a blend answers them.

``python -m tools.experiments.token_boundaries RECIPE DATA`` takes a recipe's members on DATA with answers
(out of fold where they were trained on it), counts for each member the golds that no span of its tokens
equals, and how often the blend answers them exactly.  Three examples follow.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import kit
from kit.data.records import Question
from kit.decoding.recipes import load_recipe
from kit.spans.recipe_members import sources_of
from kit.spans.span_scores import SpanScores


def expressible(scores: SpanScores, number: int, question: Question) -> bool:
    """Whether a token begins at the first gold's begin and another, of the same window, ends at its end."""
    assert question.answers
    gold = question.answers[0]
    for window in range(scores.windows[number], scores.windows[number + 1]):
        tokens = slice(scores.tokens[window], scores.tokens[window + 1])
        if gold.start in scores.char_begin[tokens] and gold.end in scores.char_end[tokens]:
            return True
    return False


def main(recipe: str, data: str) -> None:
    chosen, dataset = load_recipe(Path(recipe)), kit.load(data)
    answers = kit.decode(chosen, dataset)
    scores = {source.label: source.scores(dataset) for source in sources_of(chosen, dataset)}
    can = {
        label: {q.guid for number, q in enumerate(dataset) if expressible(own, number, q)}
        for label, own in scores.items()
    }
    print("| member | golds it cannot express | another member can | and the blend answers them exactly |")
    print("| --- | --- | --- | --- |")
    examples = []
    for label in scores:
        missing = [q for q in dataset if q.guid not in can[label]]
        others = set().union(*(can[other] for other in scores if other != label))
        possible = [q for q in missing if q.guid in others]
        exact = [q for q in possible if answers[q.guid] == q.golds[0]]
        share = f"{len(missing):,} of {len(dataset):,} ({len(missing) / len(dataset):.1%})"
        print(f"| {label} | {share} | {len(possible):,} | {len(exact):,} |")
        examples += [(label, question) for question in exact[:3]]
    for label, question in examples:
        print(f"\n{label}: {question.text}\n  gold and answer: {question.golds[0]}")
        for name, own in scores.items():
            print(f"  pieces of {name}: {' | '.join(pieces_near(own, dataset.questions, question))}")


def pieces_near(scores: SpanScores, questions: Sequence[Question], question: Question) -> list[str]:
    """The tokens that the first gold touches, in order."""
    assert question.answers
    gold = question.answers[0]
    number = questions.index(question)
    window = slice(scores.windows[number], scores.windows[number + 1])
    tokens = slice(scores.tokens[window.start], scores.tokens[window.stop])
    ranges = set(zip(scores.char_begin[tokens].tolist(), scores.char_end[tokens].tolist(), strict=True))
    return [question.context[b:e] for b, e in sorted(ranges) if b < gold.end and e > gold.start]


if __name__ == "__main__":
    main(*sys.argv[1:])
