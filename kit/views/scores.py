"""``kit score``."""

from __future__ import annotations

from pathlib import Path

from kit import terminal
from kit.data.readers import load
from kit.errors import counted
from kit.metrics.scores import Score, compare, score_answers
from kit.submission.csv import read_submission
from kit.views.output import EDIT, INTERVAL, edit, print_json, share


def run(csv: Path, answers: Path, reference: str, versus: Path | None, as_json: bool) -> None:
    """Score one CSV, and its paired difference to another."""
    truth = load(answers, answers_needed=True)
    own = score_answers(read_submission(csv), truth, reference=reference, label=str(csv))
    other = difference = None
    if versus is not None:
        other = score_answers(
            read_submission(versus), truth, reference=reference, groups=own.groups, label=str(versus)
        )
        difference = compare(other, own)
    if not any(any(question.golds) for question in truth):
        terminal.say(
            f"{answers}: all its answers are empty, so that only blanks are right; is it the right file?"
        )
    if as_json:
        data = own.as_dict()
        if other is not None and difference is not None:
            data["versus"] = {**other.as_dict(), "difference": difference.as_dict()}
        print_json(data)
        return
    table(
        f"{answers} ({counted(own.questions, 'question')}, reference: {reference})",
        [own, *([other] if other else [])],
    )
    if difference is not None:
        sign = "better" if difference.mean < 0 else "worse"
        known = difference.interval.known
        sure = known and (difference.interval.high < 0 or difference.interval.low > 0)
        terminal.say(
            f"{csv} is {abs(difference.mean):.3f} characters a question {sign} than {versus} "
            f"(difference {difference.mean:+.3f}, 95 %: {difference.interval}, "
            f"{_p(difference.p_value)}){'' if sure else ': no evidence of a difference'}"
        )


def _p(value: float) -> str:
    return "p < 0.001" if value < 5e-4 else f"p = {value:.3f}"


def table(title: str, scores: list[Score]) -> None:
    """Scores side by side; Edit Score in characters, lower is better."""
    rows = [
        (
            score.label,
            edit(score.edit),
            str(score.interval),
            share(score.exact),
            share(score.f1),
            share(score.blanks),
        )
        for score in scores
    ]
    columns = ("answers", EDIT, INTERVAL, "exact match", "character F1", "blank")
    terminal.table(title, columns, rows)
