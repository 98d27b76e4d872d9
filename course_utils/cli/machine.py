"""Checks of the machine: processor, memory, accelerator, disk, and the file that progress is kept in."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from course_utils import paths
from course_utils.cli.findings import BROKEN, FINE, LOOK, Finding

GB = 1e9


def processor(cores: int | None = None) -> Finding:
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    says = f"{cores} {'cores' if cores > 1 else 'core'} to use, {platform.machine()}"
    if cores < 2:
        return Finding("processor", LOOK, says, "Lessons are timed on two cores; they will take longer here.")
    return Finding("processor", FINE, says)


def memory(total: float | None = None, free: float | None = None) -> Finding:
    """Args: bytes; the machine's own by default."""
    import psutil

    now = psutil.virtual_memory()
    total, free = total or now.total, free or now.available
    says = f"{free / GB:.1f} of {total / GB:.1f} GB free"
    if free < 2 * GB:
        return Finding("memory", LOOK, says, "A lesson wants up to 2 GB: close other programs and notebooks.")
    return Finding("memory", FINE, says)


def accelerator() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("accelerator", FINE, torch.cuda.get_device_name())
    if torch.backends.mps.is_available():
        return Finding("accelerator", FINE, "Apple's GPU")
    if shutil.which("nvidia-smi"):
        return Finding("accelerator", LOOK, f"an NVIDIA driver, which torch {torch.__version__} cannot use",
                       "Lessons run on the processor. For the GPU, see nvidia-smi and renew the driver.")
    return Finding("accelerator", FINE, "none, and none is needed: lessons run on the processor")


def disk(free: float | None = None) -> Finding:
    """The fullest of the disks that the course writes to. Args: bytes; as measured by default."""
    room = {folder: shutil.disk_usage(_existing(folder)).free if free is None else free
            for folder in (paths.work(), paths.cache(), paths.progress().parent)}
    fullest = min(room, key=room.get)
    says = f"{room[fullest] / GB:.1f} GB free for {fullest}"
    if room[fullest] >= 1 * GB:
        return Finding("disk", FINE, says)
    return Finding("disk", BROKEN if room[fullest] < 0.1 * GB else LOOK, says,
                   "Make room, or name other folders in COURSE_WORK, COURSE_CACHE and COURSE_PROGRESS.")


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def progress_store() -> Finding:
    """Whether the progress file opens and can be written. Nothing is recorded."""
    from course_utils.teaching.event_file import EventFile, StoreUnavailable

    path, notices = paths.progress(), []
    try:
        EventFile(path, notices.append).add([], seconds=0.5)
    except StoreUnavailable as trouble:
        return Finding("progress", LOOK, str(trouble), "Lessons run without it, but do not remember.")
    if notices:
        return Finding("progress", LOOK, " ".join(notices), "Nothing more is to be done; lessons run.")
    return Finding("progress", FINE, f"{path} opens and can be written")
