"""Reading answers that another program gave: a submission's CSV, JSON lines, or a JSON object."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kit.data.readers.display import lone_surrogate
from kit.data.records import Dataset
from kit.decoding.ensembles import Answers, answers_of
from kit.errors import SubmissionError, all_of
from kit.progress import Progress, no_progress
from kit.settings.recipe import Recipe
from kit.spans.answer_spans import AnswerFile, Weighed
from kit.submission.csv import parse_submission, read_csv

_GUIDS = ("guid", "id", "Id", "ID", "qid", "question_id")
_LISTS = ("answers", "predictions", "candidates", "nbest")
_TEXTS = ("text", "answer", "prediction", "prediction_text", "Predicted")
_SHARES = ("probability", "p", "prob", "score")
_SUM = 1.001
"""The probabilities of a question add up to this at most: some programs round them."""
_CURE = (
    'give a CSV with Id,Predicted, or JSON lines such as {"guid": "q1", "answers": [{"text": "1392년", '
    '"probability": 0.7}, …]}'
)


def answer_files(recipe: Recipe) -> dict[str, AnswerFile]:
    """Every file of answers that *recipe* names, by the path it has there."""
    members = recipe.members
    named = (path for member in members for path in (member.csv, member.answers, member.out_of_fold))
    return {path: read_answers(Path(path)) for path in named if path is not None}


def answer(recipe: Recipe, dataset: Dataset, progress: Progress = no_progress) -> Answers:
    """`answers_of`, with the members' answers from elsewhere read from their files."""
    return answers_of(recipe, dataset, answer_files(recipe), progress)


def read_answers(path: Path) -> AnswerFile:
    """Read a file of answers; its content says which kind it is.

    A CSV is as `kit submit` takes it.  JSON lines have a guid and either one text, or a list of texts: with
    their probabilities, or as samples, whose share is their probability.  A JSON object has such a text or
    list by guid, as the question-answering example of transformers writes it.  Raises SubmissionError.
    """
    content = read_csv(path)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        answers = _parsed(content, path)
    else:
        texts = parse_submission(content, path, twice=False)
        answers = {guid: ((text, 1.0),) for guid, text in texts.items()}
    return AnswerFile(path, hashlib.sha256(content).hexdigest(), answers)


def _parsed(content: bytes, path: Path) -> dict[str, Weighed]:
    try:
        rows = list(_rows(content.decode("utf-8-sig")))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise SubmissionError(f"{path}: cannot be read as JSON ({error}); {_CURE}") from None
    found: dict[str, Weighed] = {}
    mistakes = []
    for where, row in rows:
        try:
            guid, weighed = _question(row)
            if guid in found:
                raise ValueError(f"repeats question {guid}")
            found[guid] = weighed
        except ValueError as error:
            mistakes.append(f"{where} {error}")
    if mistakes or not found:
        raise SubmissionError(f"{path}: {all_of(mistakes) or 'has no answers'}; {_CURE}")
    return found


def _rows(text: str) -> Iterator[tuple[str, Any]]:
    """Each question's row, and how messages call it."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield f"line {number}", json.loads(line)
        return
    if isinstance(whole, dict) and not any(name in whole for name in _GUIDS):
        for guid, value in whole.items():
            yield f"question {guid}", {"guid": guid, "answers": value if isinstance(value, list) else [value]}
        return
    for number, row in enumerate(whole if isinstance(whole, list) else [whole], 1):
        yield f"row {number}", row


def _question(row: object) -> tuple[str, Weighed]:
    """Raises ValueError that says what is wrong with a row."""
    if not isinstance(row, dict):
        raise ValueError(f"is {row!r:.40}, not an object")
    guid = _first(row, _GUIDS)
    if not isinstance(guid, str | int) or isinstance(guid, bool) or guid == "":
        raise ValueError(f"has no guid under {', '.join(_GUIDS[:2])}")
    given = _first(row, _LISTS)
    one = given if isinstance(given, list) else [row if given is None else given]
    return str(guid), _weighed(list(one))


def _weighed(given: list[object]) -> Weighed:
    """The texts, equal ones together, the likeliest first; equally likely ones in their order."""
    if not given:
        raise ValueError("has an empty list of answers; a blank answer is the text ''")
    shares: dict[str, float] = {}
    samples = all(not isinstance(one, dict) or _first(one, _SHARES) is None for one in given)
    for one in given:
        text = _first(one, _TEXTS) if isinstance(one, dict) else one
        if not isinstance(text, str):
            raise ValueError(f"has the answer {text!r:.40}, which is not text")
        if lone_surrogate(text):
            raise ValueError(f"has the answer {text!r:.40}, which holds half a surrogate pair")
        share = 1 / len(given) if samples else _first(one, _SHARES) if isinstance(one, dict) else None
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= _SUM:
            raise ValueError(f"gives {text!r:.40} the probability {share!r}, which is not in 0 to 1")
        shares[text] = shares.get(text, 0.0) + share
    if not (total := math.fsum(shares.values())) <= _SUM:
        raise ValueError(f"has probabilities that add up to {total:.3g}, more than 1")
    return tuple(sorted(shares.items(), key=lambda item: -item[1]))


def _first(row: Mapping[str, object], names: Iterable[str]) -> object:
    """What *row* has under the first of *names* that it has; None without any."""
    return next((row[name] for name in names if name in row), None)
