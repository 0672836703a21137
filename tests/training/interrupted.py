"""A training of two stages that dies by SIGKILL when the first is over and the second has not begun.

``BACKBONE RUN OPTIONS``, the options of `kit.train` as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import kit
from kit import terminal


def say(line: str) -> None:
    print(line, flush=True)
    if "begin with its weights" in line:
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    import kit.training.progress as progress

    terminal.say = progress.say = say
    backbone, run, options = sys.argv[1:]
    kit.train(backbone, run=run, **json.loads(options))
