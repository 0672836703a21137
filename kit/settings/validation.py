"""From what a person wrote (YAML, JSON, flags) to validated objects, with messages a person can use."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kit.errors import ConfigError, all_of, nearest
from kit.files import read_file, write_text

Record = TypeVar("Record", bound=BaseModel)
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hex."""


class Settings(BaseModel):
    """Base of all settings: frozen, unknown keys are mistakes, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Only what is not the default, so that a repr is short."""
        fields = type(self).model_fields
        return [
            (name, value)
            for name, value in super().__repr_args__()
            if name not in fields or value != fields[name].get_default(call_default_factory=True)
        ]


def place(location: tuple[int | str, ...]) -> str:
    """A pydantic location as a reader would write it: ``members[2].weight``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def shown(value: object, most: int = 60) -> str:
    """A parsed value for a message, cut after *most* characters; its kind where it cannot be written."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=repr)
    except (TypeError, ValueError, RecursionError):  # keys that are no text, endless digits, 900 levels
        return f"a {type(value).__name__}"
    return text if len(text) <= most else text[: most - 3] + "..."


def _named(path: str) -> str:
    with contextlib.suppress(ValueError):
        if b"\0" not in os.fsencode(path):
            return path
    raise ValueError("a path has neither a NUL nor half a surrogate pair; correct the name")


PathText = Annotated[str, AfterValidator(_named)]
"""A path in a settings file: one that the operating system can be asked about."""


_CLASS = re.compile(r" or (an )?instance of \w+$")
"""What pydantic adds for programmers: a file holds no instances."""


def mistakes_in(
    error: ValidationError, model: type[BaseModel], elsewhere: Mapping[str, str] | None = None
) -> list[str]:
    """One message a mistake: where, the value, the rule, and for a misspelled key the likely one.

    *elsewhere*: keys that other programs use → the key here.
    """
    found = []
    for detail in error.errors(include_url=False):
        where = place(detail["loc"])
        if detail["type"] == "extra_forbidden":
            known = _keys_at(model, detail["loc"][:-1])
            name = str(detail["loc"][-1])
            near = (elsewhere or {}).get(name) or nearest(name, known)
            hint = f"did you mean {near}?" if near else f"keys are {', '.join(known)}"
            found.append(f"{where} is not a known key; {hint}")
        elif detail["type"] == "missing":
            found.append(f"{where} is missing; add it")
        else:
            rule = _CLASS.sub("", detail["msg"].removeprefix("Value error, "))
            subject = f"{where} is {shown(detail['input'])}; " if where else ""
            found.append(f"{subject}{rule[0].lower()}{rule[1:]}")
    return found


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys allowed at *location* inside *model*: follow field annotations down to a model."""
    current = model
    for part in location:
        if isinstance(part, int) or part not in current.model_fields:
            continue
        nested = _model_in(current.model_fields[part].annotation)
        if nested is not None:
            current = nested
    return list(current.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (nested := _model_in(argument)) is not None:
            return nested
    return None


_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_MOST = 2**63


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML without aliases (a small file could expand to gigabytes), tags or repeated keys.

    A date is text, as in YAML 1.2: runs are named after days.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()
        if self.check_event(yaml.AliasEvent):
            raise _mistake(event, "aliases (*name) are not allowed; write the value out")
        if (tag := getattr(event, "tag", None)) is not None:
            raise _mistake(event, f"tags ({tag}) are not allowed; write the value without it")
        return super().compose_node(parent, index)

    def construct_whole_number(self, node: yaml.ScalarNode) -> int:
        """Hexadecimal digits have no limit of Python's, and the number could then not be shown."""
        value: int = self.construct_yaml_int(node)
        if abs(value) >= _MOST:
            raise _mistake(node, "a whole number is too large; write one below 2**63")
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise _mistake(key_node, "a key must be plain text")
            if key in seen:
                raise _mistake(key_node, f"{key} is given twice; keep one")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _mistake(at: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_constructor("tag:yaml.org,2002:int", _PlainLoader.construct_whole_number)


def read_yaml(path: Path) -> object:
    """Parse one YAML file.  Raises ConfigError with path, line and cure."""
    text = read_settings_text(path)
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506  (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f":{mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{path}{line}: not valid YAML: {error.problem or error}") from error
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        raise ConfigError(f"{path}: not valid YAML: {reason}") from error


def read_settings_text(path: Path) -> str:
    """A settings file's text.  Raises ConfigError where it is missing, a folder, or not UTF-8."""
    try:
        return read_file(path, ConfigError).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None


def read_record(
    path: Path, model: type[Record], cure: str = "train again under another --run"
) -> Record | None:
    """A JSON file of the kit's own as *model*; None where there is none.  Raises ConfigError if damaged."""
    if not path.exists():
        return None
    try:
        return model.model_validate(json.loads(read_settings_text(path)))
    except ValidationError as error:
        raise refuse(path, mistakes_in(error, model)) from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: is damaged ({error}); {cure}") from None


def write_record(path: Path, record: BaseModel, *, indent: int | None = 1) -> None:
    """Write *record* as JSON, as `read_record` reads it, completely or not at all.  Raises WriteError."""
    text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, indent=indent)
    write_text(path, text + "\n")


def refuse(path: object, mistakes: list[str]) -> ConfigError:
    """The error that lists every mistake of one file."""
    return ConfigError(f"{path}: {all_of(mistakes)}")
