"""Sentences that remember their template and values, so that they can be shown in another language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Phrase(str):
    """An English text made from a template; ``str`` in all other respects.

    template: with names in braces; values: what stands for them, texts or phrases
    """

    template: str
    values: Mapping[str, str]

    def __new__(cls, template: str, /, **values: str) -> Phrase:
        """Fill *template* in.  Raises KeyError where a name has no value."""
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made

    def __deepcopy__(self, memo: object) -> Phrase:
        return self


def numbered(number: int, noun: str) -> Phrase:
    """A number with its noun, which takes an s: ``1 question``, ``1,204 questions``."""
    return Phrase(f"{{n}} {noun}{'s' * (number != 1)}", n=f"{number:,}")


def joined(phrases: Sequence[str], separator: str = " ") -> Phrase:
    """Several phrases as one."""
    names = [f"p{number}" for number in range(len(phrases))]
    template = separator.join(f"{{{name}}}" for name in names)
    return Phrase(template, **dict(zip(names, phrases, strict=True)))


def portable(value: object) -> object:
    """*value* for JSON: each phrase in it as ``{"say": template, **values}``, everything else unchanged."""
    if isinstance(value, Phrase):
        return {"say": value.template, **{name: portable(one) for name, one in value.values.items()}}
    if isinstance(value, Mapping):
        return {key: portable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [portable(one) for one in value]
    return value
