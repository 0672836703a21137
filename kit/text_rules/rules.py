"""Named text rules: pure text → text steps that tidy an answer after decoding.

Every rule is idempotent and never makes a text longer, except by a mark that balances another.  A new
rule is one entry of `RULES`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kit.data.characters import INVISIBLE, WHITE_SPACE
from kit.errors import ConfigError, all_of, nearest
from kit.text_rules.particles import check_installed, strip_particles
from kit.text_rules.symbols import balance_quotes, tighten_symbols

# Exactly these, in this case: a context may contain "<S>" or "[cls]" as ordinary text.
SPECIAL_TOKENS = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "<s>", "</s>", "<pad>", "<unk>", "<mask>")
_SPECIAL = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))
# WordPiece's mark is two signs glued to the piece they continue.  "C##", "# #" and a run of three
# or more are somebody's text.
_PIECE_MARK = re.compile(r"(?<!#)##(?=\w)")

_TRIMMED = WHITE_SPACE + INVISIBLE
_SELECTOR = re.compile("[\ufe00-\ufe0d\U000e0100-\U000e01ef]")


def strip_special_tokens(text: str) -> str:
    """Remove model tokens (``[CLS]``, ``</s>``, …) and word-piece marks (``##`` before a word).

    Where a token stood between spaces one run of spaces is left, and none where it began or ended
    the text; double spaces elsewhere are the text's own and stay.  Repeated until nothing is left
    to remove, since removal can build a new token (``[C[CLS]LS]``).
    """
    while (shorter := _PIECE_MARK.sub("", _without_tokens(text))) != text:
        text = shorter
    return text


def _without_tokens(text: str) -> str:
    pieces = _SPECIAL.split(text)
    result = pieces[0]
    for piece in pieces[1:]:
        left, right = result.rstrip(" "), piece.lstrip(" ")
        gap = max(len(result) - len(left), len(piece) - len(right)) if left else 0
        result = left + " " * gap + right
    # The last token may have ended the text.
    if len(pieces) > 1 and not pieces[-1].strip(" "):
        return result.rstrip(" ")
    return result


def trim(text: str) -> str:
    r"""Remove white space and invisible characters (\xa0, \xad, \u200b, \ufeff, …) from both ends.

    One variation selector stays after a symbol or an ideograph, whose form it chooses (``❤\ufe0f``).
    """
    trimmed = text.strip(_TRIMMED)
    after = text.lstrip(_TRIMMED)[len(trimmed) :][:1]
    return trimmed + after if trimmed and _chooses_form(trimmed[-1], after) else trimmed


def _chooses_form(base: str, selector: str) -> bool:
    if selector in ("\ufe0e", "\ufe0f"):
        return base in "‼⁉〰" or unicodedata.category(base) in ("So", "Sm")
    return bool(_SELECTOR.match(selector)) and unicodedata.name(base, "").startswith("CJK")


def blank_long(text: str, length: int) -> str:
    """``""`` for a text of *length* or more code points, otherwise the text."""
    return "" if len(text) >= length else text


@dataclass(frozen=True, slots=True)
class RuleKind:
    """What a rule's name stands for: its function and the name of its whole-number argument ("": none)."""

    function: Callable[..., str]
    argument: str = ""
    check: Callable[[], object] = lambda: None
    """Raises ConfigError where an optional package is missing."""
    blanks: bool = False
    """Whether it may make a blank of a text."""

    def usage(self, name: str) -> str:
        """How the rule is written in a recipe."""
        return f"{{{name}: {self.argument}}}" if self.argument else name


RULES: Mapping[str, RuleKind] = {
    "strip_special_tokens": RuleKind(strip_special_tokens),
    "trim": RuleKind(trim),
    "strip_particles": RuleKind(strip_particles, check=check_installed),
    "balance_quotes": RuleKind(balance_quotes),
    "tighten_symbols": RuleKind(tighten_symbols),
    "blank_long": RuleKind(blank_long, argument="CHARACTERS", blanks=True),
}

COURSE_2022: tuple[str | dict[str, int | float | str | bool], ...] = (
    "strip_special_tokens", "trim", {"blank_long": 20},
)  # fmt: skip
"""The rules of the course's entry of 2022 (ensembles/course-2022.yaml), the baseline of demo and tuning."""


def known_rules() -> str:
    """All rules as a recipe writes them, for help and errors."""
    return ", ".join(kind.usage(name) for name, kind in RULES.items())


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with its argument; call it with a text.

    Raises ConfigError for an unknown name, or an argument missing, superfluous or out of range.
    """

    name: str
    argument: int | None = None

    def __post_init__(self) -> None:
        kind = RULES.get(self.name)
        if kind is None:
            near = nearest(self.name, RULES)
            guess = f"did you mean {near}? " if near else ""
            raise ConfigError(f"{self.name!r} is not a rule; {guess}known rules: {known_rules()}")
        kind.check()
        usage = f"write {kind.usage(self.name)}"
        if not kind.argument:
            if self.argument is not None:
                raise ConfigError(f"{self.name} is given {self.argument!r} but takes no argument; {usage}")
        elif self.argument is None:
            raise ConfigError(f"{self.name} is given no argument; it needs a whole number: {usage}")
        # A bool is an int to Python, and YAML's "yes" is a bool.
        elif type(self.argument) is not int or self.argument < 1:
            given = f"{self.name} is given {self.argument!r}"
            raise ConfigError(f"{given}; it needs a whole number of at least 1: {usage}")

    def __call__(self, text: str) -> str:
        function = RULES[self.name].function
        return function(text) if self.argument is None else function(text, self.argument)

    @property
    def spec(self) -> str | dict[str, int]:
        """The rule as YAML writes it: ``"trim"`` or ``{"blank_long": 20}``."""
        return self.name if self.argument is None else {self.name: self.argument}


def parse_rule(spec: object) -> Rule:
    """The rule that a recipe's entry names: ``"trim"`` or ``{"blank_long": 20}``.

    Raises ConfigError with the value, the rule it breaks and the cure.
    """
    if isinstance(spec, str):
        return Rule(spec)
    if isinstance(spec, Mapping) and len(spec) == 1:
        [(name, argument)] = spec.items()
        if isinstance(name, str):
            return Rule(name, argument)
    raise ConfigError(f"{spec!r} is not a rule; write one name or one {{name: argument}}: {known_rules()}")


def parse_rules(specs: object, where: str = "rules") -> tuple[Rule, ...]:
    """All rules of a recipe's list, in order.

    Raises ConfigError with every mistake, each as ``rules[2]: …``; *where* leads (a path may be put there).
    """
    if not isinstance(specs, list | tuple):
        raise ConfigError(f"{where} is {specs!r}; write a list, for example [trim, {{blank_long: 20}}]")
    rules, mistakes = [], []
    for index, spec in enumerate(specs):
        try:
            rules.append(parse_rule(spec))
        except ConfigError as error:
            mistakes.append(f"{where}[{index}]: {error}")
    if mistakes:
        raise ConfigError(all_of(mistakes))
    return tuple(rules)


def apply_rules(text: str, rules: Iterable[Rule]) -> str:
    """The text after all rules, in order; a blank stays a blank."""
    for rule in rules:
        text = rule(text)
    return text
