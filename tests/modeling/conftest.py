"""Tiny backbones with real tokenizers, made once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kit.data.records import Answer, Question
from kit.modeling.backbones import Backbone, open_backbone
from kit.modeling.tiny import Shape, make_backbone
from tools.families.tiny_models import make_family, train_pad_row

ARTICLES = [
    "한빛전자는 3일 서울 본사에서 새 로봇 ‘누리’를 공개했다. 가격은 1,200만 원이며 다음 달부터 판다.",
    "무령시는 오는 15일 시청 앞 광장에서 김도현 시장이 참석한 가운데 나무 심기 행사를 연다고 밝혔다.",
    "청솔중학교 학생 42명이 전국 합창 대회에서 대상을 받았다. 지도 교사는 이서윤 씨다.",
    "기상청은 내일 밤 동해안에 최대 80㎜의 비가 내리겠다고 예보했다. 바람도 강하게 불겠다…",
    "소설가 박하린의 장편 “바람이 머무는 골목”이 美 출판사와 계약했다. 번역은 3년이 걸렸다.",
]


def ask(context: str, text: str, guid: str = "q", question: str = "무엇인가?") -> Question:
    """A question whose only gold is the first occurrence of *text*."""
    return Question(guid, question, context, (Answer(text, context.index(text)),))


@pytest.fixture(scope="session")
def wordpiece_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backbones") / "tiny-wordpiece"
    make_backbone(folder, ARTICLES * 3, "wordpiece", Shape(400, 32, 2, 2, 64, 128, spread=0.2), seed=1)
    return folder


@pytest.fixture(scope="session")
def unigram_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backbones") / "tiny-unigram"
    make_backbone(folder, ARTICLES * 3, "unigram", Shape(300, 32, 2, 2, 64, 96, spread=0.2), seed=2)
    return folder


@pytest.fixture(scope="session", params=["wordpiece", "unigram"])
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return open_backbone(str(request.getfixturevalue(f"{request.param}_folder")))


@pytest.fixture
def articles() -> list[str]:
    return list(ARTICLES)


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny random model of a family (`tools.families.tiny_models`), by name, made once."""
    root = tmp_path_factory.mktemp("families")

    def made(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            make_family(folder, name, ARTICLES * 3, change=train_pad_row if name == "mobilebert" else None)
        return folder

    return made
