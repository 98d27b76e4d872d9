"""Classes: unequal, too small, and told apart by something else than what is shown."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

from course_utils.errors import BadData
from course_utils.pretrained import audit_folder, load_dataset

# Counts -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("small, serious", [(5, None), (4, "good to know"), (1, "will mislead")])
def test_unequal_classes_are_said_by_how_unequal_they_are(tmp_path, make, findings, small, serious):
    make(tmp_path, {f"{split}/{name}": count for split in ("train", "val", "test")
                    for name, count in (("rose", 14), ("tulip", small))})
    found = findings(audit_folder(tmp_path), "unequal classes")
    assert [one.serious for one in found] == ([serious] if serious else [])
    assert not found or found[0].paths == ("rose", "tulip")


def test_a_class_that_load_dataset_cannot_cut_is_said_in_its_words(tmp_path, make, findings):
    make(tmp_path, {"rose": 5, "tulip": 2, "daisy": 5})
    audit = audit_folder(tmp_path)
    [found] = findings(audit, "too few")
    with pytest.raises(BadData) as refusal:
        load_dataset(f"folder:{tmp_path}")
    assert found.seen == str(refusal.value) and found.paths == ("tulip",)
    assert audit.propose_split().classes == ("daisy", "rose")


def test_three_pictures_are_enough(tmp_path, make, findings):
    """The twin."""
    assert not findings(audit_folder(make(tmp_path, {"rose": 5, "tulip": 3})), "too few")


def test_copies_do_not_make_a_class_large_enough(tmp_path, make, findings):
    make(tmp_path, {"rose": 6, "tulip": 2, "daisy": 6})
    for number in range(3):
        shutil.copy(tmp_path / "tulip/0006.jpg", tmp_path / f"tulip/copy {number}.jpg")
    audit = audit_folder(tmp_path)
    [found] = findings(audit, "too few")
    assert "'tulip' has 5 pictures, but only 2 that differ" in found.seen
    assert audit.propose_split().classes == ("daisy", "rose")
    assert load_dataset(f"folder:{tmp_path}").classes == ("daisy", "rose", "tulip")    # does not see copies


def test_a_single_picture_in_a_split_is_said(tmp_path, make, findings):
    make(tmp_path, {f"{split}/{name}": 3 for split in ("train", "val", "test") for name in ("rose", "tulip")})
    for extra in sorted((tmp_path / "test/rose").iterdir())[1:]:
        extra.unlink()
    [found] = findings(audit_folder(tmp_path), "one picture")
    assert str(found.cases[0]) == "rose (in test)"


def test_a_class_with_only_damaged_pictures_is_empty(tmp_path, make, findings):
    make(tmp_path, {"rose": 6, "tulip": 6, "daisy": 2})
    for path in (tmp_path / "daisy").iterdir():
        path.write_bytes(path.read_bytes()[:2000])
    audit = audit_folder(tmp_path)
    assert findings(audit, "empty class")[0].paths == ("daisy",)
    assert findings(audit, "damaged")[0].paths == ("daisy/0012.jpg", "daisy/0013.jpg")
    assert audit.propose_split().classes == ("rose", "tulip")


# What gives a class away ------------------------------------------------------------------------------

def with_camera(name: str | None) -> dict:
    exif = Image.Exif()
    if name:
        exif[0x010F], exif[0x0110] = name.split()
    return {"exif": exif}


def two_sources(root, make, one: dict, other: dict, odd: int = 0, count: int = 20) -> None:
    """Roses by one way of saving, tulips and daisies by the other; `odd` roses by the other, too."""
    make(root, {"rose": count - odd}, **one)
    make(root, {"rose": odd}, first=300, **other)
    make(root, {"tulip": count, "daisy": count}, first=100, **other)


WAYS = {"camera": (with_camera("Nikon D90"), with_camera("Canon 5D"), "Nikon D90"),
        "JPEG quality": ({"quality": 40}, {"quality": 90}, "about 40")}


@pytest.fixture
def make_with(put, scene):
    def make(root, counts, first=0, **options):
        for name, count in counts.items():
            for number in range(first, first + count):
                seed = number + 1000 * ord(name[0])
                put(scene(seed), root / name / f"{name}{number}.jpg", **{"quality": 90} | options)
    return make


@pytest.mark.parametrize("way", WAYS)
def test_a_class_from_one_source_is_told(tmp_path, make_with, findings, way):
    one, other, value = WAYS[way]
    two_sources(tmp_path, make_with, one, other)
    [found] = audit_folder(tmp_path).findings
    assert found.kind == f"giveaway: {way}" and found.serious == "will mislead"
    assert [str(case) for case in found.cases] == [f"rose ({value}: 100% of this class, 0% of all others)"]
    assert found.seen.startswith("1 class told apart by")


def test_a_class_that_lacks_what_all_others_share_is_told(tmp_path, make_with, findings):
    cameras = ("Nikon D90", "Sony A7", "Leica Q2", None)
    for number, camera in enumerate(cameras):
        make_with(tmp_path, {"rose": 5}, first=50 * number, **with_camera(camera))
    make_with(tmp_path, {"tulip": 20, "daisy": 20}, **with_camera("Canon 5D"))
    [found] = audit_folder(tmp_path).findings
    assert str(found.cases[0]) == "rose (Canon 5D: 0% of this class, 100% of all others)"


@pytest.mark.parametrize("way", WAYS)
def test_the_same_source_for_all_is_fine(tmp_path, make_with, way):
    one, _, _ = WAYS[way]
    two_sources(tmp_path, make_with, one, one)
    assert audit_folder(tmp_path).findings == ()


@pytest.mark.parametrize("odd, told", [(3, True), (4, True), (5, False), (10, False)])
def test_four_fifths_of_a_class_are_enough_and_less_is_not(tmp_path, make_with, findings, odd, told):
    two_sources(tmp_path, make_with, *WAYS["camera"][:2], odd=odd)
    cases = [case for found in findings(audit_folder(tmp_path), "giveaway: camera") for case in found.cases]
    assert ["Nikon" in str(case) for case in cases] == ([True] if told else [])


def test_fewer_than_ten_pictures_prove_nothing(tmp_path, make_with):
    two_sources(tmp_path, make_with, *WAYS["camera"][:2], count=9)
    assert audit_folder(tmp_path).findings == ()


def test_no_note_of_a_camera_is_a_sign_too(tmp_path, make_with, findings):
    two_sources(tmp_path, make_with, with_camera(None), with_camera("Canon 5D"))
    [found] = findings(audit_folder(tmp_path), "giveaway: camera")
    assert "rose (no camera named: 100%" in str(found)


def test_size_format_and_colour_are_signs(tmp_path, put, scene, findings):
    for number in range(12):
        put(scene(number, (200, 120)).convert("L"), tmp_path / f"rose/r{number}.png")
        put(scene(100 + number), tmp_path / f"tulip/t{number}.jpg")
    audit = audit_folder(tmp_path)
    told = {found.kind: str(found) for found in audit.findings if found.kind.startswith("giveaway")}
    assert set(told) == {"giveaway: size", "giveaway: file format", "giveaway: colours"}
    assert "rose (200 × 120 pixels: 100%" in told["giveaway: size"]
    assert "tulip (JPEG: 100%" in told["giveaway: file format"]
    assert "rose (grey: 100%" in told["giveaway: colours"]


def test_real_photographs_of_one_source_give_nothing_away(photographs):
    for name in ("flowers", "steel_defects", "eurosat"):
        assert not [found for found in audit_folder(photographs / name).findings if "giveaway" in found.kind]
