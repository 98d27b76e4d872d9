"""Photo sets come checked and whole, are cut the same way every time, and say what they are."""

from __future__ import annotations

import hashlib
import io
import re
import resource
import tarfile
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from PIL import Image

from course_utils import paths
from course_utils.errors import DamagedFile, DownloadFailed
from course_utils.pretrained import load_dataset
from course_utils.pretrained.data import images as images_module
from course_utils.pretrained.data.photo_sets import photo_sets
from course_utils.pretrained.files.unpacking import fetched_folder

REAL = yaml.safe_load((paths.data() / "photo_sets.yaml").read_text(encoding="utf-8"))
FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
LAND = ("AnnualCrop", "Forest", "Highway", "River")


# Archives of the real layout, small -----------------------------------------------------------------

def jpeg(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file := io.BytesIO(), "JPEG")
    return file.getvalue()


def pictures(layout: dict[str, int]) -> dict[str, bytes]:
    """{"train/bees": 4} makes four."""
    return {f"{folder}/{i:03d}.jpg": jpeg(zlib.crc32(f"{folder}{i}".encode()))
            for folder, count in layout.items() for i in range(count)}


def tgz(files: dict[str, bytes]) -> bytes:
    with tarfile.open(fileobj=(packed := io.BytesIO()), mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def flower_photos() -> bytes:
    return tgz({"flower_photos/LICENSE.txt": b"CC BY",
                **pictures({f"flower_photos/{name}": 20 for name in FLOWERS})})


def hymenoptera() -> bytes:
    files = pictures({f"hymenoptera_data/{split}/{name}": count for split, count in
                      [("train", 20), ("val", 10)] for name in ("ants", "bees")})
    Image.new("RGB", (30, 30)).save(nothing := io.BytesIO(), "GIF")
    return zipped({**files, "hymenoptera_data/train/ants/imageNotFound.gif": nothing.getvalue()})


def eurosat() -> bytes:
    return zipped(pictures({f"2750/{name}": 20 for name in LAND}))


def pneumoniamnist() -> bytes:
    rng, arrays = np.random.default_rng(0), {}
    for split, count in [("train", 24), ("val", 8), ("test", 12)]:
        arrays[f"{split}_images"] = rng.integers(0, 255, (count, 64, 64), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 4 > 0).astype(np.uint8)[:, None]
    np.savez_compressed(packed := io.BytesIO(), **arrays)
    return packed.getvalue()


ARCHIVES = {"flower_photos": flower_photos, "hymenoptera": hymenoptera, "eurosat": eurosat,
            "pneumoniamnist": pneumoniamnist}
COUNTS = {"flower_photos": (70, 15, 15), "hymenoptera": (34, 6, 20), "eurosat": (56, 12, 12),
          "pneumoniamnist": (24, 8, 12)}


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch, quick):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_PHOTOS", raising=False)
    monkeypatch.setattr(images_module, "_opened", {})


@pytest.fixture
def offer(server, tmp_path, monkeypatch):
    """Serve an archive under a real set's name: the real table, other address, checksum and number."""
    def offer(name: str, archive: bytes, *, checksum: str | None = None):
        file = f"/{Path(REAL[name]['url'].partition('?')[0]).name}"
        server.files[file] = archive
        here = {"url": server.url + file, "pictures": sum(COUNTS[name]),
                "checksum": checksum or f"sha256:{hashlib.sha256(archive).hexdigest()}"}
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data/photo_sets.yaml").write_text(yaml.safe_dump({**REAL, name: REAL[name] | here}))
        monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
        return SimpleNamespace(folder=tmp_path / "cache" / "datasets" / name, file=file)
    return offer


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


# Sets ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ARCHIVES)
def test_a_set_comes_on_first_use_and_is_kept(name, offer, server, capsys):
    where = offer(name, ARCHIVES[name]())
    data = load_dataset(name)
    assert (len(data.train), len(data.val), len(data.test)) == COUNTS[name]
    parts = [set(images.paths) for images in (data.train, data.val, data.test)]
    assert len(set.union(*parts)) == sum(COUNTS[name])
    for images in (data.train, data.val):
        assert Counter(images.labels).keys() == set(range(len(data.classes)))
        assert all(Path(path).parent.name == images.classes[label]
                   for path, label in zip(images.paths, images.labels, strict=True))
    assert data.train[0][0].mode == "RGB"
    assert "Skipped" not in capsys.readouterr().out
    again = load_dataset(name)
    assert again.train.paths == data.train.paths and again.val.fingerprint == data.val.fingerprint
    assert len(server.seen) == 1 and left_in(where.folder.parent) == {name}, "the archive is gone"


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_set_says_what_it_is_and_whose(name, offer):
    offer(name, ARCHIVES[name]())
    data = load_dataset(name)
    counts = "train {}, val {}, test {}".format(*COUNTS[name])
    said = str(data.card)
    assert data.card.name == name and data.card.kind in repr(data) and counts in repr(data) and counts in said
    assert REAL[name]["licence"] in said and REAL[name]["source"] in said


def test_ants_and_bees_say_that_models_may_know_them(offer):
    offer("hymenoptera", hymenoptera())
    data = load_dataset("hymenoptera")
    assert "come from ImageNet" in data.card.description and data.classes == ("ants", "bees")
    assert all("/test/" in path for path in data.test.paths), "the release's val is the test set"
    assert not [path for path in data.train.paths if "imageNotFound" in path]


def test_xrays_are_what_the_arrays_hold(offer):
    offer("pneumoniamnist", archive := pneumoniamnist())
    data = load_dataset("pneumoniamnist")
    arrays = np.load(io.BytesIO(archive))
    assert data.classes == ("normal", "pneumonia")
    for split, images in [("train", data.train), ("val", data.val)]:
        assert sorted(images.labels) == sorted(arrays[f"{split}_labels"].ravel().tolist())
        for path, label in zip(images.paths, images.labels, strict=True):
            number = int(Path(path).stem)
            assert label == arrays[f"{split}_labels"][number, 0]
            assert np.array_equal(np.asarray(Image.open(path)), arrays[f"{split}_images"][number])


def test_flowers_are_photographs_where_course_photos_says_so(offer, monkeypatch):
    offer("flower_photos", flower_photos())
    monkeypatch.setenv("COURSE_PHOTOS", "1")
    data = load_dataset("flowers")
    assert "photographs" in repr(data) and data.card.name == "flower_photos" and data.classes == FLOWERS


@pytest.mark.parametrize("value", [None, "", "0"])
def test_flowers_are_rendered_otherwise(monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("COURSE_PHOTOS", value)
    assert "rendered images" in repr(load_dataset("flowers"))


def test_a_set_that_lost_pictures_says_so(offer, capsys):
    where = offer("eurosat", eurosat())
    load_dataset("eurosat")
    assert "as it should" not in capsys.readouterr().out
    next(where.folder.rglob("*.jpg")).unlink()
    load_dataset("eurosat")
    assert "holds 79 pictures, not 80 as it should" in capsys.readouterr().out


# What fails ------------------------------------------------------------------------------------------

def test_without_a_network_what_serves_instead_is_named_and_nothing_else_given(no_network):
    with pytest.raises(DownloadFailed, match=r"Name or service not known.*load_dataset\('flowers'\)"):
        load_dataset("flower_photos")


def test_a_set_that_came_damaged_is_not_unpacked(offer):
    where = offer("eurosat", eurosat(), checksum="md5:c8fa014336c82ac7804f0398fcb19387")
    with pytest.raises(DamagedFile, match="MD5 should begin with c8fa014336c8"):
        load_dataset("eurosat")
    assert not left_in(where.folder.parent)


@pytest.mark.parametrize("name", ["flower_photos", "eurosat"])
def test_an_archive_that_is_torn_though_its_checksum_fits_is_told_and_deleted(name, offer):
    whole = ARCHIVES[name]()
    where = offer(name, whole[: len(whole) // 2])
    with pytest.raises(DamagedFile, match=r"cannot be unpacked.*run the same line again"):
        load_dataset(name)
    assert not left_in(where.folder.parent)


def test_a_disk_that_fills_up_while_unpacking_leaves_the_archive_and_no_half_set(offer, server):
    large = Image.new("RGB", (400, 400))
    large.save(bitmap := io.BytesIO(), "BMP")
    with zipfile.ZipFile(packed := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in pictures({f"2750/{name}": 19 for name in LAND}).items():
            archive.writestr(name, content)
        for name in LAND:
            archive.writestr(f"2750/{name}/large.bmp", bitmap.getvalue())
    where = offer("eurosat", packed.getvalue())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(DownloadFailed, match="cannot be written: File too large"):
            load_dataset("eurosat")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_in(where.folder.parent) == {"EuroSAT.zip"}
    assert sum(load_dataset("eurosat").card.counts.values()) == 80 and len(server.seen) == 1


def link(name: str, to: str) -> bytes:
    with tarfile.open(fileobj=(packed := io.BytesIO()), mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = tarfile.SYMTYPE, to
        archive.addfile(member)
    return packed.getvalue()


@pytest.mark.parametrize("file, archive", [
    ("up.tgz", tgz({"set/a.jpg": b"a", "../../outside": b"b"})),
    ("link.tgz", link("set/a.jpg", "/etc/passwd")),
    ("link-up.tgz", link("set/a.jpg", "../../../outside"))])
def test_a_tar_that_leads_outside_is_refused(server, tmp_path, file, archive):
    server.files[f"/{file}"] = archive
    with pytest.raises(DamagedFile, match="cannot be unpacked"):
        fetched_folder(f"{server.url}/{file}", tmp_path / "cache" / "set", inside="set")
    assert not (tmp_path / "outside").exists() and not (tmp_path / "cache" / "set").exists()


@pytest.mark.parametrize("outside", ["../../outside", "/tmp/outside-of-the-set", "set/../../../outside"])
def test_what_leads_outside_of_a_zip_is_left_out(server, tmp_path, outside):
    server.files["/set.zip"] = zipped({"set/a.jpg": b"a", outside: b"b"})
    folder = fetched_folder(f"{server.url}/set.zip", tmp_path / "cache" / "set", inside="set")
    assert [path.name for path in folder.iterdir()] == ["a.jpg"]
    assert not list(tmp_path.rglob("outside*")) and not Path("/tmp/outside-of-the-set").exists()


# The table -------------------------------------------------------------------------------------------

DIGITS = {"sha256": 64, "md5": 32}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_entry_is_whole(name):
    photos = photo_sets()[name]
    kind, _, digits = photos.checksum.partition(":")
    assert re.fullmatch(f"[0-9a-f]{{{DIGITS[kind]}}}", digits) and photos.url.startswith("https://")
    assert photos.size_mb > 0 and photos.pictures > 0 and photos.licence and photos.source
    assert photos.folder == paths.cache() / "datasets" / name


def test_every_entry_is_tested():
    assert photo_sets().keys() == ARCHIVES.keys()


def test_eurosats_address_and_checksum_are_torchvisions():
    import inspect

    from torchvision.datasets import EuroSAT
    source = inspect.getsource(EuroSAT)
    assert REAL["eurosat"]["url"] in source
    assert REAL["eurosat"]["checksum"].removeprefix("md5:") in source
