"""``kit kernel``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from kit import api, terminal
from kit.api.kernels import WrittenKernel
from kit.kaggle.kernels.script import NOBODY
from kit.kaggle.slugs import source_of
from kit.views.output import edit, print_json, print_json_line


def push(backbone: str | None, as_json: bool, **options: Any) -> None:
    """Push (or only write) a kernel and say where it is."""
    done = api.push_kernel(backbone, **options)
    if isinstance(done, WrittenKernel):
        if as_json:
            print_json({**asdict(done), "folder": str(done.folder)})
            return
        terminal.say(f"{done.folder}: the files of {done.kernel}, not pushed")
        if done.owner == NOBODY:
            terminal.say(f"put your account's name in place of {NOBODY} in its kernel-metadata.json")
        terminal.say(f"next: kaggle kernels push -p {done.folder}")
        return
    if as_json:
        print_json(done.model_dump(mode="json"))
        return
    rows = [("page", done.url), ("run", done.run), ("kit", done.revision)]
    if done.dataset:
        rows.append(("weights", f"{done.dataset} ({done.weights_sha256[:16]})"))
    terminal.facts(f"{done.kernel}, version {done.version}", rows)
    terminal.say("next: kit kernel logs --follow, and when it is finished kit kernel output")


def status(kernel: str | None, as_json: bool) -> None:
    """Print how a kernel is."""
    found = api.kernel_status(kernel)
    if as_json:
        print_json({**asdict(found), "words": found.words, "url": found.url})
        return
    rows = [("state", found.words), ("page", found.url)]
    if found.message:
        rows.insert(1, ("message", found.reason))
    terminal.facts(found.kernel, rows)
    if found.state == "COMPLETE":
        terminal.say(f"next: kit kernel output {found.kernel}")


def output(kernel: str | None, to: Path, as_json: bool) -> None:
    """Bring a run home and say what to do with it."""
    from kit.settings.runs import read_run

    done = api.kernel_output(kernel, to=to)
    if as_json:
        print_json(
            {
                "folder": str(done.folder),
                "fresh": done.fresh,
                "manifest": done.manifest.model_dump(mode="json"),
            }
        )
        return
    if not done.fresh:
        terminal.say(f"{done.folder}: is this kernel's run already; nothing to do")
        return
    record = read_run(done.folder)
    assert record is not None
    rows = [
        (name, edit(fold.metrics["edit"]), f"{fold.held_out:,}", fold.device, terminal.duration(fold.seconds))
        for name, fold in sorted(record.folds.items())
    ]
    columns = ("model", "Edit Score", "held out", "device", "time")
    terminal.table(f"{done.folder} ({record.backbone}, {done.manifest.kit})", columns, rows)
    test = source_of(done.manifest.competition).folder / "test.json"
    terminal.say(f"next: kit ensemble {done.folder} --data {test}")


def logs(kernel: str | None, follow: bool, as_json: bool) -> None:
    """Print a log as it comes."""
    entries = api.kernel_logs(kernel, follow=follow)
    if as_json and not follow:
        print_json([asdict(entry) for entry in entries])
        return
    entry = None
    for entry in entries:
        if as_json:
            print_json_line(asdict(entry))
        else:
            print(entry.text, end="" if entry.text.endswith("\n") else "\n", flush=True)
    if entry is None:
        terminal.say("the log is empty so far; kit kernel logs --follow waits for it")


def quota(as_json: bool) -> None:
    """Print the week's hours of each accelerator."""
    found = api.kernel_quota()
    if as_json:
        quotas = [{**asdict(one), "left": one.left} for one in found.quotas]
        print_json({"resets": found.resets, "quotas": quotas})
        return
    if not found.quotas:
        terminal.say("Kaggle does not say how much of any accelerator is left")
        return
    rows = [
        (one.accelerator, *(f"{hours:.1f}" for hours in (one.left, one.used, one.reserved, one.allowed)))
        for one in found.quotas
    ]
    columns = ("accelerator", "left (h)", "used (h)", "running (h)", "a week (h)")
    terminal.table("accelerators this week", columns, rows, words=("accelerator",))
    if found.resets:
        terminal.say(f"the next week begins on {found.resets[:10]} at {found.resets[11:16]} UTC")
