"""Guards: what a tokenizer does to the user's data is measured, and shifted offsets are refused."""

from __future__ import annotations

import json
import shutil
import unicodedata
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from kit.data.readers import load
from kit.data.records import Question
from kit.data.repair import repair
from kit.errors import ModelError
from kit.modeling.backbones import Backbone, open_backbone
from kit.modeling.tokenizer_checks import clamp_lengths, inspect_tokenizer
from tests.modeling.test_offsets import Planted, utf16


def questions(contexts: list[str]) -> list[Question]:
    return [Question(str(n), "?", context, None) for n, context in enumerate(contexts)]


def test_offsets_that_round_trip_pass(backbone: Backbone, articles: list[str]) -> None:
    report = inspect_tokenizer(backbone, questions(articles))
    assert report.round_trip == 1.0
    assert (report.lower_cases, report.strips_accents) == (False, False)


def test_unknown_tokens_are_counted(backbone: Backbone) -> None:
    report = inspect_tokenizer(backbone, questions(["龍 虎 鳥 魚 馬"]))
    assert report.unknown > 0.4
    assert any("[UNK] on this data" in remark for remark in report.remarks())


def altered(folder: Path, target: Path, normalizer: object) -> Backbone:
    shutil.copytree(folder, target)
    content = json.loads((target / "tokenizer.json").read_text(encoding="utf-8"))
    content["normalizer"] = normalizer
    (target / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return open_backbone(str(target))


def test_accent_stripping_is_said_to_take_hangul_apart(
    wordpiece_folder: Path, tmp_path: Path, articles: list[str]
) -> None:
    normalizer = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    }
    backbone = altered(wordpiece_folder, tmp_path / "lower", normalizer)
    report = inspect_tokenizer(backbone, questions(articles), allow_unknown=True)
    assert (report.lower_cases, report.strips_accents) == (True, True)
    remarks = " ".join(report.remarks())
    assert "lower-cases" in remarks
    assert "takes Hangul syllables apart" in remarks
    assert report.unknown > 0.5  # the vocabulary has syllables


def test_shifted_offsets_are_refused(wordpiece_folder: Path, tmp_path: Path, articles: list[str]) -> None:
    backbone = altered(wordpiece_folder, tmp_path / "shifted", None)

    engine = backbone.engine

    class Shifted:
        """An engine whose offsets are those of a text that was rewritten beforehand."""

        normalizer = None
        model = engine.model

        def encode_batch(self, texts: list[str], add_special_tokens: bool) -> object:
            return engine.encode_batch([" " + text for text in texts], add_special_tokens=add_special_tokens)

    object.__setattr__(backbone, "engine", Shifted())
    with pytest.raises(
        ModelError, match=r"offsets of its tokenizer are wrong for .* answers would be shifted"
    ):
        inspect_tokenizer(backbone, questions(articles))


class InUtf16:
    """An engine whose offsets count UTF-16 units: right up to the first emoji of a text."""

    def __init__(self, engine: Tokenizer) -> None:
        self.engine, self.normalizer, self.model = engine, engine.normalizer, engine.model

    def encode_batch(self, texts: list[str], add_special_tokens: bool) -> list[Planted]:
        found = self.engine.encode_batch(texts, add_special_tokens=add_special_tokens)
        return [utf16(text, encoding) for text, encoding in zip(texts, found, strict=True)]


def test_a_shift_behind_the_only_emoji_of_the_data_is_refused(
    wordpiece_folder: Path, articles: list[str]
) -> None:
    """One context of thousands has it, and no share of wrong tokens could tell."""
    backbone = open_backbone(str(wordpiece_folder))
    object.__setattr__(backbone, "engine", InUtf16(backbone.engine))
    data = questions([f"{articles[n % 5]} {n}" for n in range(3000)])
    assert inspect_tokenizer(backbone, data).round_trip == 1.0
    late = Question("late", "?", f"{articles[0]} 소식 😀 {articles[1]}", None)
    message = r"wrong for 0\.\d % of tokens \(by \+1 characters in places, token '.+' points at '.+'\)"
    with pytest.raises(ModelError, match=message):
        inspect_tokenizer(backbone, [*data[:1501], late, *data[1501:]])


@pytest.mark.parametrize(
    "text",
    [
        "㈜한빛건설은 84㎡형 ㎡당 1,200만 원에, 3㎞ 밖 땅은 ①차로 판다. 기온은 23℃였다.",
        "값이 올랐다…… 정말인가……? 그렇다…………",
        "樂山과 金氏 北漢 ㉠ ㈀ ㋿ ㍿ ㏂ Ⅳ ½ ﾡￂ ＡＢＣ ﬁ ㄱㅏ 가ㄳ ㅋㅋㅠㅠ 👨‍👩‍👧 ❤️ 5️⃣",
    ],
)
def test_news_with_compatibility_characters_is_taken(shared: Path, text: str) -> None:
    for folder in ("tokenizers/kcbert", "tokenizers/kpfbert", "models/e5-small-ko", "models/e5-small-wp"):
        report = inspect_tokenizer(open_backbone(str(shared / folder)), questions([text, text * 3]))
        assert report.round_trip == 1.0


def test_decomposed_text_is_no_fault_of_a_tokenizer(
    shared: Path, wordpiece_folder: Path, tmp_path: Path, articles: list[str]
) -> None:
    """A file that went through a Mac: its texts are NFD, all of them or only its answers."""
    texts = [
        *articles,
        "별빛역은 1974년 열었다. 역장은 “세 번” 바뀌었다……",
        "㈜한빛 樂山 카페 é 값은 3㎞마다 다르다.",
    ]
    files = {
        "all": ["NFD", "NFD"], "contexts": ["NFD", "NFC"], "answers": ["NFC", "NFD"],
    }  # fmt: skip
    folders = [wordpiece_folder, *(shared / name for name in (
        "tokenizers/kcbert", "tokenizers/kpfbert", "models/e5-small-ko", "models/e5-small-wp"))]  # fmt: skip
    for name, (of_context, of_answer) in files.items():
        rows = []
        for number, text in enumerate(texts):
            context = unicodedata.normalize(of_context, text)  # type: ignore[arg-type]
            start = context.index(unicodedata.normalize(of_context, text[:3]))  # type: ignore[arg-type]
            answer = unicodedata.normalize(of_answer, text[:3])  # type: ignore[arg-type]
            gold = {"text": answer, "answer_start": start}
            rows.append({"guid": str(number), "question": "?", "context": context, "answers": [gold]})
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        mended = path if of_context == of_answer else repair(path, tmp_path / f"{name}-mended.json").out
        data = load(mended).questions
        assert len(data) == len(texts)
        for folder in folders:
            report = inspect_tokenizer(open_backbone(str(folder)), data)
            assert report.round_trip == 1.0, (name, folder)


def test_published_tokenizers_round_trip_on_real_data(shared: Path) -> None:
    data = load(shared / "data" / "goorm2-standin" / "test.json").questions
    for folder in ("tokenizers/kcbert", "tokenizers/kpfbert", "models/e5-small-ko", "models/e5-small-wp"):
        report = inspect_tokenizer(open_backbone(str(shared / folder)), data)
        assert report.round_trip == 1.0, folder
        assert report.unknown < 0.05, folder


def test_lengths_beyond_the_limits_are_clamped_and_said(wordpiece_folder: Path) -> None:
    backbone = open_backbone(str(wordpiece_folder))
    assert clamp_lengths(backbone, 100, 20) == (100, 20, [])
    length, stride, said = clamp_lengths(backbone, 512, 128)
    assert (length, stride) == (128, 64)
    assert said == [
        "max length 512 is more than tiny-wordpiece has positions; using 128",
        "stride 128 is more than half of max length 128; using 64",
    ]


# ---- [UNK] without bound


def wordpieces(folder: Path, target: Path, pieces: list[str], **described: object) -> Path:
    """*folder* with a vocab.txt of *pieces*, read by the class that its config stands for."""
    shutil.copytree(folder, target)
    (target / "tokenizer.json").unlink()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    whole = [*specials, *(piece for piece in pieces if piece not in specials)][:400]
    (target / "vocab.txt").write_text("\n".join(whole) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": False, **described}
    (target / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return target


@pytest.mark.parametrize(
    ("of", "described", "cause"),
    [
        (
            "unigram",
            {},
            r"its vocabulary is SentencePiece's \(▁…\), but BertTokenizer reads it as WordPiece; ",
        ),
        (
            "wordpiece",
            {"do_lower_case": True},
            'it strips accents, which takes Hangul syllables apart, .* "strip_accents": false into its',
        ),
        ("english", {}, "its vocabulary has 0 pieces with Hangul; use a Korean or multilingual backbone"),
        (
            "english",
            {"auto_map": {"AutoTokenizer": ["own.Tokenizer", None]}},
            "its tokenizer brings code of its own; read it, then allow it with --trust-remote-code",
        ),
    ],
)
def test_a_vocabulary_of_another_kind_is_refused(
    wordpiece_folder: Path,
    unigram_folder: Path,
    tmp_path: Path,
    articles: list[str],
    of: str,
    described: dict[str, object],
    cause: str,
) -> None:
    pieces = [f"w{number}" for number in range(300)]
    if of != "english":
        source = {"unigram": unigram_folder, "wordpiece": wordpiece_folder}[of]
        vocabulary = open_backbone(str(source)).engine.get_vocab()
        pieces = sorted(vocabulary, key=vocabulary.__getitem__)
    backbone = open_backbone(str(wordpieces(wordpiece_folder, tmp_path / "m", pieces, **described)))
    with pytest.raises(
        ModelError, match=rf"\d\d % of tokens are \[UNK\] on this data, more than 20 %: {cause}"
    ) as caught:
        inspect_tokenizer(backbone, questions(articles))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("(--allow-unknown goes on all the same)")
    report = inspect_tokenizer(backbone, questions(articles), allow_unknown=True)
    assert report.unexplained > 0.2
    assert "are [UNK] on this data" in report.remarks()[0]


def test_rare_characters_of_the_data_explain_unknown_tokens(backbone: Backbone) -> None:
    """Hanja, emoji and old Hangul are the data's own, whatever share of it they are."""
    report = inspect_tokenizer(backbone, questions(["龍 虎 鳥 魚 馬 😀 ᄒᆞᆫ글 ﷽"]))
    assert report.unknown > 0.4
    assert report.unexplained == 0.0
    assert report.cause == ""


def test_a_few_unknown_words_are_a_remark(wordpiece_folder: Path, articles: list[str]) -> None:
    backbone = open_backbone(str(wordpiece_folder))
    report = inspect_tokenizer(backbone, questions([f"{articles[0]} 뷁뷁 {articles[1]}"]))
    assert 0.005 < report.unexplained == report.unknown < 0.2
    assert len(report.remarks()) == 1
