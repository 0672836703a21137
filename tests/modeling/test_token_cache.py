"""Kept tokens: those the tokenizer gives, read once, shared, and made again when damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from safetensors import safe_open

from kit.data.records import Dataset, Question
from kit.modeling import token_cache
from kit.modeling.backbones import Backbone, open_backbone
from kit.modeling.token_cache import KnownTokens, TokenTable, known_tokens, texts_of
from kit.modeling.tokens import Texts, tokenize
from kit.modeling.windows import make_windows
from tests.examples import examples
from tests.modeling.conftest import ARTICLES, ask

ALPHABET = st.sampled_from("가나각닭뷁 한국ㄱㅏ각美漢😀👨‍👩‍👧\xa0\u200b\t\n.,()‘’“”㎜AaéZ09")


def dataset(*questions: Question) -> Dataset:
    return Dataset(Path("train.json"), "0" * 64, "competition", questions)


def same(one: Texts, other: Texts) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Texts.__slots__)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(token_cache, "WORTH_KEEPING", 1)
    return tmp_path / "cache"


@pytest.fixture
def data() -> Dataset:
    questions = [ask(text, text[3:7], f"{n}", f"{n % 2}번은?") for n, text in enumerate(ARTICLES * 2)]
    return dataset(*questions, Question("empty", "", "", None), ask(ARTICLES[1], "시장", "last", "누구?"))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def refusing(backbone: Backbone, texts: object) -> Texts:
    raise AssertionError("the tokenizer was asked")


def test_windows_are_the_same_from_kept_tokens(
    backbone: Backbone, folder: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = known_tokens(backbone, [data])
    monkeypatch.setattr(token_cache, "tokenize", refusing)
    monkeypatch.setattr(token_cache, "tokenized", refusing)
    again = known_tokens(backbone, [data])
    assert len(files(folder)) == 1
    rng = np.random.default_rng(0)
    subsets = [data.questions, data.questions[3:7], [data.questions[n] for n in rng.permutation(len(data))]]
    for questions in subsets:
        plain = make_windows(backbone, questions, max_length=64, stride=16)
        for tokens_of in (first, again):
            assert tokens_of is not None
            own = make_windows(backbone, questions, max_length=64, stride=16, tokens_of=tokens_of)
            assert same(own.contexts, plain.contexts)
            for name in set(plain.__slots__) - {"contexts"}:
                assert np.array_equal(getattr(own, name), getattr(plain, name)), name


@examples(50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_texts_from_several_tables_are_what_the_tokenizer_gives(
    backbone: Backbone, data: st.DataObject
) -> None:
    texts = data.draw(st.lists(st.text(ALPHABET, max_size=12), unique=True, max_size=8))
    cut = data.draw(st.integers(0, len(texts)))
    unknown = data.draw(st.integers(cut, len(texts)))
    tables = [
        TokenTable(tokenize(backbone, part), {text: row for row, text in enumerate(part)})
        for part in (texts[:cut], texts[cut:unknown])
    ]
    wanted = data.draw(st.lists(st.sampled_from(texts), max_size=12)) if texts else []
    assert same(KnownTokens(backbone, tables)(wanted), tokenize(backbone, wanted))


def test_the_file_is_a_safetensors_file_that_is_mapped(
    backbone: Backbone, folder: Path, data: Dataset
) -> None:
    known = known_tokens(backbone, [data])
    assert known is not None
    (path,) = files(folder)
    expected = tokenize(backbone, texts_of(data))
    with safe_open(path, framework="numpy") as file:
        for name in Texts.__slots__:
            assert np.array_equal(file.get_tensor(name), getattr(expected, name))
    contexts = known([question.context for question in data.questions[:3]])  # neighbours: nothing is copied
    base = contexts.ids
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign", "count"])
def test_a_damaged_entry_is_read_again(backbone: Backbone, folder: Path, data: Dataset, damage: str) -> None:
    known_tokens(backbone, [data])
    (path,) = files(folder)
    sound = path.read_bytes()
    flipped = bytearray(sound)
    flipped[-9] ^= 1
    other = sound
    if damage == "count":
        known_tokens(backbone, [dataset(*data.questions[:2])])
        other = next(file.read_bytes() for file in files(folder) if file != path)
    damaged = {"flip": bytes(flipped), "cut": sound[:-100], "empty": b"", "foreign": b"\xff" * 300}
    path.write_bytes(damaged.get(damage, other))
    known = known_tokens(backbone, [data])
    assert known is not None
    assert same(known(texts_of(data)), tokenize(backbone, texts_of(data)))
    assert path.read_bytes() == sound


def test_without_a_cache_a_process_still_reads_once(
    backbone: Backbone, folder: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIT_CACHE", "")
    assert known_tokens(backbone, [data], make=False) is None
    known = known_tokens(backbone, [data])
    monkeypatch.setattr(token_cache, "tokenize", refusing)
    assert known is not None
    assert len(known(texts_of(data)).offsets) == len(texts_of(data)) + 1
    assert files(folder) == []


def test_little_data_is_not_worth_a_file(
    backbone: Backbone, folder: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_cache, "WORTH_KEEPING", 10_000)
    assert known_tokens(backbone, [data]) is None
    assert files(folder) == []


def test_tokenizers_and_data_have_entries_of_their_own(
    wordpiece_folder: Path, unigram_folder: Path, folder: Path, data: Dataset, tmp_path: Path
) -> None:
    one, other = open_backbone(str(wordpiece_folder)), open_backbone(str(unigram_folder))
    smaller = dataset(*data.questions[:4])
    for backbone in (one, other):
        for part in (data, smaller):
            known_tokens(backbone, [part])
    assert len(files(folder)) == 4
    known_tokens(one, [data, smaller])
    one.tokenizer.save_pretrained(tmp_path / "saved")  # as a trained fold keeps its tokenizer
    one.config.save_pretrained(tmp_path / "saved")
    known_tokens(open_backbone(str(tmp_path / "saved")), [data])
    assert len(files(folder)) == 4
