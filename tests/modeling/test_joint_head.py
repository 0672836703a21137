"""The joint head: what it computes, how it is saved and loaded, and which of its scores are kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForQuestionAnswering

from kit.data.records import Question
from kit.errors import ModelError
from kit.files import sha256_file
from kit.modeling import distributed, inference, span_pruning
from kit.modeling.backbones import load_weights, open_backbone
from kit.modeling.checkpoint_files import weights_sha256
from kit.modeling.devices import choose_device
from kit.modeling.inference import score_questions
from kit.modeling.joint_head import (
    BAND,
    JOINT_FILE,
    JointHead,
    JointReader,
    reader_of,
    span_scores,
    with_head,
)
from kit.modeling.span_pruning import kept_spans
from kit.spans.posteriors import DEPTH
from kit.spans.span_scores import Provenance, SpanScores, joined
from tests.modeling.conftest import ARTICLES

NOWHERE = Provenance("", "", "", "", 0, 0, "")


def stirred(head: JointHead, seed: int = 0) -> JointHead:
    """*head* as if it had learned something."""
    torch.manual_seed(seed)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return head


@pytest.fixture(scope="module")
def joint_folder(wordpiece_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a training leaves it."""
    folder = tmp_path_factory.mktemp("joint") / "tiny-joint"
    backbone = open_backbone(str(wordpiece_folder))
    model = load_weights(backbone, head_needed=True, head="joint")
    assert isinstance(model, JointReader)
    stirred(model.head)
    model.save_pretrained(folder)
    backbone.tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("tokens", [1, 3, 7, 8, 9, 20])
def test_the_head_is_the_sum_it_stands_for(tokens: int) -> None:
    band, size = 4, 8
    head = stirred(JointHead(16, size, band))
    hidden = torch.randn(2, tokens, 16)
    opening, closing = head.start(hidden), head.end(hidden)
    found = head(hidden)
    assert found.shape == (2, tokens, band)
    start, end = torch.randn(2, tokens), torch.randn(2, tokens)
    scores = span_scores(start, end, found)
    for begin in range(tokens):
        for width in range(min(band, tokens - begin)):
            product = (opening[:, begin] * closing[:, begin + width]).sum(dim=1) / size**0.5
            expected = product + head.length_bias[width]
            assert torch.allclose(found[:, begin, width], expected, atol=1e-5)
            expected = expected + start[:, begin] + end[:, begin + width]
            assert torch.allclose(scores[:, begin, width], expected, atol=1e-5)


def test_a_fresh_head_adds_nothing_and_can_learn() -> None:
    head = JointHead(16)
    found = head(torch.randn(2, 30, 16))
    assert found.shape == (2, 30, BAND)
    assert not found.any()
    (found * torch.randn_like(found)).sum().backward()
    assert all(parameter.grad is not None for parameter in head.parameters())
    assert head.end.weight.grad.norm() > 0
    assert head.length_bias.grad.norm() > 0


def inputs(folder: Path) -> dict[str, torch.Tensor]:
    backbone = open_backbone(str(folder))
    return dict(backbone.tokenizer("무엇인가?", ARTICLES[0], return_tensors="pt"))


def test_the_folder_is_an_ordinary_one_and_comes_back_with_its_head(
    joint_folder: Path, wordpiece_folder: Path
) -> None:
    assert (joint_folder / JOINT_FILE).is_file()
    plain = AutoModelForQuestionAnswering.from_pretrained(joint_folder)  # as anybody else would load it
    model = load_weights(open_backbone(str(joint_folder)), head_needed=True)
    assert isinstance(model, JointReader)
    given = inputs(joint_folder)
    with torch.inference_mode():
        ours, theirs = model.eval()(**given), plain.eval()(**given)
        hidden = plain(**given, output_hidden_states=True).hidden_states[-1]
        assert torch.equal(ours.start_logits, theirs.start_logits)
        assert torch.equal(ours.end_logits, theirs.end_logits)
        assert torch.allclose(ours.joint, model.head(hidden), atol=1e-6)
        assert ours.joint.any()
    assert model._hidden is None  # nothing is held on to between batches


def test_the_head_is_kept_made_or_dropped_as_asked(joint_folder: Path, wordpiece_folder: Path) -> None:
    with_one, without = open_backbone(str(joint_folder)), open_backbone(str(wordpiece_folder))
    kept_head = load_weights(with_one, head_needed=False, head="joint")
    assert isinstance(kept_head, JointReader)
    assert kept_head.head.length_bias.any()
    fresh = load_weights(without, head_needed=False, head="joint")
    assert isinstance(fresh, JointReader)
    assert not fresh.head.length_bias.any()
    assert reader_of(fresh) is fresh.reader
    for backbone, head in ((with_one, "independent"), (without, "independent"), (without, None)):
        model = load_weights(backbone, head_needed=False, head=head)  # type: ignore[arg-type]
        assert not isinstance(model, JointReader)
        assert reader_of(model) is model


def test_the_weights_hash_knows_the_head(joint_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(joint_folder, folder)
    both = weights_sha256(folder)
    assert both == weights_sha256(joint_folder) == open_backbone(str(folder)).version
    weights = load_file(folder / JOINT_FILE)
    save_file(weights | {"length_bias": weights["length_bias"] + 1}, folder / JOINT_FILE)
    assert weights_sha256(folder) not in {both, sha256_file(folder / "model.safetensors")}
    (folder / JOINT_FILE).unlink()
    assert weights_sha256(folder) == sha256_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    assert weights_sha256(folder) == ""


def changed(**tensors: torch.Tensor | None) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        weights = load_file(path) | {name.replace("__", "."): tensor for name, tensor in tensors.items()}
        save_file({name: tensor for name, tensor in weights.items() if tensor is not None}, path)

    return change


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (lambda path: path.write_bytes(b""), "is no joint head of this model"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "is no joint head of this model"),
        (lambda path: path.write_bytes(b"\xff" * 64), "is no joint head of this model"),
        (lambda path: path.write_bytes(b"\x80\x04\x95joint"), "is no joint head of this model"),
        (a_folder, "is no joint head of this model"),
        (lambda path: save_file({}, path), "end.bias is None"),
        (changed(end__weight=None), r"end.weight is None, not \(64, 32\)"),
        (changed(start__weight=torch.zeros(64, 48)), r"start.weight is \(64, 48\), not \(64, 32\)"),
        (changed(start__weight=torch.zeros(8, 32)), r"end.bias is \(64,\), not \(8,\)"),
        (changed(start__weight=torch.tensor(1.0)), "end.bias is"),
        (changed(length_bias=torch.zeros(2, 3)), r"length_bias is \(2, 3\), not \(2,\)"),
        (changed(length_bias=torch.zeros(0)), "size 64 and band 0"),
        (changed(length_bias=torch.zeros(5000)), "size 64 and band 5000 are not both from 1 to 1024"),
        (changed(other=torch.zeros(1)), r"other is \(1,\), not None"),
        (changed(length_bias=torch.full((64,), torch.nan)), "length_bias is not of finite numbers"),
        (changed(length_bias=torch.zeros(64, dtype=torch.int64)), "length_bias is not of finite numbers"),
    ],
)
def test_a_damaged_head_is_one_line(
    joint_folder: Path, tmp_path: Path, damage: Callable[[Path], object], part: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(joint_folder, folder)
    damage(folder / JOINT_FILE)
    with pytest.raises(ModelError, match=part) as caught:
        load_weights(open_backbone(str(folder)), head_needed=True)
    said = str(caught.value)
    assert said.startswith(str(folder / JOINT_FILE))
    assert "copy it again from where it was trained" in said
    assert "\n" not in said


def test_a_model_that_hides_its_states_cannot_have_the_head(tmp_path: Path) -> None:
    odd = SimpleNamespace(config=SimpleNamespace(model_type="odd"))
    with pytest.raises(ModelError, match=r"odd: its hidden states are not to be found.*--head independent"):
        with_head(odd, tmp_path, "joint")


# ---- which spans are kept


@pytest.mark.parametrize("seed", range(6))
def test_kept_are_the_likeliest_near_the_best_and_the_best_of_every_width(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(span_pruning, "MOST", 12)
    generator = torch.Generator().manual_seed(seed)
    rows, tokens, band = 3, 11, 5
    scores = torch.randn(rows, tokens, band, generator=generator) * (12 if seed % 2 else 3)
    valid = torch.rand(rows, tokens, generator=generator) < 0.7
    valid[1] = False
    row, first, last, score = kept_spans(scores, valid)
    expected = {}
    for number in range(rows):
        spans = {
            (begin, begin + width): float(scores[number, begin, width])
            for begin in range(tokens)
            for width in range(min(band, tokens - begin))
            if valid[number, begin] and valid[number, begin + width]
        }
        best = sorted(spans, key=lambda span: -spans[span])[:12]
        chosen = {span for span in best if spans[span] >= spans[best[0]] - DEPTH}
        for width in range(band):
            own = {span: value for span, value in spans.items() if span[1] - span[0] == width}
            chosen |= {max(own, key=lambda span: own[span])} if own else set()
        expected |= {(number, *span): spans[span] for span in chosen}
    spans_found = zip(row.tolist(), first.tolist(), last.tolist(), strict=True)
    found = dict(zip(spans_found, score.tolist(), strict=True))
    assert found == expected
    assert list(found) == sorted(found)


def test_equal_scores_keep_no_more_than_most() -> None:
    _, first, last, _ = kept_spans(torch.zeros(1, 300, 64), torch.ones(1, 300, dtype=torch.bool))
    assert len(first) <= span_pruning.MOST + 64
    assert (last >= first).all()


# ---- inference


def scored(folder: Path, questions: list[Question], length: int = 64) -> SpanScores:
    backbone = open_backbone(str(folder))
    model = load_weights(backbone, head_needed=True)
    parts = score_questions(
        model, backbone, questions, choose_device(), max_length=length, stride=16, provenance=NOWHERE
    )
    return joined(list(parts), NOWHERE)


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    contexts = [*ARTICLES[:2], " ".join(ARTICLES * 2), "", " \n ", "짧다."]
    return [Question(f"q{n}", "무엇인가?", context, None) for n, context in enumerate(contexts)]


def odds(scores: SpanScores) -> list[dict[tuple[int, int], float]]:
    assert scores.joint is not None
    found = []
    for window, head in enumerate(scores.tokens[:-1].tolist()):
        part = slice(scores.joint.offsets[window], scores.joint.offsets[window + 1])
        begin = scores.char_begin[head + scores.joint.first[part]].tolist()
        end = scores.char_end[head + scores.joint.last[part]].tolist()
        value = (scores.joint.score[part] - scores.null[window]).tolist()
        found.append(dict(zip(zip(begin, end, strict=True), value, strict=True)))
    return found


def test_joint_scores_are_the_models_at_the_spans_characters(
    joint_folder: Path, questions: list[Question]
) -> None:
    backbone = open_backbone(str(joint_folder))
    model = load_weights(backbone, head_needed=True).eval()
    question = questions[0]
    found = scored(joint_folder, [question], length=96)
    encoded = backbone.tokenizer(
        question.text, question.context, return_tensors="pt", return_offsets_mapping=True
    )
    characters = encoded.pop("offset_mapping")[0].tolist()
    context = {n for n, owner in enumerate(encoded.sequence_ids(0)) if owner == 1}
    with torch.inference_mode():
        output = model(**encoded)
    start, end, joint = output.start_logits[0], output.end_logits[0], output.joint[0]
    null = float(start[0] + end[0] + joint[0, 0])
    assert found.null.tolist() == pytest.approx([null], abs=1e-5)
    expected = {
        (characters[b][0], characters[e][1]): float(start[b] + end[e] + joint[b, e - b]) - null
        for b in context
        for e in context
        if 0 <= e - b < BAND
    }
    (row,) = odds(found)
    best = sorted(expected, key=lambda span: -expected[span])[: span_pruning.MOST]
    assert set(best) <= set(row)
    assert row == pytest.approx({span: expected[span] for span in row}, abs=1e-4)


def test_batching_and_chunking_do_not_change_joint_scores(
    joint_folder: Path, questions: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = odds(scored(joint_folder, questions))
    monkeypatch.setattr(inference, "_QUESTIONS_AT_ONCE", 1)
    monkeypatch.setitem(inference._BUDGET, "cpu", 1)
    alone = odds(scored(joint_folder, questions))
    assert len(together) == len(alone) > len(questions)
    for one, other in zip(together, alone, strict=True):
        shared = one.keys() & other.keys()
        assert len(shared) >= len(one) - 2  # at the edge of what is kept, rounding decides
        assert {span: one[span] for span in shared} == pytest.approx(
            {span: other[span] for span in shared}, abs=1e-4
        )


def test_joint_scores_travel_between_processes(joint_folder: Path, questions: list[Question]) -> None:
    whole = scored(joint_folder, questions)
    shares = [whole.select(np.arange(*bounds)) for bounds in ((0, 4), (4, 4), (4, 6))]
    back = [distributed._unpacked(distributed._packed(share), share.guids, NOWHERE) for share in shares]
    nobody = joined([], NOWHERE)  # what a process without questions has
    together = joined([back[0], nobody, *back[1:]], NOWHERE)
    assert together.guids == whole.guids
    assert odds(together) == odds(whole)


def test_white_space_never_starts_or_ends_a_kept_span(unigram_folder: Path, tmp_path: Path) -> None:
    backbone = open_backbone(str(unigram_folder))
    model = load_weights(backbone, head_needed=True, head="joint")
    assert isinstance(model, JointReader)
    stirred(model.head)
    model.save_pretrained(tmp_path)
    backbone.tokenizer.save_pretrained(tmp_path)
    question = Question("a", "?", "서울  본사\xa0\xa0에서\n\n공개했다 ", None)
    found = scored(tmp_path, [question])
    (row,) = odds(found)
    count = np.diff(found.tokens)[0]
    assert len(row) == count * (count + 1) // 2  # few enough to keep all of them
    for begin, end in row:
        assert not question.context[begin].isspace()
        assert not question.context[end - 1].isspace()


def test_bfloat16_reads_nearly_the_same(joint_folder: Path, questions: list[Question]) -> None:
    backbone = open_backbone(str(joint_folder))
    model = load_weights(backbone, head_needed=True)
    parts = score_questions(
        model, backbone, questions, choose_device("bf16"), max_length=64, stride=16, provenance=NOWHERE
    )
    rough = odds(joined(list(parts), NOWHERE))
    for one, other in zip(odds(scored(joint_folder, questions)), rough, strict=True):
        shared = one.keys() & other.keys()
        assert len(shared) >= 0.8 * len(one)
        assert all(abs(one[span] - other[span]) < 0.5 for span in shared)
