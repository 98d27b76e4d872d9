"""Checks of what was installed: Python, packages, torch with torchvision, weights."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib import metadata

from course_utils import paths
from course_utils.cli.findings import BROKEN, FINE, LOOK, Finding

INSTALL_AFRESH = "Delete the folder .venv, then type: make setup"


def python(found: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    says = f"{'.'.join(map(str, found))} at {sys.executable}"
    if found < (3, 11):
        return Finding("Python", BROKEN, says, "The course needs 3.11 or newer: make setup PYTHON=python3.11")
    return Finding("Python", FINE, says)


def packages(wanted: list[str] | None = None, lock: str | None = None) -> Finding:
    """Whether every package is there in a version that pyproject.toml allows, and in the one that was tested.

    Args:
        wanted: requirements; those of pyproject.toml by default.
        lock: text of a lock file; that of requirements.lock by default.
    """
    from packaging.requirements import Requirement

    root = paths.repository()
    if wanted is None:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        wanted = project["dependencies"]
    if lock is None:
        lock = (root / "requirements.lock").read_text(encoding="utf-8")
    wrong = [f"{need} is needed, {version(need.name) or 'none'} is there"
             for need in map(Requirement, wanted) if not _installed_as(need)]
    if wrong:
        return Finding("packages", BROKEN, "; ".join(wrong), INSTALL_AFRESH)
    tested = (Requirement(line) for line in re.findall(r"^\w.*?(?= \\$)", lock, flags=re.M))
    others = [f"{need.name} {version(need.name)}" for need in tested
              if version(need.name) and not _installed_as(need)]
    if others:
        return Finding("packages", LOOK, f"in other versions than were tested: {', '.join(others)}",
                       f"They may well do; if they do not: {INSTALL_AFRESH}")
    return Finding("packages", FINE, f"all {len(wanted)} that pyproject.toml asks for, in tested versions")


def _installed_as(need) -> bool:
    """Whether a requirement is met, or is none on this system."""
    if need.marker is not None and not need.marker.evaluate():
        return True
    found = version(need.name)
    return found is not None and need.specifier.contains(found, prereleases=True)


def version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def pairing() -> Finding:
    """torch and torchvision must be of one build: torchvision's operators are compiled against torch."""
    check = "torch with torchvision"
    try:
        import torch
        import torchvision
        boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2.1]])
        kept = torchvision.ops.nms(boxes, torch.tensor([0.5, 0.9]), 0.5)
    except Exception as error:        # a library of another build may fail in any way
        versions = f"{version('torch') or 'none'} with {version('torchvision') or 'none'}"
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        return Finding(check, BROKEN, f"{versions} do not work together: {said}",
                       f"They must come from one package index, as one build. {INSTALL_AFRESH}")
    versions = f"{torch.__version__} with {torchvision.__version__}"
    if kept.tolist() != [1]:          # the better of two boxes that overlap
        return Finding(check, BROKEN, f"{versions}: the operator nms answers wrongly", INSTALL_AFRESH)
    return Finding(check, FINE, f"{versions}, the operator nms works")


def bundled_weights() -> Finding:
    from course_utils.errors import DamagedFile, WeightsUnavailable
    from course_utils.pretrained.models import bundled

    trouble = []
    for name in bundled.BUNDLED:
        try:
            bundled.checked_file(name)
        except (DamagedFile, WeightsUnavailable) as error:
            trouble.append(str(error))
    if trouble:
        return Finding("bundled weights", BROKEN, "\n          ".join(trouble))
    return Finding("bundled weights", FINE, f"{', '.join(bundled.BUNDLED)}: whole by their checksums")


def other_weights(*, online: bool, url: str | None = None) -> Finding:
    """What can be had beyond the bundled weights. Without `online`, nobody is asked.

    Args:
        url: of the server to ask; torchvision's by default.
    """
    from course_utils.pretrained.files.downloads import why_unreachable
    from course_utils.pretrained.models.catalogue import catalogue
    from course_utils.pretrained.models.libraries import known_torchvision

    check = "other weights"
    table = catalogue()
    there = int((table["available"] & ~table["bundled"]).sum())
    says = f"no lesson needs any; {there} of the catalogue's are on this machine"
    if not online:
        return Finding(check, FINE, f"{says}. Whether more can be had was not asked: course doctor --online")
    url = url or known_torchvision("torchvision/resnet18.IMAGENET1K_V1").url
    if reason := why_unreachable(url):
        return Finding(check, LOOK, f"{says}. You are offline, or their server is: {reason}",
                       "The bundled models serve instead. Behind a proxy, set HTTPS_PROXY.")
    return Finding(check, FINE, f"{says}. The server for more answers")
