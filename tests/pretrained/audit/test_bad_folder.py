"""One of everything that goes wrong: each is named with its path and what is done, and the rest goes on."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import sys
from pathlib import Path

import pandas  # noqa: F401    before a test gives up root's right to read the libraries
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils.errors import BadData
from course_utils.pretrained import audit_folder, load_dataset
from course_utils.pretrained.audit.findings import shown
from course_utils.pretrained.data.listing import list_folder
from course_utils.pretrained.data.pictures import is_picture

STRANGE = os.fsdecode(b"tulip/not \xff\xfe utf-8.jpg")
CASES = [
    ("zero bytes", "no picture", "rose/zero.jpg", "Skipped"),
    ("text renamed", "no picture", "rose/notes.jpg", "Skipped"),
    ("HTML renamed", "no picture", "rose/page.png", "Skipped"),
    ("truncated", "damaged", "rose/truncated.jpg", "leaves it out"),
    ("32-bit numbers", "no range", "rose/float.tiff", "leaves it out"),
    ("1 × 1", "too small", "rose/pixel.png", "Skipped"),
    ("panorama", "strip", "rose/panorama.png", "Skipped"),
    ("decompression bomb", "too large", "rose/bomb.png", "Skipped"),
    ("unreadable file", "unreadable", "rose/secret.jpg", "chmod u+r"),
    ("unreadable folder", "locked", "tulip/locked", "chmod u+rx"),
    ("animated", "frames", "rose/animated.gif", "first is used"),
    ("CMYK", "cmyk", "rose/printed.jpg", "Converted to RGB"),
    ("16 bits", "16 bits", "rose/deep.png", "Scaled to 8 bits"),
    ("palette with transparency", "transparent", "rose/palette.png", "become white"),
    ("rotated by EXIF", "turned", "rose/lying.jpg", "Turned upright"),
    ("grey among colour", "grey", "rose/deep.png", "three equal channels"),
    ("size", "size", "rose/huge.jpg", "Scaled to what the model takes"),
    ("link outside", "outside", "rose/far.jpg", "Used like the others"),
    ("link to itself", "no file", "rose/self.jpg", "Skipped"),
    ("pipe", "no file", "rose/pipe.jpg", "Skipped"),
    ("link loop below a class", "link", "rose/back", "Not followed"),
    ("link loop among classes", "link", "again", "Not followed"),
    ("hidden", "litter", "rose/.hidden.jpg", "Skipped"),
    ("macOS", "litter", "rose/.DS_Store", "Skipped"),
    ("macOS archive", "litter", "rose/__MACOSX", "Skipped"),
    ("Windows", "litter", "rose/Thumbs.db", "Skipped"),
    ("Windows folder", "litter", "rose/desktop.ini", "Skipped"),
    ("in no class", "beside", "stray.jpg", "Not used"),
    ("nested", "nested", "rose/monday", "belong to the class"),
    ("same name", "same name", "tulip/IMG_1.jpg", "nothing is mixed up"),
    ("empty class", "empty class", "empty", "leaves the class out"),
    ("class with one picture", "too few", "single", "leaves the class out"),
    ("unequal", "unequal classes", "single", "per_class"),
    ("duplicate", "duplicates", "tulip/copy.jpg", "in one part"),
    ("near duplicate", "near duplicates", "tulip/smaller.png", "in one part"),
    ("two labels", "two labels", "tulip/mislabelled.jpg", "leaves out all"),
]


@pytest.mark.parametrize("kind, path, do", [pytest.param(*case, id=name) for name, *case in CASES])
def test_each_is_named_with_what_is_done(bad_audit, findings, kind, path, do):
    [found] = findings(bad_audit, kind)
    assert path in found.paths and do in found.do


def test_nothing_else_is_found_fault_with(bad_audit):
    assert {found.kind for found in bad_audit.findings} == {kind for _, kind, _, _ in CASES}
    blamed = {path for found in bad_audit.findings for path in found.paths if found.kind != "same name"}
    good = {f"{name}/{number:04d}.jpg" for name, numbers in (("rose", range(12)), ("tulip", range(12, 24)))
            for number in numbers}
    assert blamed & good == {"rose/0001.jpg", "tulip/0012.jpg", "tulip/0013.jpg"}       # they have copies


def test_what_stops_learning_comes_first(bad_audit):
    order = [found.serious for found in bad_audit.findings]
    assert order == sorted(order, key=["stops learning", "will mislead", "good to know"].index)
    text = str(bad_audit)
    assert 0 < text.index("✘ stops learning") < text.index("! will mislead") < text.index("· good to know")


def test_the_rest_goes_on(bad_audit):
    usable = {picture.path for picture in bad_audit.pictures}
    assert {"rose/0000.jpg", "tulip/UPPER.JPG", "tulip/line\nbreak.jpg", "tulip/quote\"'s.jpg", STRANGE,
            "tulip/rose 🌹.jpg", "rose/animated.gif", "rose/monday/0151.jpg"} <= usable
    assert len(usable) == sum(bad_audit.counts["train"].values()) == 45
    assert bad_audit.classes == ("empty", "rose", "single", "tulip")


def test_the_proposal_is_made_of_what_is_usable(bad_audit):
    data = bad_audit.propose_split()
    assert data.classes == ("rose", "tulip") and sum(data.card.counts.values()) == 42
    assert "'single'" in data.card.description and "2 pictures with the same file" in data.card.description
    pictures = [picture for part in (data.train, data.val, data._test) for picture, _ in part]
    assert len(pictures) == 42 and all(picture.mode == "RGB" for picture in pictures)


def test_a_strange_name_can_be_opened_and_fingerprinted(bad_audit):
    data = bad_audit.propose_split(seed=3)
    paths = [path for part in (data.train, data.val, data._test) for path in part.paths]
    assert sum(path.endswith(os.path.basename(STRANGE)) for path in paths) == 1
    assert len({part.fingerprint for part in (data.train, data.val, data._test)}) == 3


def test_a_plain_account_is_needed_to_see_what_it_may_not_read(bad_folder, findings):
    """The twin: root reads everything."""
    if os.geteuid():
        pytest.skip("needs root, who may read everything")
    audit = audit_folder(bad_folder)
    assert not findings(audit, "unreadable") and not findings(audit, "locked")


# Nothing is changed -----------------------------------------------------------------------------------

def state(folder) -> dict:
    """Every path with its kind, rights, times and content."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = os.path.join(parent, name)
            status = os.lstat(path)
            found[path] = status.st_mode, status.st_mtime_ns, status.st_ctime_ns, status.st_size
            if stat.S_ISREG(status.st_mode):
                found[path] += (hashlib.sha256(Path(path).read_bytes()).hexdigest(),)
    return found


def test_nothing_on_the_disk_is_changed(bad_folder, as_nobody):
    before = state(bad_folder.parent)
    with as_nobody():
        audit = audit_folder(bad_folder)
        audit.propose_split()
        str(audit), audit.table(), audit.as_json()
    assert len(before) > 70 and state(bad_folder.parent) == before


def test_a_change_would_be_seen(tmp_path, make):
    """The twin: the comparison above notices a file that was only touched."""
    before = state(make(tmp_path, {"rose": 2}))
    os.utime(tmp_path / "rose/0000.jpg")
    assert state(tmp_path) != before


# It can be printed anywhere ---------------------------------------------------------------------------

@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_the_report_can_be_printed(bad_audit, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding, "strict" if encoding == "utf-8" else "replace")
    print(bad_audit, *bad_audit.findings, sep="\n", file=stream)
    stream.flush()
    assert b"rose/truncated.jpg" in stream.buffer.getvalue()


def test_what_goes_to_a_browser_is_valid_text(bad_audit):
    table = bad_audit.table()
    page = table.to_html().encode("utf-8")
    assert b"rose/truncated.jpg" in page and len(table) == len(bad_audit.findings)


def test_json_holds_every_path_as_it_is(bad_audit):
    said = json.loads(bad_audit.as_json().encode("ascii"))
    paths = {path for found in said["findings"] for case in found["cases"] for path in case["paths"]}
    assert paths == {path for found in bad_audit.findings for path in found.paths}
    assert said["usable"] == 45 and said["counts"]["train"]["empty"] == 0


def test_five_are_shown_and_the_others_counted(tmp_path, make, put, scene, findings):
    root = make(tmp_path, {"rose": 8, "tulip": 8})
    for number in range(1_007):
        (root / "rose" / f"zero-{number:04d}.jpg").touch()
    audit = audit_folder(root)
    [found] = findings(audit, "no picture")
    assert len(found.paths) == 1_007 and "1,007 files" in found.seen
    assert str(audit).count("zero-") == 5 and "and 1,002 more" in str(audit)


@pytest.mark.parametrize("path, text", [
    ("a b.jpg", "a b.jpg"), ("a\nb", r"a\nb"), ("a\x1b[31mb", r"a\x1b[31mb"), ("rose 🌹", "rose 🌹"),
    ("👩‍🌾.png", "👩‍🌾.png"), ("größe.jpg", "größe.jpg"), (os.fsdecode(b"\xff.jpg"), r"\udcff.jpg"),
    ("evil\u202egpj.exe", r"evil\u202egpj.exe")])
def test_a_path_is_shown_on_one_line_and_without_tricks(path, text):
    assert shown(path) == text


NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: b"/" not in name and b"\0" not in name and not name.startswith(b"."))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, min_size=1, max_size=5), folder=NAMES)
def test_no_name_makes_it_fail(tmp_path_factory, names, folder):
    root = os.fsencode(tmp_path_factory.mktemp("names"))
    for place in (folder, b"other class"):
        os.makedirs(os.path.join(root, place), exist_ok=True)
        for name in names:
            with open(os.path.join(root, place, name), "wb") as file:
                file.write(b"no picture")
    audit = audit_folder(os.fsdecode(root))
    text = str(audit)
    assert text.encode("utf-8") and audit.table().to_html().encode("utf-8") and json.loads(audit.as_json())
    assert all(line.isprintable() or "\u200d" in line for line in text.splitlines())


# One place decides ------------------------------------------------------------------------------------

def test_load_dataset_skips_exactly_what_the_audit_says(bad_folder, bad_audit, as_nobody, findings, capsys):
    with as_nobody():
        listing = list_folder(bad_folder)
        refused = {os.path.relpath(path, bad_folder) for part in listing.parts.values()
                   for paths in part.values() for path in paths if not is_picture(path)}
        with pytest.raises(BadData) as refusal:
            load_dataset(f"folder:{bad_folder}")
    kinds = ("no picture", "too small", "strip", "too large", "unreadable")
    assert refused == {path for kind in kinds for found in findings(bad_audit, kind) for path in found.paths}
    aside = [path for kind in ("no file", "link", "locked") for found in findings(bad_audit, kind)
             for path in found.paths]
    [skipped] = re.findall(r"Skipped (\d+) files", capsys.readouterr().out)
    assert int(skipped) == len(refused) + len(aside)
    assert str(refusal.value) == findings(bad_audit, "empty class")[0].seen


def test_what_load_dataset_takes_and_cannot_open_is_said_to_stop_learning(bad_folder, bad_audit, findings):
    late = [found for kind in ("damaged", "no range") for found in findings(bad_audit, kind)]
    assert all(found.serious == "stops learning" for found in late)
    assert all(is_picture(bad_folder / path) for found in late for path in found.paths)


# Folders that are no folders of classes ---------------------------------------------------------------

def test_a_folder_that_cannot_be_audited_is_refused_in_words(tmp_path, make, as_nobody):
    with pytest.raises(BadData, match="nowhere' does not exist"):
        audit_folder(tmp_path / "nowhere")
    with pytest.raises(BadData, match="no 'train' folder"):
        audit_folder(make(tmp_path / "a", {"val/rose": 1, "val/tulip": 1}))
    with pytest.raises(BadData, match="'val' and 'valid'"):
        audit_folder(make(tmp_path / "b", {f"{split}/rose": 1 for split in ("train", "val", "valid")}))


@pytest.mark.parametrize("layout, kind", [
    ({}, "no pictures"), ({".": 3}, "no pictures"), ({"rose": 5}, "one class"),
    ({"train/a": 2, "train/b": 2, "val/a": 2, "val/c": 2}, "classes differ")])
def test_what_load_dataset_refuses_stops_learning_here_in_its_words(tmp_path, make, findings, layout, kind):
    make(tmp_path, layout)
    audit = audit_folder(tmp_path)
    with pytest.raises(BadData) as refusal:
        load_dataset(f"folder:{tmp_path}")
    [found, *_] = findings(audit, kind)
    assert found.seen == str(refusal.value) and found.serious == "stops learning"
    with pytest.raises(BadData):
        audit.propose_split()


def test_a_clean_folder_has_no_findings(tmp_path, make):
    """The twin of all the above."""
    audit = audit_folder(make(tmp_path, {"rose": 12, "tulip": 14}))
    assert audit.findings == () and audit.counts == {"train": {"rose": 12, "tulip": 14}}
    assert "Nothing was found" in str(audit) and "160 × 120 pixels each" in str(audit)
    assert audit.table().empty


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_to_files_and_to_class_folders_are_followed_and_said(tmp_path, make, findings):
    make(tmp_path / "far", {"rose": 6, "tulip": 6})
    (tmp_path / "near").mkdir()
    (tmp_path / "near/rose").symlink_to(tmp_path / "far/rose")
    make(tmp_path / "near", {"tulip": 6}, first=50)
    audit = audit_folder(tmp_path / "near")
    assert audit.counts["train"] == {"rose": 6, "tulip": 6}
    assert set(findings(audit, "outside")[0].paths) == {f"rose/000{i}.jpg" for i in range(6)}


def test_sizes_are_said_from_the_smallest_to_the_largest(tmp_path, put, scene, bad_audit):
    for number, size in enumerate([(40, 50), (300, 200), (60, 60), (80, 40), (64, 64)] * 2):
        put(scene(number, size), tmp_path / ("rose", "tulip")[number % 2] / f"{number}.png")
    assert "; from 40 × 50 to 300 × 200 pixels, 60 × 60 in the middle" in str(audit_folder(tmp_path))
    assert "; from 80 × 60 to 900 × 700 pixels, 160 × 120 in the middle" in str(bad_audit)
