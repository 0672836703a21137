"""The program on Kaggle: what it installs, and what it never replaces."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import os
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

from kit.kaggle.kernels import bootstrap
from kit.kaggle.kernels.wheel import requirements

HOST = {
    "torch": "2.6.0+cu124",
    "numpy": "1.26.4",
    "rich": "13.9.4",
    "transformers": "4.53.3",
    "PyYAML": "6.0.3",
}


def test_only_what_is_missing_or_too_old_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    required = [
        "torch>=2.6",
        "numpy>=2.0",
        "rich>=13.9",
        "transformers>=5.0",
        "PyYAML>=6.0",
        "rapidfuzz>=3.6",
    ]
    monkeypatch.setattr(bootstrap, "installed_version", HOST.get)
    assert bootstrap.lacking(required) == ["numpy>=2.0", "transformers>=5.0", "rapidfuzz>=3.6"]
    assert bootstrap.lacking(["kaggle>=2.2", "six>=1.16"]) == []
    assert bootstrap.lacking(['pywin32; sys_platform == "win32"']) == []


def test_the_kits_own_requirements_are_understood() -> None:
    assert bootstrap.lacking(requirements()) == []


@pytest.mark.parametrize("line", ["torch>=2.6", "torchvision", "nvidia-cublas-cu12==12.4", "triton>=3"])
def test_torch_is_never_replaced(line: str) -> None:
    with pytest.raises(ValueError, match=r"it is never replaced: choose the latest environment"):
        bootstrap.refuse_fixed(["rich>=13.9", line])


def test_other_packages_are_not_fixed() -> None:
    bootstrap.refuse_fixed(["transformers>=5.0", "torchmetrics>=1", "numpy>=2.0", "tritonclient"])


def test_pip_is_told_to_keep_the_hosts_torch() -> None:
    assert ("torch", bootstrap.installed_version("torch")) in bootstrap.fixed_here()
    assert "numpy" not in dict(bootstrap.fixed_here())


def wheel(name: str, version: str, required: tuple[str, ...] = ()) -> tuple[str, bytes]:
    """A wheel with one empty module."""
    package, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    files = {
        f"{package}.py": "",
        f"{info}/METADATA": "\n".join([*lines, *(f"Requires-Dist: {line}" for line in required)]) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": f"{package}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{package}-{version}-py3-none-any.whl", out.getvalue()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python environment with the packages of this one, pip and torch among them; and an index."""
    folder = tmp_path_factory.mktemp("machine")
    venv.create(folder / "env")
    (site,) = (folder / "env").glob("lib/python*/site-packages")
    (site / "all.pth").write_text(str(Path(torch_home()).parent) + "\n")
    (folder / "index").mkdir()
    for name, content in (
        wheel("kit-test-light", "2.0"),
        wheel("kit-test-heavy", "1.0", ("torch<2",)),
        wheel("torch", "1.0"),
    ):
        (folder / "index" / name).write_bytes(content)
    return folder


def torch_home() -> str:
    """Where this environment's torch is."""
    found = importlib.util.find_spec("torch")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parent)


PROGRAM = """
import base64, bz2, hashlib, importlib.metadata, importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("host", sys.argv[1])
host = importlib.util.module_from_spec(spec)
spec.loader.exec_module(host)
content = pathlib.Path(sys.argv[2]).read_bytes()
host.WHEEL = base64.b64encode(bz2.compress(content)).decode()
host.PLAN = {"git": None, "wheel": pathlib.Path(sys.argv[2]).name,
             "wheel_sha256": hashlib.sha256(content).hexdigest()}
try:
    host.install(host.SCRATCH / "installed")
    print("INSTALLED")
except Exception as error:
    print("FAILED", type(error).__name__, error)
print(importlib.metadata.version("torch"), host.installed_version("kit-test-light"))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("required", "says", "light"),
    [
        (("kit-test-light>=2",), "INSTALLED", "2.0"),
        (("torch>=2", "kaggle>=999"), "INSTALLED", None),
        (
            ("kit-test-light>=3",),
            "FAILED ValueError pip could not install kit-test-light>=3 (Could not find a version that "
            "satisfies the requirement kit-test-light>=3 (from versions: 2.0))",
            None,
        ),
        (
            ("kit-test-absent",),
            f"FAILED ValueError pip could not install kit-test-absent: {bootstrap.NO_INTERNET}",
            None,
        ),
        (("torch>=99",), "FAILED ValueError the kit needs torch>=99", None),
        (
            ("kit-test-heavy",),
            "FAILED ValueError pip could not install kit-test-heavy (Cannot install kit-test-heavy",
            None,
        ),
    ],
)
def test_installing_on_a_host(
    machine: Path, tmp_path: Path, required: tuple[str, ...], says: str, light: str | None
) -> None:
    """Really by pip, from an index on the disk that also has another torch, which one package asks for."""
    name, content = wheel("korean-mrc-kit", "9", required)
    (tmp_path / name).write_bytes(content)
    python = machine / "env" / "bin" / "python"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(machine / "index"),
        "KIT_KAGGLE_SCRATCH": str(tmp_path),
    }
    command = [str(python), "-c", PROGRAM, bootstrap.__file__, str(tmp_path / name)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    if light is not None:
        subprocess.run(
            [str(python), "-m", "pip", "uninstall", "-qy", "kit-test-light"], check=True, timeout=60
        )
    lines = done.stdout.splitlines()
    assert any(line.startswith(says) for line in lines), done.stdout + done.stderr
    assert lines[-1] == f"{importlib.metadata.version('torch')} {light}"
