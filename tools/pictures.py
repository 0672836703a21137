"""``make pictures``: the two pictures of the documents, from a demo run for them: a terminal and a report.

Needs Playwright and a Chromium, like the tests of the report.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

PROJECT = Path(__file__).resolve().parent.parent
PICTURES = PROJECT / "docs" / "pictures"
RECIPE = """about: both tiny models of the demo
members:
  - run: runs/demo-unigram
  - run: runs/demo-wordpiece
blend: mean
decoder: edit
length_prior: 1.0
"""


def kit(place: Path, line: str) -> str:
    """Run a command of the kit in *place* and return what it prints to standard output."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "NO_COLOR": "1"}
    command = [sys.executable, "-m", *shlex.split(line)]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def terminal(place: Path, lines: list[str], target: Path) -> None:
    """The commands and what they print, as a picture of a terminal."""
    printed = {line: kit(place, line).rstrip() for line in lines}
    width = max(cell_len(one) for text in printed.values() for one in text.splitlines())
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=width, file=nowhere, force_terminal=True)
        for line, text in printed.items():
            console.print(Text.assemble(("$ ", "bold green"), (line, "bold")))
            console.print(Text(text))
    target.write_text(console.export_svg(title="kit", theme=MONOKAI), encoding="utf-8")


def report(place: Path, target: Path) -> None:
    """The report of the demo's two models, one question open."""
    (place / "both.yaml").write_text(RECIPE, encoding="utf-8")
    page = place / "report.html"
    data = "--data data/demo/test.json --answers data/demo/test_answers.json"
    kit(place, f"kit report both.yaml {data} --out {page}")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1280, "height": 960}, color_scheme="light")
        view.goto(page.as_uri())
        view.wait_for_selector(".row")
        view.screenshot(path=target, type="jpeg", quality=80)
        browser.close()


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        terminal(place, ["kit demo", "kit runs"], PICTURES / "terminal.svg")
        report(place, PICTURES / "report.jpg")
    for path in sorted(PICTURES.iterdir()):
        print(f"{path.relative_to(PROJECT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
