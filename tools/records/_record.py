"""Write a recorded result with what is needed to judge and repeat it: command, seeds, versions, machine."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = ("torch", "torchvision", "timm")
# Instructions that decide how fast, and how rounded, bfloat16 and float32 arithmetic is.
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")


def write_record(path: Path, *, command: str, seeds: Sequence[int], results: object) -> Path:
    """Write `results` to `path` as JSON, whole or not at all; an older record gives way.

    Args:
        command: what to type, from the repository root, to measure again.
        seeds: every seed that went in.
        results: anything JSON can hold; figures rounded to what they mean.
    """
    record = {"command": command, "seeds": list(seeds), "date": datetime.now(UTC).date().isoformat(),
              "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
              "machine": machine(), "results": results}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".json.partial")
    partial.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
    return path


def machine() -> dict[str, object]:
    """Processor cores usable here, instructions that matter, memory. Nothing that names the machine."""
    return {"system": platform.system(), "architecture": platform.machine(), "cores": _cores(),
            "cpu_flags": [flag for flag in FLAGS if flag in _cpu_flags()],
            "memory_gib": round(psutil.virtual_memory().total / 2**30)}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_flags() -> set[str]:
    """As Linux lists them; elsewhere unknown, so none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.lower().startswith(("flags", "features"))
            for flag in line.split(":", 1)[1].split()}
