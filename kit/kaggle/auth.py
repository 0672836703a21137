"""Find the credentials, in the order of the official client.  No network."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

from kit.errors import NoCredentialsError, NotAuthenticatedError
from kit.kaggle.token_forms import decoded, key_fault, key_file_fault, swapped, token_fault, username_fault

TOKEN, KEY, OAUTH = "access token", "legacy key", "OAuth"
CONFIG_FOLDER = "KAGGLE_CONFIG_DIR"
CURE = (
    "make a token at https://www.kaggle.com/settings (API), and put it into ~/.kaggle/access_token "
    "(or set KAGGLE_API_TOKEN), readable by you alone: chmod 600"
)
_RUNS_ON_KAGGLE = "KAGGLE_KERNEL_RUN_TYPE"
_NOTEBOOK = "this Kaggle notebook (Kaggle's token for the account that runs it)"
_NOTEBOOK_CURE = (
    "restart the notebook's session; or unset KAGGLE_API_V1_TOKEN and set KAGGLE_API_TOKEN to a token of "
    "your own (https://www.kaggle.com/settings), kept in a secret (Add-ons)"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What calls are signed with; ``secret`` never appears in a message or in the repr."""

    kind: str
    """TOKEN, KEY or OAUTH."""
    source: str
    """The variable or file they come from."""
    username: str | None
    secret: str | None = field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def renewal(self) -> str:
        """The cure where Kaggle does not accept them."""
        if self.kind == OAUTH:
            return "sign in again with `kaggle auth login`"
        if self.source == _NOTEBOOK:
            return _NOTEBOOK_CURE
        return "make a new token at https://www.kaggle.com/settings"

    def __str__(self) -> str:
        whose = f" of {self.username}" if self.username else ""
        return f"{self.kind}{whose} from {self.source}"


def find_credentials() -> Credentials:
    """The first of: a Kaggle notebook's token, KAGGLE_API_TOKEN (the token, or a file with it),
    ~/.kaggle/access_token[.txt], the legacy key (kaggle.json, overlaid by KAGGLE_USERNAME and
    KAGGLE_KEY), OAuth's ~/.kaggle/credentials.json.

    Raises NoCredentialsError where there are none, NotAuthenticatedError where those found are faulty; both
    messages name the cure.
    """
    wrong: list[str] = []
    found = _token(wrong) or _legacy_key(wrong) or _oauth(wrong)
    if found is None:
        cure = f"in a Kaggle notebook, {_NOTEBOOK_CURE}" if _RUNS_ON_KAGGLE in os.environ else CURE
        if not wrong:
            raise NoCredentialsError(f"no Kaggle credentials found: {cure}")
        raise NotAuthenticatedError(f"{'; '.join(wrong)}; or {cure}")
    return replace(found, warnings=tuple(wrong))


def home_folder() -> Path:
    """The user's home folder, as the official client finds it: "~" itself where there is none."""
    return Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home raises there)


def _token(wrong: list[str]) -> Credentials | None:
    given = os.environ.get("KAGGLE_API_TOKEN", "").strip()
    notebook = os.environ.get("KAGGLE_API_V1_TOKEN", "") if _RUNS_ON_KAGGLE in os.environ else ""
    if notebook and (token := _token_in(Path(notebook), wrong)):
        if given:
            wrong.append("KAGGLE_API_TOKEN: is not used; inside Kaggle the notebook's own token comes first")
        return Credentials(TOKEN, _NOTEBOOK, None, token)
    if _is_file(given):
        if token := _token_in(Path(given), wrong):
            return Credentials(TOKEN, f"{given} (KAGGLE_API_TOKEN)", None, token)
    elif token := _sound_token(given, "KAGGLE_API_TOKEN", wrong):
        return Credentials(TOKEN, "KAGGLE_API_TOKEN", None, token)
    for name in ("access_token", "access_token.txt"):
        path = home_folder() / ".kaggle" / name
        if token := _sound_token(_home_file(path, wrong), str(path), wrong):
            return Credentials(TOKEN, str(path), None, token)
    return None


def _token_in(path: Path, wrong: list[str]) -> str:
    return _sound_token(_content(path, wrong), str(path), wrong)


def _sound_token(text: str, source: str, wrong: list[str]) -> str:
    """*text* where it may be a token; else "", with the reason in *wrong*."""
    if text and (fault := token_fault(text)):
        wrong.append(f"{source}: {fault}")
        return ""
    return text


def _legacy_key(wrong: list[str]) -> Credentials | None:
    path = config_folder() / "kaggle.json"
    found = _key_file(path, wrong)
    sources = dict.fromkeys(found, str(path))
    for name, variable in (("username", "KAGGLE_USERNAME"), ("key", "KAGGLE_KEY")):
        if value := os.environ.get(variable, "").strip():
            found[name], sources[name] = value, variable
    named = " and ".join(dict.fromkeys(sources[name] for name in ("username", "key") if name in sources))
    username, key = found.get("username", ""), found.get("key", "")
    if key and swapped(username, key):
        wrong.append(f"{named}: user name and key are swapped; put each in the other's place")
        return None
    faults = [
        f"{sources[name]}: the {name} {fault}"
        for name, judge in (("username", username_fault), ("key", key_fault))
        if name in found and (fault := judge(found[name]))
    ]
    if username and key and not faults:
        return Credentials(KEY, named, username, key)
    if found and not faults:
        faults = [f"{named}: the {'key' if username else 'username'} is missing"]
    wrong += faults
    return None


def config_folder() -> Path:
    """Where the official client looks for kaggle.json."""
    if named := os.environ.get(CONFIG_FOLDER):
        return Path(named)
    home = home_folder()
    if _is_there(home / ".kaggle", []):
        return home / ".kaggle"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"


def _key_file(path: Path, wrong: list[str]) -> dict[str, str]:
    if not (text := _home_file(path, wrong)):
        return {}
    if fault := key_file_fault(text):
        wrong.append(f"{path}: {fault}")
        return {}
    content = json.loads(text)
    found = {
        name: content[name].strip()
        for name in ("username", "key")
        if isinstance(content.get(name), str) and content[name].strip()
    }
    if not found:
        wrong.append(f'{path}: has neither "username" nor "key"; download it again')
    return found


def _oauth(wrong: list[str]) -> Credentials | None:
    path = home_folder() / ".kaggle" / "credentials.json"
    if not (text := _home_file(path, wrong)):
        return None
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("refresh_token"), str):
        wrong.append(f"{path}: holds no refresh token; sign in again with `kaggle auth login`")
        return None
    username = content.get("username")
    return Credentials(OAUTH, str(path), username if isinstance(username, str) else None, None)


def _home_file(path: Path, wrong: list[str]) -> str:
    """The text of a file where it is there; with a warning in *wrong* where others can read it."""
    if not _is_there(path, wrong):
        return ""
    if os.name != "nt" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        wrong.append(f"{path}: others on this machine can read it; chmod 600 {path}")
    return _content(path, wrong)


def _content(path: Path, wrong: list[str]) -> str:
    """The stripped text of a file; "" where it cannot be used, with the reason in *wrong*."""
    try:
        content = path.read_bytes()
    except OSError as error:
        wrong.append(f"{path}: cannot be read ({error.strerror or error})")
        return ""
    text, fault = decoded(content)
    if fault:
        wrong.append(f"{path}: {fault}")
    return text


def _is_there(path: Path, wrong: list[str]) -> bool:
    """Whether the file exists; a folder that this user may not read is added to *wrong*."""
    try:
        path.stat()
    except PermissionError as error:
        closed = next((one for one in path.parents[::-1] if not os.access(one, os.X_OK)), path.parent)
        fault = f"{closed}: cannot be read ({error.strerror})"
        if fault not in wrong:
            wrong.append(fault)
        return False
    except OSError:
        return False
    return True


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path: a token then
        return False
