"""Commands inside messages, such as ``next: kit predict runs/e5 --data test.json``, as they can be typed."""

from __future__ import annotations

import shlex


def command(name: str, *arguments: object, **options: object) -> str:
    """``kit NAME ARGUMENTS --OPTION VALUE``, quoted for a shell.

    An option of True is a flag; None, False and "" leave it out; a list gives it once for each value.
    """
    words = ["kit", *name.split(), *(str(one) for one in arguments if one != "")]
    for key, value in options.items():
        flag = f"--{key.replace('_', '-')}"
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one is True:
                words.append(flag)
            elif one is not None and one is not False and one != "":
                words += [flag, str(one)]
    return shlex.join(words)


def next_step(name: str, *arguments: object, **options: object) -> str:
    """The line at the end of a command that names the next one."""
    return f"next: {command(name, *arguments, **options)}"
