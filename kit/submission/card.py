"""The card: the JSON beside a submission CSV that says exactly how the CSV was made.

The CSV's bytes depend on its inputs alone; whatever varies from one making to the next (the time,
the git revision) stands here.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from types import NoneType
from typing import get_args, get_origin, get_type_hints

from kit.errors import SubmissionError, all_of
from kit.files import replacing, sha256_file
from kit.metrics.bootstrap import Interval
from kit.settings.validation import shown
from kit.version import __version__

DEFAULT_COMPETITION = "k-digital-goorm-2-korean-mrc"
FORMAT = 1
_CURE = "make CSV and card again with `kit ensemble`"


@dataclass(frozen=True, slots=True)
class Member:
    """One model that took part, by the span file (or, for a vote, the CSV) that was blended.

    ``fold`` is None for a run trained on everything, or for a CSV.
    """

    label: str
    run: str
    fold: int | None
    span_file: str
    span_sha256: str
    weight: float = 1.0
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class CardData:
    """The test file that was answered: its path as given, SHA-256 (hex) and number of questions."""

    path: str
    sha256: str
    questions: int

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return Path(self.path).name


@dataclass(frozen=True, slots=True)
class Estimate:
    """The Edit Score to expect, in code points.

    Where ``edit`` or ``interval`` is None, ``reason`` says why; an unknown interval becomes None
    and leaves its reason here.
    """

    edit: float | None = None
    interval: Interval | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.interval is not None and not self.interval.known:
            object.__setattr__(self, "reason", self.reason or self.interval.reason)
            object.__setattr__(self, "interval", None)


NO_ESTIMATE = Estimate(reason="no estimate")


@dataclass(frozen=True, slots=True)
class Revision:
    """A git commit (hex) and whether tracked files differed from it; None where git did not say."""

    commit: str
    dirty: bool | None


@dataclass(frozen=True, slots=True)
class Card:
    """How a CSV was made.  ``recipe`` is the recipe as run, in JSON types; ``made_at`` is UTC."""

    name: str
    csv_sha256: str
    data: CardData
    recipe: Mapping[str, object] = field(hash=False)
    members: tuple[Member, ...] = ()
    estimate: Estimate = NO_ESTIMATE
    competition: str = DEFAULT_COMPETITION
    revision: Revision | None = None
    kit_version: str = __version__
    made_at: str | None = None

    def describes(self, csv_path: Path) -> bool:
        """Whether the CSV still has the bytes that the card was written for."""
        return sha256_file(csv_path) == self.csv_sha256


def card_path(csv_path: Path) -> Path:
    """Where a CSV's card stands: ``five.csv`` → ``five.json`` in the same folder."""
    if csv_path.suffix.lower() == ".csv":
        return csv_path.with_suffix(".json")
    return csv_path.with_name(f"{csv_path.name}.json")


def git_revision(folder: Path | None = None) -> Revision | None:
    """The commit that *folder* (default: the working folder) is at; None outside git.  Never fails."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Revision(commit.strip(), None if changes is None else bool(changes.strip()))


def write_card(csv_path: Path, card: Card) -> Path:
    """Write the card beside its CSV and return its path.

    Raises WriteError where the folder cannot be written, and TypeError or ValueError for a recipe
    with values that JSON does not have.
    """
    with writing_card(csv_path, card) as path:
        return path


@contextlib.contextmanager
def writing_card(csv_path: Path, card: Card) -> Iterator[Path]:
    """Write the card; the block writes its CSV.  The card gets its name when the block has ended well.

    So a disk too full for both leaves an earlier CSV and its card as they were.  Raises what `write_card`
    raises.
    """
    content = {"card": FORMAT, **asdict(card)}
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    if _SURROGATE.search(text):
        # A path whose bytes are not UTF-8 reaches Python as surrogates, which only escapes carry.
        text = json.dumps(content, indent=2, allow_nan=False)
    path = card_path(csv_path)
    with replacing(path) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8", newline="\n")
        yield path


def read_card(path: Path) -> Card:
    """The card of a CSV, by the CSV's path or the card's own.

    Raises SubmissionError, with all mistakes at once, for a card that is missing, not JSON, of
    another format version, or has fields missing, unknown or of the wrong type.
    """
    if path.suffix.lower() != ".json":
        path = card_path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except FileNotFoundError:
        raise SubmissionError(f"{path}: there is no such card; {_CURE}") from None
    except OSError as error:
        raise SubmissionError(f"{path}: cannot be read ({error.strerror}); {_CURE}") from error
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"{path}: is not valid JSON ({error}); {_CURE}") from None
    version = content.pop("card", None) if isinstance(content, dict) else None
    if type(version) is not int:
        raise SubmissionError(f"{path}: is not a card (no format version under 'card'); {_CURE}")
    if version != FORMAT:
        raise SubmissionError(
            f"{path}: is a card of format {version}, and kit {__version__} reads format {FORMAT}; "
            "use the kit version that wrote it, or make it again"
        )
    mistakes: list[str] = []
    card = _record(Card, content, "", mistakes)
    if mistakes:
        # Half a surrogate pair in the file must not break the terminal that prints it.
        encodable = all_of(mistakes).encode(errors="backslashreplace").decode()
        raise SubmissionError(f"{path}: {encodable}; {_CURE}")
    assert isinstance(card, Card)
    return card


# Cards are written from the dataclasses above, so they are read by them too: every field must be
# there, with the type that its annotation says, and nothing else.


def _record(kind: type, content: object, where: str, mistakes: list[str]) -> object:
    """An instance of a card dataclass from a JSON object; None, with *mistakes* longer, if that fails."""
    if not isinstance(content, dict):
        return _wrong(where, content, "an object", mistakes)
    before = len(mistakes)
    prefix = f"{where}." if where else ""
    values: dict[str, object] = {}
    hints = get_type_hints(kind)
    for name, hint in hints.items():
        if name in content:
            values[name] = _value(hint, content[name], prefix + name, mistakes)
        else:
            mistakes.append(f"{prefix}{name} is missing")
    mistakes += [f"{prefix}{name} is an unknown field" for name in content if name not in hints]
    return kind(**values) if len(mistakes) == before else None


def _value(hint: object, value: object, where: str, mistakes: list[str]) -> object:
    """A JSON value as the type that a field's annotation says."""
    wanted = hint
    if NoneType in get_args(hint):
        if value is None:
            return None
        wanted = get_args(hint)[0]
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _record(wanted, value, where, mistakes)
    if get_origin(wanted) is tuple:
        if not isinstance(value, list):
            return _wrong(where, value, "a list", mistakes)
        inner = get_args(wanted)[0]
        return tuple(_value(inner, item, f"{where}[{index}]", mistakes) for index, item in enumerate(value))
    if get_origin(wanted) is Mapping:
        return value if isinstance(value, dict) else _wrong(where, value, "an object", mistakes)
    if wanted is float:
        # Other programs write 1.0 as 1; true is an int only to Python, and 1e999 reads as infinity.
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE:
            return float(value)
        return _wrong(where, value, "a number", mistakes)
    if type(value) is not wanted:
        return _wrong(where, value, _NAMES[wanted], mistakes)
    if where.endswith("sha256") and not _SHA256.fullmatch(str(value)):
        return _wrong(where, value, "a SHA-256 in lower-case hex", mistakes)
    return value


_NAMES: Mapping[object, str] = {str: "text", int: "a whole number", bool: "true or false"}
_HUGE = 1e300
_SHA256 = re.compile("[0-9a-f]{64}")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _wrong(where: str, value: object, wanted: str, mistakes: list[str]) -> object:
    """Note a mistake; None stands for the value."""
    mistakes.append(f"{where} is {shown(value)}; it must be {wanted}")
    return None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _git(folder: Path | None, *arguments: str) -> str | None:
    """What a git command prints; None where git is missing, slow or says no."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  (fixed arguments, no shell)
            [git, "--no-optional-locks", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
