"""Offsets: what normalization does to ordinary Korean text is right, and every planted shift is caught."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from kit.modeling.letters import Letters, letters_of
from kit.modeling.offsets import OffsetCheck, Offsets
from tests.modeling.conftest import ARTICLES

WORDS = (
    *("서울시", "아파트", "전용", "매매가는", "지난달보다", "올랐다고"),
    *("부동산원이", "밝혔다", "그는", "가격이", "내렸다고"),
)
BLOCKS = {
    "latin-1": (0xA0, 0xFF),
    "combining": (0x300, 0x36F),
    "jamo": (0x1100, 0x11FF),
    "punctuation": (0x2000, 0x206F),
    "super-and-subscripts": (0x2070, 0x209C),
    "letterlike": (0x2100, 0x214F),
    "number-forms": (0x2150, 0x218B),
    "enclosed": (0x2460, 0x24FF),
    "dingbats": (0x2700, 0x27BF),
    "cjk-punctuation": (0x3000, 0x303F),
    "kana": (0x3041, 0x30FF),
    "compatibility-jamo": (0x3131, 0x318E),
    "enclosed-cjk": (0x3200, 0x32FF),
    "squared": (0x3300, 0x33FF),
    "hanja": (0x4E00, 0x4EFF),
    "jamo-extended": (0xA960, 0xA97C),
    "jamo-extended-b": (0xD7B0, 0xD7FB),
    "compatibility-hanja": (0xF900, 0xFAFF),
    "presentation": (0xFB00, 0xFDFF),
    "compatibility-forms": (0xFE30, 0xFE6F),
    "widths": (0xFF01, 0xFFEF),
    "mathematical": (0x1D400, 0x1D4FF),
    "enclosed-supplement": (0x1F100, 0x1F2FF),
    "emoji": (0x1F300, 0x1F6FF),
}
MIXED = {
    "ellipses": "값이 올랐다…… 정말인가……? 그렇다…………",
    "firms": "㈜한빛과 ㈜누리는 84㎡형을 ㎡당 1,200만 원에, 3㎞ 밖 땅은 ①차로 판다. 기온은 23℃였다.",
    "joined emoji": "가족 👨‍👩‍👧은 ❤️ 깃발 🇰🇷을 들고 👍🏽 5️⃣명이 왔다",
    "laughter": "그래ㅋㅋㅋㅋ ㅠㅠㅠ 하ㅏㅏ ㄱㅏ 가ㄳ 닥ㅣ ﾡￂ 끝났다",
    "two forms of Hanja": "樂樂 龜龜 女女 金金 北北 丹丹 더불어 걷다",
    "zero width": "무\u200b령\u200d시\ufeff는\u00ad 오\u2060는\u3164 달\xa0나\u3000무",
    "accents": "카페café서 Zürich시 naïve하게 ờ하ộ다 ǖ나",
    "spelled out": "<0x41> <0xEA><0xB0> ##가 ▁나 Ġ다 </w> [UNK] 라",
}


def dense(first: int, last: int) -> list[str]:
    """Sentences in which every other word has an assigned character from *first* to *last*, 96 at most."""
    pick = random.Random(first)
    characters = [c for c in map(chr, range(first, last + 1)) if unicodedata.category(c) != "Cn"]
    words: list[str] = []
    for character in characters if len(characters) <= 96 else pick.sample(characters, 96):
        word = pick.choice(WORDS)
        words += [pick.choice([character + word, word + character, f"{character * 2}{word}"]), word]
    return [" ".join(words[at : at + 80]) for at in range(0, len(words), 80)]


TEXTS = {
    **{name: dense(*block) for name, block in BLOCKS.items()},
    **{name: [text] for name, text in MIXED.items()},
    "news": ARTICLES,
}
TEXTS["decomposed"] = [unicodedata.normalize("NFD", text) for texts in TEXTS.values() for text in texts]


def trained(
    model: models.Model, trainer: trainers.Trainer, normalizer: object = None, pre: object = None
) -> Tokenizer:
    engine = Tokenizer(model)
    if normalizer is not None:
        engine.normalizer = normalizer
    if pre is not None:
        engine.pre_tokenizer = pre
    engine.train_from_iterator([*ARTICLES, *MIXED.values()] * 3, trainer)
    return engine


def byte_level(normalizer: object, prefix: bool, size: int) -> Tokenizer:
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    return trained(models.BPE(), trainer, normalizer, pre_tokenizers.ByteLevel(add_prefix_space=prefix))


def byte_normalized() -> Tokenizer:
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
    steps = normalizers.Sequence([normalizers.NFC(), normalizers.ByteLevel()])
    return trained(models.BPE(), trainer, steps)


def unigram(byte_fallback: bool) -> Tokenizer:
    trainer = trainers.UnigramTrainer(
        vocab_size=900, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False
    )
    engine = trained(models.Unigram(), trainer, normalizers.NFKC(), pre_tokenizers.Metaspace())
    if not byte_fallback:
        return engine
    content = json.loads(engine.to_str())
    content["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    content["model"]["byte_fallback"] = True
    return Tokenizer.from_str(json.dumps(content))


def llama() -> Tokenizer:
    spelled = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=spelled, show_progress=False)
    steps = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    engine = trained(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True), trainer, steps)
    return Tokenizer.from_str(engine.to_str().replace('"special":true', '"special":false'))


def wordpiece(lowercase: bool) -> Tokenizer:
    trainer = trainers.WordPieceTrainer(vocab_size=700, special_tokens=["[UNK]"], show_progress=False)
    step = normalizers.BertNormalizer(lowercase=lowercase)
    model = models.WordPiece(unk_token="[UNK]")
    return trained(model, trainer, step, pre_tokenizers.BertPreTokenizer())


def rewriting() -> Tokenizer:
    """Writes some characters in a way that no Unicode form has."""
    step = normalizers.Sequence(
        [
            normalizers.Replace("㈜", "주식회사"),
            normalizers.Replace("“", "«"),
            normalizers.Replace("…", ""),
            normalizers.Lowercase(),
        ]
    )
    trainer = trainers.WordPieceTrainer(vocab_size=700, special_tokens=["[UNK]"], show_progress=False)
    return trained(models.WordPiece(unk_token="[UNK]"), trainer, step, pre_tokenizers.BertPreTokenizer())


def decomposing() -> Tokenizer:
    """Its pieces begin with marks that belong to the character before."""
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=["<unk>"], show_progress=False)
    return trained(
        models.BPE(unk_token="<unk>"), trainer, normalizers.NFD(), pre_tokenizers.Metaspace(split=False)
    )


MADE: dict[str, Callable[[], Tokenizer]] = {
    "wordpiece": lambda: wordpiece(False),
    "wordpiece that takes syllables apart": lambda: wordpiece(True),
    "rewriting": rewriting,
    "decomposing": decomposing,
    "byte-level": lambda: byte_level(None, False, 300),
    "byte-level, long pieces": lambda: byte_level(normalizers.NFKC(), True, 900),
    "byte-level normalizer": byte_normalized,
    "unigram": lambda: unigram(False),
    "unigram with byte fallback": lambda: unigram(True),
    "bpe with byte fallback": llama,
}
PUBLISHED = ["tokenizers/kcbert", "tokenizers/kpfbert", "models/e5-small-ko", "models/e5-small-wp"]


@pytest.fixture(scope="module", params=MADE)
def made(request: pytest.FixtureRequest) -> Tokenizer:
    return MADE[request.param]()


def unknown_of(engine: Tokenizer) -> int | None:
    return engine.token_to_id(getattr(engine.model, "unk_token", None) or "<unk>")


def compared(engine: Tokenizer, texts: list[str], planted: Callable[..., Planted] | None = None) -> Offsets:
    """The sums over *texts*; the first shift and example."""
    check = OffsetCheck(engine, unknown_of(engine))
    found = []
    for text, encoding in zip(texts, engine.encode_batch(texts, add_special_tokens=False), strict=True):
        found.append(check(text, encoding if planted is None else planted(text, encoding)))
    return Offsets(
        sum(one.compared for one in found),
        sum(one.wrong for one in found),
        next((one.shift for one in found if one.shift), 0),
        next((one.example for one in found if one.example), ""),
    )


@dataclass
class Planted:
    """An encoding whose offsets were altered."""

    ids: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.ids)


def moved(by: int) -> Callable[..., Planted]:
    def plant(text: str, encoding: Planted) -> Planted:
        offsets = [(max(begin + by, 0), max(end + by, 0)) for begin, end in encoding.offsets]
        return Planted(encoding.ids, encoding.tokens, offsets)

    return plant


def in_units(width: Callable[[str], int]) -> Callable[..., Planted]:
    """Offsets that count units of *width* in place of characters."""

    def plant(text: str, encoding: Planted) -> Planted:
        at = [0]
        for character in text:
            at.append(at[-1] + width(character))
        return Planted(
            encoding.ids, encoding.tokens, [(at[begin], at[end]) for begin, end in encoding.offsets]
        )

    return plant


def moved_by_a_byte(text: str, encoding: Planted) -> Planted:
    """Each range begins and ends a byte late; a character that a range touches belongs to it."""
    owner = [at for at, character in enumerate(text) for _ in character.encode()]
    at = [0]
    for character in text:
        at.append(at[-1] + len(character.encode()))
    offsets = []
    for begin, end in encoding.offsets:
        first, last = min(at[begin] + 1, len(owner) - 1), min(at[end], len(owner) - 1)
        offsets.append((owner[first], owner[last] + 1))
    return Planted(encoding.ids, encoding.tokens, offsets)


utf16 = in_units(lambda character: 2 if character > "\uffff" else 1)
utf8 = in_units(lambda character: len(character.encode()))


@pytest.mark.parametrize("name", TEXTS)
def test_sound_offsets_of_made_tokenizers_are_never_wrong(made: Tokenizer, name: str) -> None:
    found = compared(made, TEXTS[name])
    assert (found.wrong, found.example) == (0, "")


def test_made_tokenizers_are_compared_at_all(made: Tokenizer) -> None:
    found = compared(made, ARTICLES)
    # One of them knows no decomposed syllable; the others read what they were trained on.
    assert found.compared > 20


@pytest.mark.parametrize("folder", PUBLISHED)
def test_sound_offsets_of_published_tokenizers_are_never_wrong(shared: Path, folder: str) -> None:
    from kit.modeling.backbones import open_backbone

    engine = open_backbone(str(shared / folder)).engine
    for name, texts in TEXTS.items():
        found = compared(engine, texts)
        assert (found.wrong, found.example) == (0, ""), name
        assert found.compared > 0 or name == "accents", name  # KcBERT knows none of these words


@pytest.mark.parametrize("lowercase", [False, True])
def test_sound_offsets_of_a_published_vocabulary(shared: Path, lowercase: bool) -> None:
    from tokenizers import BertWordPieceTokenizer

    path = str(shared / "tokenizers" / "kobigbird" / "vocab.txt")
    # Its own class has no setting for offsets: this is the engine underneath.
    engine = BertWordPieceTokenizer(path, lowercase=lowercase, strip_accents=lowercase)._tokenizer
    for name, texts in TEXTS.items():
        assert compared(engine, texts).wrong == 0, name


@pytest.mark.parametrize("by", [-2, -1, 1, 2])
def test_a_shift_by_characters_is_caught_and_measured(made: Tokenizer, by: int) -> None:
    found = compared(made, ARTICLES, moved(by))
    assert found.wrong > 0.3 * found.compared
    assert found.shift == by


def test_a_shift_by_one_byte_is_caught(made: Tokenizer) -> None:
    found = compared(made, ARTICLES, moved_by_a_byte)
    assert found.wrong > 0.3 * found.compared


def test_offsets_in_bytes_are_caught(made: Tokenizer) -> None:
    found = compared(made, ARTICLES, utf8)
    assert found.wrong > 0.9 * found.compared


def test_a_shift_after_the_first_emoji_is_caught(made: Tokenizer) -> None:
    late = [f"{text} 새 소식 😀 {ARTICLES[0]}" for text in ARTICLES]
    assert compared(made, late).wrong == 0
    found = compared(made, late, utf16)
    assert found.shift == 1
    assert found.wrong > 0.2 * found.compared


def test_a_shift_at_the_end_of_one_long_text_is_caught(made: Tokenizer) -> None:
    text = " ".join([*ARTICLES * 20, "끝에 😀", ARTICLES[2]])
    found = compared(made, [text], utf16)
    assert found.wrong < 0.02 * found.compared  # too few for a share to tell
    assert found.shift == 1


def test_a_shift_in_text_full_of_compatibility_characters_is_caught(made: Tokenizer) -> None:
    text = "㈜한빛전자는 ㎡당 1,200만 원…… 서울 본사에서 새 로봇을 공개했다…… ①가격은 23℃ 다음 달부터 판다……"
    for planted in (moved(1), moved(-1), moved_by_a_byte, utf8):
        found = compared(made, [text], planted)
        assert found.wrong > 0.2 * found.compared


def test_a_vocabulary_that_drops_unknown_characters_is_caught() -> None:
    """BPE without an unknown token leaves them out of its tokens, and of its offsets."""
    trainer = trainers.BpeTrainer(vocab_size=600, show_progress=False)
    engine = trained(models.BPE(), trainer, None, pre_tokenizers.Metaspace(split=False))
    assert compared(engine, ARTICLES).wrong == 0
    assert compared(engine, [f"㉮ 뷁 {text}" for text in ARTICLES]).shift == -2


def test_one_character_as_several_tokens_must_be_complete() -> None:
    """Tokens that share ``㈜`` are right together, and wrong where one of them has another character."""
    engine = unigram(False)
    check = OffsetCheck(engine, None)
    right = Planted([1, 1, 1, 1], ["▁(", "주", ")", "한빛"], [(0, 1), (0, 1), (0, 1), (1, 3)])
    assert check("㈜한빛", right) == Offsets(4, 0, 0, "")
    short = Planted([1, 1, 1], ["▁(", "주", "한빛"], [(0, 1), (0, 1), (1, 3)])
    assert check("㈜한빛", short).wrong == 2
    long = Planted([1, 1, 1, 1], ["▁(", "주", ")", "한빛"], [(0, 1), (0, 2), (0, 1), (1, 3)])
    assert check("㈜한빛", long).example == "token '주' points at '㈜한'"


def test_an_unknown_neighbour_may_have_the_rest_of_a_character() -> None:
    check = OffsetCheck(unigram(False), 0)
    parts = Planted([1, 0, 1, 1], ["▁(", "<unk>", ")", "한빛"], [(0, 1), (0, 1), (0, 1), (1, 3)])
    assert check("㈜한빛", parts) == Offsets(3, 0, 0, "")
    other = Planted([1, 0, 1, 1], ["▁나", "<unk>", ")", "한빛"], [(0, 1), (0, 1), (0, 1), (1, 3)])
    assert check("㈜한빛", other).wrong == 1


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_letters_do_not_depend_on_the_normal_form(form: str) -> None:
    for texts in TEXTS.values():
        for text in texts:
            assert letters_of(unicodedata.normalize(form, text)) == letters_of(text)
            assert letters_of(text.lower()) == letters_of(text)


def test_letters_know_their_characters() -> None:
    letters = Letters("㈜ㄱㅏ나 ", letters_of)
    assert letters.all == unicodedata.normalize("NFD", "(주)가나")
    assert letters.range(0, 1) == (0, 4)
    assert letters.range(1, 2) == letters.range(2, 3) == letters.range(1, 3) == (4, 6)  # one syllable
    assert letters.range(4, 5) == (8, 8)
    assert letters.range(9, 12) == (8, 8)
    assert letters.widened(2, 5) == (0, 6)
