"""A small hand-made corpus in the competition's layout, and a way to write files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LIBRARY = (
    "가람시는 3월 2일 새 시립도서관을 열었다. 도서관은 지하 1층, 지상 4층 규모이며 장서는 5만 권이다. "
    "개관식에는 시민 300명이 참석했다. 관장은 “누구나 쉬어 가는 곳으로 가꾸겠다”고 말했다."
)
BRIDGE = (
    "솔내군\xa0주민들은 낡은 다리를 고쳐 달라고 요구해 왔다. "
    "군은 올해 예산 12억 원을 들여\u200b 다리를 새로 놓기로 했다.\n"
    "공사는 11월에 끝난다. 새 다리의 이름은 주민 투표로 ‘해오름다리’가 됐다."
)


def question(guid: str, text: str, context: str, *golds: str) -> dict[str, Any]:
    answers = [{"text": gold, "answer_start": context.index(gold)} for gold in golds]
    return {"guid": guid, "question": text, "answers": answers}


@pytest.fixture
def corpus() -> dict[str, Any]:
    """Two documents, two contexts, four questions, one of them with two golds."""
    return {
        "version": "1.0",
        "data": [
            {
                "title": "가람시 도서관 개관",
                "news_category": "사회",
                "source": "가람일보",
                "paragraphs": [
                    {
                        "context": LIBRARY,
                        "qas": [
                            question("g1", "새 도서관이 문을 연 날은?", LIBRARY, "3월 2일"),
                            question("g2", "도서관의 장서는 얼마나 되나?", LIBRARY, "5만 권이다", "5만 권"),
                        ],
                    }
                ],
            },
            {
                "title": "솔내군 다리",
                "news_category": None,
                "source": "솔내신문",
                "paragraphs": [
                    {
                        "context": BRIDGE,
                        "qas": [
                            question("g3", "다리를 놓는 데 드는 돈은?", BRIDGE, "12억 원"),
                            question("g4", "새 다리의 이름은?", BRIDGE, "해오름다리"),
                        ],
                    }
                ],
            },
        ],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a value as JSON (or bytes as they are) and return the path."""

    def written(value: object, name: str = "train.json") -> Path:
        path = tmp_path / name
        path.write_bytes(
            value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        )
        return path

    return written
