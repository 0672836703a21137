"""A HOME that cannot be written, made or found, as containers have it: no command ends in a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kit.submission.csv import write_submission
from tests.commands import run_python
from tests.kaggle.conftest import kaggle
from tests.kaggle.server import Kaggle
from tests.kaggle.serving_submissions import records

__all__ = ["kaggle"]

HOMES = ["file", "nowhere", "closed"]


def home_of(kind: str, folder: Path) -> Path:
    """A file in place of a home; one that nobody can make, root included; one that may not be looked into."""
    if kind == "file":
        (folder / "file").write_text("")
        return folder / "file"
    if kind == "nowhere":
        return Path("/proc/nowhere")
    (folder / "closed").mkdir(mode=0o000)
    return folder / "closed"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Training data, a test file, answers and a recipe; and a user cache, which is below HOME."""
    monkeypatch.delenv("KIT_CACHE")
    questions = [
        {"question": "어디?", "guid": f"q{number}", "answers": [{"text": "바다", "answer_start": 0}]}
        for number in range(4)
    ]
    data = {"data": [{"title": "", "paragraphs": [{"context": "바다와 산", "qas": questions}]}]}
    work = tmp_path / "work"
    work.mkdir()
    (work / "answers.json").write_text(json.dumps(data))
    guids = [f"q{number}" for number in range(4)]
    write_submission(work / "data/goorm-2/sample_submission.csv", guids, [""] * 4)
    write_submission(work / "submissions/one.csv", guids, ["바다"] * 4)
    (work / "recipe.yaml").write_text("members:\n  - csv: submissions/one.csv\nblend: vote\n")
    return work


@pytest.mark.skipif(os.name == "nt", reason="no such folders there")
@pytest.mark.parametrize("kind", HOMES)
def test_a_submission_by_credentials_of_the_environment(
    kaggle: Kaggle, place: Path, tmp_path: Path, kind: str
) -> None:
    home = home_of(kind, tmp_path)
    done = run_python(
        "-m", "kit", "submit", "submissions/one.csv", "--message", "x", "--no-wait",
        cwd=place, HOME=str(home), KIT_KAGGLE_TIMEOUT="20",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "signed in with the legacy key of person" in done.stderr
    assert len(records(kaggle)) == 1


@pytest.mark.skipif(os.name == "nt", reason="no such folders there")
def test_the_doctor_says_what_the_home_is_and_other_commands_do_their_work(
    kaggle: Kaggle, place: Path, tmp_path: Path
) -> None:
    home = home_of("file", tmp_path)
    commands = (
        ["doctor", "--json"],
        ["check", "answers.json"],
        ["score", "submissions/one.csv", "--answers", "answers.json"],
        ["ensemble", "recipe.yaml", "--data", "answers.json"],
        ["leaderboard"],
        ["notebook"],
    )
    program = (
        "import io, sys, contextlib\n"
        "from kit.cli import main\n"
        f"for words in {commands!r}:\n"
        "    sys.argv = ['kit', *words]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        assert not end.code, (words, end.code)\n"
    )
    done = run_python("-c", program, cwd=place, HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    doctor, _ = json.JSONDecoder().raw_decode(done.stdout)
    assert doctor["home folder"].startswith(f"{home} cannot be written")
    assert doctor["kaggle"].startswith("2.")
    assert doctor["Kaggle"] == "legacy key of person from KAGGLE_USERNAME and KAGGLE_KEY"


def test_what_keeps_the_client_from_its_import_is_said(kaggle: Kaggle, place: Path, tmp_path: Path) -> None:
    """A package that the client imports, and that cannot be read."""
    (tmp_path / "slugify.py").write_text(
        "raise PermissionError(13, 'Permission denied', '/somewhere/secret')\n"
    )
    (tmp_path / "bleach.py").write_text("import nothing_of_this_name\n")
    for broken, says in (
        (
            "slugify",
            "cannot be imported (PermissionError: [Errno 13] Permission denied: '/somewhere/secret')",
        ),
        (
            "bleach",
            "cannot be imported (No module named 'nothing_of_this_name'): pip install nothing_of_this_name",
        ),
    ):
        program = (
            "import sys, importlib.util\n"
            f"place = {str(tmp_path / broken)!r} + '.py'\n"
            f"spec = importlib.util.spec_from_file_location({broken!r}, place)\n"
            "class First:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            f"        return spec if name == {broken!r} else None\n"
            "sys.meta_path.insert(0, First())\n"
            "from kit.cli import main\n"
            "main()\n"
        )
        done = run_python("-c", program, "submit", "submissions/one.csv", "--message", "x", cwd=place)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("error: the kaggle package (kaggle 2.")
        assert says in done.stderr
    assert not kaggle.calls
