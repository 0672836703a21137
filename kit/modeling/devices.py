"""The device a model runs on and the number format it runs in."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import torch

from kit.errors import ModelError
from kit.threads import chosen_threads, usable_cores


@dataclass(frozen=True, slots=True)
class Device:
    """A device, its name for people, and the number format chosen for it."""

    torch: torch.device
    name: str
    precision: str
    """"fp32", "bf16" or "fp16"."""

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """The mixed-precision context of the chosen format; does nothing in fp32."""
        if self.precision == "fp32":
            return contextlib.nullcontext()
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float16
        return torch.autocast(self.torch.type, dtype=dtype)


def choose_device(precision: str = "auto") -> Device:
    """The first GPU, Apple's GPU or the CPU, with the number format that fits it.

    "auto" is bf16 where the device has it natively, fp16 where not (T4, P100), fp32 on the CPU.
    Raises ModelError for a format the device cannot train in.
    """
    if torch.cuda.is_available():
        device, name = torch.device("cuda"), torch.cuda.get_device_name()
        # is_bf16_supported() alone also counts slow emulation
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        best = "bf16" if native else "fp16"
    elif torch.backends.mps.is_available():
        device, name, native, best = torch.device("mps"), "Apple GPU", False, "fp32"
    else:
        threads = torch.get_num_threads()
        if chosen_threads() is None and threads > usable_cores():  # torch knows no cgroup quota
            threads = usable_cores()
            torch.set_num_threads(threads)
        name = f"CPU, {threads} thread{'s' * (threads != 1)}"
        device, native, best = torch.device("cpu"), True, "fp32"
    if precision == "fp16" and device.type == "cpu":
        raise ModelError(
            "--precision fp16 needs a GPU; the CPU trains in fp32, or in bf16 by --precision bf16"
        )
    if precision == "bf16" and not native:
        raise ModelError(f"--precision bf16: {name} only emulates it; use --precision {best}")
    return Device(device, name, best if precision == "auto" else precision)


def emulates_bf16() -> bool:
    """Whether this machine's CPU is known to have no instructions for bf16."""
    known: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # an older torch cannot tell
    return known.get("architecture") == "x86_64" and not (known["avx512_bf16"] or known["amx_bf16"])
