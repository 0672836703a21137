"""Recognise by its form what a text is that should be a token or a key; secrets are never printed."""

from __future__ import annotations

import codecs
import json
import re

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF8: "UTF-8 with a byte order mark (BOM)",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""The longest first: one of UTF-32 begins with one of UTF-16."""
_PLAIN = (
    "save it as plain UTF-8 text (Notepad: Save as, encoding UTF-8; PowerShell: Set-Content -Encoding ascii)"
)
_QUOTES = "\"'`“”‘’„«»"
_ASSIGNMENT = re.compile(r"^\s*[A-Z][A-Z0-9_]{3,}\s*=\s*[^=\s]", re.M)
_COMMAND = re.compile(r"^\s*(?:export\s|declare\s|setx?\s|env\s|\$env:|kaggle_[a-z_]+\s*[:=])", re.I | re.M)
_TOKEN = re.compile(r"KGAT_\S+")
_KEY = re.compile(r"[0-9a-fA-F]{32}")
_PAIR = re.compile(r"[^\s:]+:[0-9a-fA-F]{32}")
_CHARACTERS = re.compile(r"[A-Za-z0-9._~+=:@-]+")

TOKEN_PLACE = "~/.kaggle/access_token or KAGGLE_API_TOKEN"  # noqa: S105 (a place)
KEY_PLACE = "~/.kaggle/kaggle.json, or KAGGLE_USERNAME and KAGGLE_KEY"


def decoded(content: bytes) -> tuple[str, str]:
    """The stripped text of a file, and what is wrong with its encoding ("": nothing)."""
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            return "", f"is saved as {name}; {_PLAIN}"
    if b"\0" in content:
        return "", f"is saved as UTF-16; {_PLAIN}"
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        return "", f"is not UTF-8 text; {_PLAIN}"
    return text, "" if text else "is empty"


def token_fault(text: str) -> str:
    """What *text* is instead of an access token, and where it belongs; "" where it may be one."""
    if fault := _wrapped(text, "the token alone"):
        return fault
    if _KEY.fullmatch(text) or _PAIR.fullmatch(text):
        return f"is a legacy key, not an access token; with its user name it belongs into {KEY_PLACE}"
    if "/" in text or "\\" in text or text.startswith("~"):
        return (
            "is a path, and no file is there (~ and variables are not replaced); give the whole path, or the "
            "token"
        )
    return _unknown_characters(text)


def key_fault(text: str) -> str:
    """What *text* is instead of a legacy key, and where it belongs; "" where it may be one."""
    return _half_fault(text, "a legacy key", "the key alone")


def username_fault(text: str) -> str:
    """What *text* is instead of a user name; "" where it may be one."""
    fault = _half_fault(text, "a user name", "the user name alone")
    if not fault and "@" in text:
        return "is an e-mail address; the user name is the last part of your profile's address"
    return fault


def _half_fault(text: str, what: str, wanted: str) -> str:
    if fault := _wrapped(text, wanted):
        return fault
    if _TOKEN.fullmatch(text):
        return f"is an access token, not {what}; it belongs into {TOKEN_PLACE}"
    if _PAIR.fullmatch(text):
        return f"is user name and key in one; give {wanted}"
    return _unknown_characters(text)


def swapped(username: str, key: str) -> bool:
    """Whether user name and key were swapped."""
    return bool(_KEY.fullmatch(username)) and not _KEY.fullmatch(key)


def key_file_fault(text: str) -> str:
    """What the text of a kaggle.json is instead of a JSON object; "" for one."""
    if _TOKEN.fullmatch(text.strip(_QUOTES)):
        return f"holds an access token, not a legacy key; it belongs into {TOKEN_PLACE}"
    if _KEY.fullmatch(text.strip(_QUOTES)):
        return 'holds a legacy key alone; write it as {"username": "…", "key": "…"}'
    if _COMMAND.search(text) or _ASSIGNMENT.search(text):
        return "holds a shell line that sets a variable; run it in the shell, and download kaggle.json again"
    try:
        content = json.loads(text)
    except ValueError:
        return "is not JSON; download it again from https://www.kaggle.com/settings"
    if not isinstance(content, dict):
        kind = type(content).__name__
        return f'is a JSON {kind} and holds no object with "username" and "key"; download it again'
    return ""


def _wrapped(text: str, wanted: str) -> str:
    """What surrounds the secret; "" where it stands alone."""
    if text[:1] in ("{", "["):
        return _json_fault(text, wanted)
    if _COMMAND.search(text) or _ASSIGNMENT.search(text):
        return f"is a shell line that sets a variable; put {wanted} there, or run that line in the shell"
    if re.match(r"(?:authorization:|bearer\s|basic\s)", text, re.IGNORECASE):
        return f"is a header with its scheme; put {wanted} there"
    if text[:1] in _QUOTES or text[-1:] in _QUOTES:
        return f"is in quotation marks; put {wanted} there, without them"
    if len(text.split()) > 1:
        return f"has white space or a line break inside; put {wanted} there, as one word"
    return ""


def _json_fault(text: str, wanted: str) -> str:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if isinstance(content, dict) and {"username", "key"} & content.keys():
        return f"is the JSON of a kaggle.json, a legacy key; it belongs into {KEY_PLACE}"
    if isinstance(content, dict) and "refresh_token" in content:
        return "is the JSON of an OAuth sign-in; it belongs into ~/.kaggle/credentials.json"
    return f"is JSON; put {wanted} there"


def _unknown_characters(text: str) -> str:
    if text.startswith("\ufeff"):
        return "begins with a byte order mark (BOM), an invisible character; type it in again without it"
    if not _CHARACTERS.fullmatch(text):
        return "has characters that no token has (invisible ones, or those of a placeholder); copy it again"
    return ""
