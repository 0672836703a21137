"""Which credentials there are, in the order in which the official client looks for them.  No network."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.errors import NoCredentialsError, NotAuthenticatedError

TOKEN, KEY, OAUTH = "access token", "legacy key", "OAuth"
CURE = (
    "make a token at https://www.kaggle.com/settings (API), and put it into ~/.kaggle/access_token "
    "(or set KAGGLE_API_TOKEN), readable by you alone: chmod 600"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What to sign calls with; ``secret`` never appears in a message or in the repr."""

    kind: str
    """TOKEN, KEY or OAUTH."""
    source: str
    """The variable or file they come from."""
    username: str | None
    secret: str | None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Credentials({self})"

    def __str__(self) -> str:
        whose = f" of {self.username}" if self.username else ""
        return f"{self.kind}{whose} from {self.source}"


def find_credentials(environment: Mapping[str, str] | None = None, home: Path | None = None) -> Credentials:
    """The first of: a Kaggle notebook's token, KAGGLE_API_TOKEN (the token, or a file with it),
    ~/.kaggle/access_token[.txt], the legacy key (kaggle.json, overlaid by KAGGLE_USERNAME and
    KAGGLE_KEY), OAuth's ~/.kaggle/credentials.json.

    Raises NoCredentialsError where there are none, NotAuthenticatedError that says what is wrong with those
    that there are; both say what to do.
    """
    environment = os.environ if environment is None else environment
    home = Path.home() if home is None else home
    wrong: list[str] = []
    found = (
        _token(environment, home, wrong)
        or _legacy_key(environment, home, wrong)
        or _oauth(home / ".kaggle" / "credentials.json", wrong)
    )
    if found is None:
        if not wrong:
            raise NoCredentialsError(f"no Kaggle credentials found: {CURE}")
        raise NotAuthenticatedError(f"{'; '.join(wrong)}: {CURE}")
    return Credentials(found.kind, found.source, found.username, found.secret, tuple(wrong))


def _token(environment: Mapping[str, str], home: Path, wrong: list[str]) -> Credentials | None:
    if "KAGGLE_KERNEL_RUN_TYPE" in environment:
        named = environment.get("KAGGLE_API_V1_TOKEN", "")
        if named and (token := _content(Path(named), wrong)):
            return Credentials(TOKEN, "this Kaggle notebook", None, token)
    given = environment.get("KAGGLE_API_TOKEN", "").strip()
    if given:
        if not _is_file(given):
            return Credentials(TOKEN, "KAGGLE_API_TOKEN", None, given)
        if token := _content(Path(given), wrong):
            return Credentials(TOKEN, f"{given} (KAGGLE_API_TOKEN)", None, token)
    for name in ("access_token", "access_token.txt"):
        path = home / ".kaggle" / name
        if path.exists() and (token := _content(path, wrong)):
            _warn_if_open(path, wrong)
            return Credentials(TOKEN, str(path), None, token)
    return None


def _legacy_key(environment: Mapping[str, str], home: Path, wrong: list[str]) -> Credentials | None:
    path = config_folder(environment, home) / "kaggle.json"
    found: dict[str, str] = {}
    if path.exists():
        found = _key_file(path, wrong)
        _warn_if_open(path, wrong)
    sources = [str(path)] if found else []
    for name, variable in (("username", "KAGGLE_USERNAME"), ("key", "KAGGLE_KEY")):
        if value := environment.get(variable, "").strip():
            found[name] = value
            sources.append(variable)
    if "username" in found and "key" in found:
        return Credentials(KEY, " and ".join(sources), found["username"], found["key"])
    if sources:
        missing = "key" if "username" in found else "username"
        wrong.append(f"{' and '.join(sources)}: the {missing} is missing")
    return None


def config_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Where the official client looks for kaggle.json."""
    if named := environment.get("KAGGLE_CONFIG_DIR"):
        return Path(named)
    usual = home / ".kaggle"
    if usual.exists():
        return usual
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"


def _key_file(path: Path, wrong: list[str]) -> dict[str, str]:
    text = _content(path, wrong)
    if not text:
        return {}
    try:
        content = json.loads(text)
    except ValueError:
        wrong.append(f"{path}: is not JSON; download it again from https://www.kaggle.com/settings")
        return {}
    if not isinstance(content, dict):
        wrong.append(f'{path}: holds no object with "username" and "key"; download it again')
        return {}
    return {
        name: content[name].strip()
        for name in ("username", "key")
        if isinstance(content.get(name), str) and content[name].strip()
    }


def _oauth(path: Path, wrong: list[str]) -> Credentials | None:
    if not path.exists():
        return None
    try:
        content = json.loads(_content(path, wrong) or "null")
    except ValueError:
        content = None
    if not isinstance(content, dict) or not content.get("refresh_token"):
        wrong.append(f"{path}: holds no refresh token; sign in again with `kaggle auth login`")
        return None
    _warn_if_open(path, wrong)
    username = content.get("username")
    return Credentials(OAUTH, str(path), username if isinstance(username, str) else None, None)


def _content(path: Path, wrong: list[str]) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        wrong.append(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})")
        return ""
    if not text:
        wrong.append(f"{path}: is empty")
    return text


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # too long for a path: a token then
        return False


def _warn_if_open(path: Path, wrong: list[str]) -> None:
    if os.name != "nt" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        wrong.append(f"{path}: others on this machine can read it; chmod 600 {path}")
