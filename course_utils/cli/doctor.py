"""`course doctor`: looks at the installation and the machine, and says what to do where something is amiss.

It asks nothing of another machine unless told to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from course_utils.cli import installation, machine
from course_utils.cli.findings import BROKEN, Finding


def examine(*, online: bool = False) -> Iterator[Finding]:
    """All findings, one after another. `online` also asks the server that other weights come from."""
    checks: dict[str, Callable[[], Finding]] = {
        "Python": installation.python,
        "packages": installation.packages,
        "torch with torchvision": installation.pairing,
        "bundled weights": installation.bundled_weights,
        "processor": machine.processor,
        "memory": machine.memory,
        "accelerator": machine.accelerator,
        "disk": machine.disk,
        "progress": machine.progress_store,
        "other weights": lambda: installation.other_weights(online=online),
    }
    for name, check in checks.items():
        try:
            yield check()
        except Exception as error:      # whatever a broken installation raises is a finding too
            said = (str(error).strip() or "no reason given").splitlines()[0]
            yield Finding(name, BROKEN, f"could not be looked at: {type(error).__name__}: {said}",
                          installation.INSTALL_AFRESH)
