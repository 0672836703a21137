"""Questions as the competition's JSON: what `kit.data.repair` and the built-in corpus write."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

from kit.data.records import Question


def competition_json(questions: Iterable[Question], version: str) -> str:
    """The text of a file; neighbours of one document and paragraph stay together, in order."""
    documents = [
        {
            "title": title,
            "news_category": category,
            "source": source,
            "paragraphs": [
                {"context": context, "qas": [_row(question) for question in paragraph]}
                for context, paragraph in groupby(document, key=lambda question: question.context)
            ],
        }
        for (title, category, source), document in groupby(
            questions, key=lambda question: (question.title, question.category, question.source)
        )
    ]
    return json.dumps({"version": version, "data": documents}, ensure_ascii=False, indent=1) + "\n"


def _row(question: Question) -> dict[str, object]:
    answers = question.answers
    listed = None if answers is None else [{"text": a.text, "answer_start": a.start} for a in answers]
    return {"guid": question.guid, "question": question.text, "answers": listed}
