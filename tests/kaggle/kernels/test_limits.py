"""Accelerators: known ones pass, near ones are suggested, retired ones are replaced; refusals have cures."""

from __future__ import annotations

from pathlib import Path

import pytest

import kit
from kit.errors import ConfigError
from kit.kaggle.kernels.limits import GPUS, T4_TWICE, accelerator, cure_of
from tests.kaggle.conftest import clean


@pytest.mark.parametrize("name", GPUS)
def test_a_known_gpu_is_sent_as_it_is(name: str) -> None:
    assert accelerator(name) == (name, "")


def test_a_retired_gpu_becomes_what_kaggle_runs_in_its_place() -> None:
    assert accelerator("NvidiaTeslaP100") == (
        T4_TWICE,
        "--gpu NvidiaTeslaP100: Kaggle retired it and runs NvidiaTeslaT4 (two T4) in its place",
    )


@pytest.mark.parametrize(
    ("given", "likely"),
    [
        ("T4", "NvidiaTeslaT4"),
        ("t4 x2", "NvidiaTeslaT4"),
        ("gpu-t4-x2", "NvidiaTeslaT4"),
        ("nvidiateslat4", "NvidiaTeslaT4"),
        ("NvidiaTelsaT4", "NvidiaTeslaT4"),
        ("NvidiaT4", "NvidiaTeslaT4"),
        ("a100", "NvidiaTeslaA100"),
        ("H100", "NvidiaH100"),
        ("NvidiaL4x1", "NvidiaL4X1"),
        ("L4", "NvidiaL4"),
    ],
)
def test_a_near_miss_is_suggested(given: str, likely: str) -> None:
    with pytest.raises(ConfigError, match=rf"has no accelerator of this name; did you mean {likely}\? give"):
        accelerator(given)


@pytest.mark.parametrize("given", ["P100", "nvidia-tesla-p100", "NvidiaTeslap100"])
def test_one_that_is_like_a_retired_name(given: str) -> None:
    with pytest.raises(
        ConfigError, match=r"NvidiaTeslaP100 is retired .NvidiaTeslaT4 runs in its place.; give"
    ):
        accelerator(given)


@pytest.mark.parametrize("given", ["", "cuda:0", "무엇", "x" * 200])
def test_what_is_like_no_name_gets_the_list(given: str) -> None:
    with pytest.raises(ConfigError, match="of this name; give one of NvidiaTeslaT4, NvidiaL4, NvidiaL4X1"):
        accelerator(given)


@pytest.mark.parametrize("name", ["TpuV5E8", "Tpu1VmV38"])
def test_a_tpu_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"--gpu {name}: is a TPU, and the kit trains on GPUs"):
        accelerator(name)


def test_a_push_says_what_is_retired_and_sends_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    kit.push_kernel("klue-bert", run_name="five", out="k", gpu="NvidiaTeslaP100", hours=11.0)
    said = capsys.readouterr().err
    assert "Kaggle retired it and runs NvidiaTeslaT4" in said
    assert "--hours 11: Kaggle ends some GPU sessions after 9 h" in said
    assert '"machine_shape": "NvidiaTeslaT4"' in Path("k/kernel-metadata.json").read_text()
    with pytest.raises(ConfigError, match="did you mean NvidiaTeslaT4"):
        kit.push_kernel("klue-bert", run_name="five", out="other", gpu="T4")
    assert not Path("other").exists()


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        ("Maximum batch CPU session count of 5 reached", "sessions ends"),
        ("Maximum number of concurrent GPU sessions reached", "sessions ends"),
        ("Your weekly GPU quota has been exceeded", "kit kernel quota"),
        ("Accelerator Quota Exceeded", "kit kernel quota"),
        ("You must verify your phone number before using a GPU", "verify your phone number"),
        ("Please phone verify your account", "verify your phone number"),
        ("The requested slug is already taken", "another --run-name"),
        ("Your session is over", None),
        ("The title is too long", None),
        ("Phone", None),
    ],
)
def test_kaggles_sentences_and_their_cures(words: str, cure: str | None) -> None:
    found = cure_of(words)
    assert (found is None) == (cure is None)
    assert (cure or "") in (found or "")
