"""From a path to a Dataset: the bytes choose the format, and every fault is reported at once."""

from __future__ import annotations

import contextlib
import gc
import hashlib
from collections.abc import Iterator
from pathlib import Path

from kit.data.readers import archive, json_text, parquet, tables
from kit.data.readers.answer_places import place_answers
from kit.data.readers.builder import BYTE_ORDER_MARK, QuestionBuilder
from kit.data.readers.display import plain
from kit.data.readers.formats import FORMATS
from kit.data.readers.raw import RawFile
from kit.data.readers.sniff import sample
from kit.data.records import Dataset
from kit.errors import DataError, all_of
from kit.files import read_file
from kit.hints import command
from kit.settings.paths import repaired_copy

SKIPPED_MEMBER = "archive member that holds no questions"


def load(path: Path | str, *, answers_needed: bool = False) -> Dataset:
    """Read the questions of a data file of any known format.

    Contexts are never rewritten.  With *answers_needed*, a file that withholds any answer is
    refused.  Raises DataError for a file that cannot be read, one without questions, and one with
    faults (``kit.data.readers.raw.FaultKind`` up to ANSWER_EMPTY), all of which it lists.
    """
    raw = read(path)
    faults = [fault.message for fault in raw.all_faults()]
    if faults:
        from kit.data.repair import repairable  # which itself loads

        cure = "no question could be mended, get another copy"
        if repairable(raw):
            cure = f"run: {command('check', raw.path, repair=repaired_copy(raw.path))}"
        raise DataError(f"{raw.path}: {all_of(faults)}; {cure}")
    questions = tuple(entry.question for entry in raw.questions if entry.question is not None)
    if answers_needed:
        _refuse_withheld(raw)
    return Dataset(raw.path, raw.sha256, raw.format, questions)


def _refuse_withheld(raw: RawFile) -> None:
    """Raise DataError where any question has no answers, and say whether by null or by having no key."""
    withheld = [entry for entry in raw.questions if entry.answers is None]
    if not withheld:
        return
    keyless = all(entry.keyless for entry in withheld)
    every = len(raw.questions)
    if len(withheld) < every:
        what = "questions have no key for answers" if keyless else "answers are null"
        raise DataError(
            f"{raw.path}: {len(withheld):,} of {every:,} {what} (first: question {plain(withheld[0].guid)}); "
            "give a file with all answers"
        )
    if every == 1:
        what = "its only question has no key for answers" if keyless else "its only answer is null"
    elif keyless:
        what = f"none of its {every:,} questions has a key for answers"
    else:
        what = f"all {every:,} answers are null"
    raise DataError(
        f"{raw.path}: {what}: this is a test file; give a file with answers, such as the training file"
    )


def read(path: Path | str) -> RawFile:
    """Parse a data file and keep what is wrong with it; ``load`` and the checks both begin here.

    Raises DataError only where no questions can be told apart at all: a file that is missing, no
    JSON, or of an unknown layout.
    """
    path = Path(path)
    data = _bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    builder = QuestionBuilder()
    with _without_collections():
        if archive.is_archive(data):
            name = _gather_archive(data, path, builder)
        else:
            name = _gather(data, str(path), "", builder)
        place_answers(builder)
    if not builder.questions and not builder.faults:
        raise DataError(f"{path}: holds no question; give the file with the questions")
    return RawFile(path, digest, name, tuple(builder.questions), tuple(builder.faults), builder.remarks)


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Parsing makes objects by the million and no cycles: looking for cycles took a third of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _bytes(path: Path) -> bytes:
    inside: list[str] = []
    with contextlib.suppress(OSError, ValueError):  # reading says what is wrong
        inside = sorted(str(file) for file in path.glob("*.json"))[:1]
    return read_file(path, DataError, folder=", such as ".join(["give a file in it", *inside]))


def _gather(data: bytes, name: str, prefix: str, builder: QuestionBuilder) -> str:
    values, table = _values(data, name, builder)
    found = sample(values, name)
    layout = next((one for one in FORMATS if one.recognises(found)), None)
    if layout is None:
        raise DataError(f"{name}: holds no question; give the file with the questions")
    layout.gather(found, prefix, builder)
    return layout.name if found.nested or not table else table


def _values(data: bytes, name: str, builder: QuestionBuilder) -> tuple[tuple[object, ...], str]:
    """What a file holds, as JSON would give it, and the kind of table it is ("" for JSON)."""
    if parquet.kind(data):
        return (parquet.rows(data, name),), parquet.kind(data)
    text, had_bom = json_text.decoded(data, name)
    if had_bom:
        builder.remark(BYTE_ORDER_MARK)
    if json_text.is_json(text) or not tables.is_table(text):
        return json_text.parse(text, name), ""
    rows, table = tables.rows(text, name)
    return (rows,), table


def _gather_archive(data: bytes, path: Path, builder: QuestionBuilder) -> str:
    """Read every member that holds questions; the others are counted, and all failing is an error."""
    formats: dict[str, str] = {}
    withheld: dict[str, bool] = {}
    failures: list[str] = []
    for name, content in archive.question_members(data, str(path)):
        before = len(builder.questions)
        try:
            formats[name] = _gather(content, f"{path}: {name}", f"{name}: ", builder)
        except DataError as error:
            failures.append(str(error))
            builder.remark(SKIPPED_MEMBER)
            continue
        added = builder.questions[before:]
        withheld[name] = bool(added) and all(entry.answers is None for entry in added)
    if not formats:
        raise DataError(all_of(failures))
    for what, values in (("layout", formats), ("kind (training and test)", withheld)):
        first_of_each: dict[object, str] = {}
        for name, value in values.items():
            first_of_each.setdefault(value, name)
        if len(first_of_each) > 1:
            names = ", ".join(first_of_each.values())
            raise DataError(
                f"{path}: its members are not of one {what} ({names}); unpack it and give one of them"
            )
    return next(iter(formats.values()))
