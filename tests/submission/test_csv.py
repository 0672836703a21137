"""The submission CSV: what is written comes back, and what is wrong is named."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kit
from kit.errors import SubmissionError, WriteError
from kit.submission.csv import (
    check_sample,
    check_submission,
    parse_submission,
    read_submission,
    write_submission,
)

CURE = "write it with `kit ensemble`, or with pandas: to_csv(path, index=False)"

# Everything a CSV or a reader might trip over, beside Hangul, NFD jamo, Hanja and emoji.
NASTY = ",\"'\r\n\t \x00\x1a\x1c\x85\u2028\xa0\u200b\ufeff\\;=+-@|#한글\u1112\u1161韓🙂NAnul"
nasty = st.one_of(
    st.text(alphabet=NASTY, max_size=8),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(
        ["", "NA", "N/A", "nan", "NaN", "null", "None", "<NA>", "-inf", "1e5", "007", "True", '""']
    ),
)
ids = nasty.filter(lambda text: bool(text.strip()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv")


def refusal(path: Path, content: bytes) -> str:
    """The message with which the file is refused, less its path."""
    path.write_bytes(content)
    with pytest.raises(SubmissionError) as caught:
        read_submission(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_bytes_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "new" / "five.csv"
    texts = ["한 달가량", "", "1,004명", 'the "A"', "두\n줄", "두\r줄", "=1+1", "NA", " 앞뒤 "]
    written = write_submission(path, list("abcdefghi"), texts)
    content = (
        'Id,Predicted\na,한 달가량\nb,\nc,"1,004명"\nd,"the ""A"""\ne,"두\n줄"\nf,"두\r줄"\n'
        "g,=1+1\nh,NA\ni, 앞뒤 \n"
    ).encode()
    assert path.read_bytes() == content
    assert written == hashlib.sha256(content).hexdigest()
    assert read_submission(path) == dict(zip("abcdefghi", texts, strict=True))
    assert [file.name for file in path.parent.iterdir()] == ["five.csv"]


@given(st.dictionaries(ids, nasty, max_size=6))
def test_round_trip(folder: Path, answers: dict[str, str]) -> None:
    path = folder / "nasty.csv"
    first = write_submission(path, list(answers), list(answers.values()))
    assert list(read_submission(path).items()) == list(answers.items())
    # What a scorer reads, with pandas and no more care than blanks need.
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert frame["Predicted"].tolist() == list(answers.values())
    assert write_submission(path, list(answers), list(answers.values())) == first


@given(st.text(alphabet='ab,"\r\n\x00 ', max_size=20))
def test_readers_never_differ_in_silence(folder: Path, body: str) -> None:
    path = folder / "any.csv"
    path.write_bytes(f"Id,Predicted\n{body}".encode())
    try:
        answers = read_submission(path)
    except SubmissionError:
        return
    assert parse_submission(path.read_bytes(), path) == answers  # by both readers, whoever wrote it
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert dict(zip(frame["Id"], frame["Predicted"], strict=True)) == answers
    assert len(frame) == len(answers)


@pytest.mark.parametrize("text", ["", "NA", "N/A", "nan", "null", "None", "<NA>", "#N/A", "0", "1.0", "inf"])
def test_answers_that_look_missing_stay_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "five.csv"
    write_submission(path, ["NA", "a"], [text, "답"])
    assert read_submission(path) == {"NA": text, "a": "답"}


def test_windows_line_ends_and_a_missing_last_one_are_read(tmp_path: Path) -> None:
    path = tmp_path / "five.csv"
    path.write_bytes('Id,Predicted\r\na,"두\r\n줄"\r\n\r\n"b",\r\nc,끝'.encode())
    assert read_submission(path) == {"a": "두\r\n줄", "b": "", "c": "끝"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", f"is empty; {CURE}"),
        ("\n\n", f"is empty; {CURE}"),
        (
            "\ufeffId,Predicted\na,답\n",
            "begins with a byte-order mark (BOM), which becomes part of the first column's name; "
            "save it as UTF-8 without BOM",
        ),
        (
            "id,prediction\na,답\n",
            "the header is 'id,prediction', not 'Id,Predicted'; write Id,Predicted in the first line",
        ),
        (
            ",Id,Predicted\n0,a,답\n",
            "the header is ',Id,Predicted', not 'Id,Predicted'; it was written with pandas' index: "
            "use to_csv(path, index=False)",
        ),
        (
            "a,답\n",
            "the header is 'a,답', not 'Id,Predicted'; write Id,Predicted in the first line",
        ),
        ("Id,Predicted,Note\na,답,?\n", "the header is 'Id,Predicted,Note', not 'Id,Predicted'; …"),
        ('{"a": "답"}', "looks like JSON, not a CSV with the header Id,Predicted; give the CSV"),
        (' [\n"a"]', "looks like JSON…"),
        # pandas alone would take the first column for an index, or the missing field for a blank.
        ("Id,Predicted\na,답,?\n", f"line 2 has 3 fields instead of 2; {CURE}"),
        ("Id,Predicted\na\n", f"line 2 has 1 field instead of 2; {CURE}"),
        ("Id,Predicted\na\na,답\n", f"line 2 has 1 field instead of 2; {CURE}"),
        (
            'Id,Predicted\na,"두\n줄"\nb\na,답\n ,답\na,답\n',
            "line 4 has 1 field instead of 2; line 5 repeats the Id 'a' of line 2; line 6 has a blank Id; "
            f"line 7 repeats the Id 'a' of line 2; {CURE}",
        ),
        ('Id,Predicted\na,"답\n', "cannot be read (…"),
        (f'Id,Predicted\na,"{"답" * 140_000}"\n', "the row that begins in line 2 cannot be read (…"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, content: str, message: str) -> None:
    found = refusal(tmp_path / "five.csv", content.encode())
    if message.endswith("…"):
        assert found.startswith(message.removesuffix("…"))
    else:
        assert found == message


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "five.csv"
    assert refusal(path, "Id,Predicted\na,가\n".encode("cp949")) == (
        "line 2 is not UTF-8 (byte 0xb0); save it as UTF-8, not as CP949"
    )
    assert refusal(path, "Id,Predicted\n".encode("utf-16")).startswith("is UTF-16; ")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="there is no such file; check the name"):
        read_submission(tmp_path / "none.csv")
    with pytest.raises(SubmissionError, match="is a folder; name the CSV inside it"):
        read_submission(tmp_path)


def test_unfit_answers_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "five.csv"
    path.write_text("earlier")
    guids = ["a", "a", " ", "d", "e"]
    with pytest.raises(SubmissionError) as caught:
        write_submission(path, guids, ["답", "답", "답", float("nan"), "반\ud800쪽"])  # type: ignore[list-item]
    assert str(caught.value) == (
        f"{path}: not written: the answer of 'd' is nan, which is not text (a blank is ''); "
        "the answer of 'e' holds half a surrogate pair (U+D800 at 1); row 2 repeats the Id 'a' of row 1; "
        "row 3 has a blank Id; mend these answers first"
    )
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match="2 guids but 1 texts"):
        write_submission(path, ["a", "b"], ["답"])


def test_a_field_no_reader_takes_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "five.csv"
    with pytest.raises(SubmissionError, match="field larger than field limit"):
        write_submission(path, ["a"], ["답" * 140_000])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("a.csv.gz", "a.csv"),
        ("a.zip", "a.csv"),
        ("a.b.XLSX", "a.b.csv"),
        ("a.CSV.GZ", "a.CSV"),
        ("a.json", "a.csv"),
    ],
)
def test_the_name_of_another_format_is_refused(tmp_path: Path, name: str, own: str) -> None:
    with pytest.raises(SubmissionError, match=rf"Kaggle goes by the name; name it .*{own}$"):
        write_submission(tmp_path / name, ["a"], ["b"])
    assert not list(tmp_path.iterdir())
    for fine in ("a.csv", "a", "a.2", "A.CSV", "a.txt"):
        write_submission(tmp_path / fine, ["a"], ["b"])


def test_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "five.csv").mkdir()
    with pytest.raises(WriteError, match="cannot be written"):
        write_submission(tmp_path / "five.csv", ["a"], ["답"])


def test_complete_submission_passes() -> None:
    check_submission({"a": "", "b": "답"}, ["a", "b"])


def test_all_faults_of_a_submission_at_once() -> None:
    with pytest.raises(SubmissionError) as caught:
        check_submission({"a": "", "x": "", "c": "", "b": ""}, ["a", "b", "c", "d"], "five.csv")
    assert str(caught.value) == (
        "five.csv: 1 test guid is missing: d; 1 Id is not in the test file: x; 2 rows are out of order: "
        "'c' where the test file has 'b'; 'b' where the test file has 'c'; write one row a guid, in the test "
        "file's order, or name the test file that it was made for"
    )


def test_ten_guids_are_named_and_all_are_counted() -> None:
    with pytest.raises(SubmissionError) as caught:
        check_submission({}, [f"g{number:02}" for number in range(4008)])
    message = str(caught.value)
    assert message.startswith("submission: 4008 test guids are missing: g00, g01, ")
    assert "g09 and 3998 more; " in message
    assert "g10" not in message


def test_sample_submission(tmp_path: Path) -> None:
    path = tmp_path / "sample_submission.csv"
    write_submission(path, ["b", "a"], ["", ""])
    check_sample(path, ["a", "b"])  # any order
    with pytest.raises(SubmissionError) as caught:
        check_sample(path, ["a", "c"])
    assert str(caught.value) == (
        f"{path}: 1 test guid is missing: c; 1 Id is not in the test file: b; sample and test file belong to "
        "different competitions or versions: download both again"
    )


def test_pandas_is_imported_only_for_files_of_another_hand(tmp_path: Path) -> None:
    own, other = tmp_path / "own.csv", tmp_path / "other.csv"
    write_submission(own, ["a", "b"], ['"두"\n줄', ""])
    other.write_bytes(own.read_bytes() + b'"c",x\n')
    code = (
        "import sys; from pathlib import Path\n"
        "import kit.submission.card, kit.metrics.scores, kit.text_rules.rules\n"
        "from kit.submission.csv import read_submission\n"
        "for path in sys.argv[1:]: print(len(read_submission(Path(path))), 'pandas' in sys.modules)"
    )
    root = Path(kit.__file__).parents[1]
    words = [sys.executable, "-c", code, str(own), str(other)]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["2 False", "3 True"]
