"""The proposed split: no picture leaks, every class is in every part, and it is the same every time."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.errors import BadData, CourseError
from course_utils.pretrained import ImageData, audit_folder, load_dataset
from course_utils.pretrained.audit.auditing import Audit
from course_utils.pretrained.audit.proposing import Picture

PARTS = ("train", "val", "test")


def parts_of(data: ImageData) -> dict[str, list[str]]:
    return {"train": data.train.paths, "val": data.val.paths, "test": data._test.paths}


def audit_of(groups: list[tuple[str, int]], splits: list[str] | None = None) -> Audit:
    """An audit of made-up pictures: for each group its class and how many there are of it."""
    pictures = []
    for number, (label, count) in enumerate(groups):
        for copy in range(count):
            split = splits[(number + copy) % len(splits)] if splits else "train"
            path = f"{split}/{label}/{number}-{copy}.jpg"
            pictures.append(Picture(path, split, label, (64, 64), number, False))
    return Audit("/nowhere", splits is not None, {}, (), tuple(pictures))


SMALL = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), min_size=30, max_size=120)


@settings(max_examples=100, deadline=None)
@given(groups=SMALL, seed=st.integers(0, 100))
def test_copies_stay_together_and_every_class_is_everywhere(groups, seed):
    audit = audit_of(groups)
    enough = {label for label, count in Counter(label for label, _ in groups).items() if count > 2}
    if len(enough) < 2:
        with pytest.raises(BadData):
            audit.propose_split(seed=seed)
        return
    data = audit.propose_split(seed=seed)
    where = defaultdict(set)
    for part, paths in parts_of(data).items():
        for path in paths:
            where[path.rpartition("/")[2].split("-")[0]].add(part)
    assert all(len(parts) == 1 for parts in where.values())
    assert set(data.classes) == enough
    for part in (data.train, data.val, data._test):
        assert set(part.labels) == set(range(len(enough)))
    assert sum(map(len, parts_of(data).values())) == sum(c for label, c in groups if label in enough)


def test_without_copies_the_shares_are_exact_and_those_of_load_dataset(tmp_path, make):
    make(tmp_path, {"rose": 20, "tulip": 40})
    data = audit_folder(tmp_path).propose_split()
    assert data.card.counts == {"train": 42, "val": 9, "test": 9}
    loaded = load_dataset(f"folder:{tmp_path}")
    assert {part: sorted(paths) for part, paths in parts_of(data).items()} == {
        part: sorted(paths) for part, paths in parts_of(loaded).items()}


def test_another_share_and_another_seed():
    audit = audit_of([(label, 1) for label in "ab" for _ in range(50)])
    data = audit.propose_split({"test": 0.3, "val": 0.1})
    assert data.card.counts == {"train": 60, "val": 10, "test": 30}
    assert parts_of(audit.propose_split()) == parts_of(audit.propose_split())
    assert parts_of(audit.propose_split()) != parts_of(audit.propose_split(seed=1))


def test_a_large_group_goes_to_train():
    """Half of the class is one picture over and over: it would fill val or test, and leave no share."""
    audit = audit_of([("a", 1)] * 50 + [("b", 30)] + [("b", 1)] * 30)
    for seed in range(10):
        data = audit.propose_split(seed=seed)
        own = {part: sum("/b/" in path for path in paths) for part, paths in parts_of(data).items()}
        assert own["train"] == 52 and own["val"] == own["test"] == 4


@settings(max_examples=100, deadline=None)
@given(groups=SMALL, seed=st.integers(0, 100), splits=st.sampled_from(
    [["train", "val", "test"], ["train", "test"], ["train", "val"]]))
def test_splits_are_kept_and_leaks_are_left_out_of_train(groups, seed, splits):
    audit = audit_of(groups, splits)
    try:
        data = audit.propose_split(seed=seed)
    except BadData:
        return                                      # too few are left of some class
    seen = defaultdict(set)
    for part, paths in parts_of(data).items():
        for path in paths:
            seen[path.rpartition("/")[2].split("-")[0]].add(part)
            kept = path.split("/")[2]
            assert kept == part or (kept == "train" and part not in splits)
    assert all(len(parts) == 1 for parts in seen.values())
    held = [p for p in audit.pictures if p.split == "test" and p.label in data.classes]
    if "test" in splits:
        assert len(parts_of(data)["test"]) == len(held), "of the split that matters most, nothing is left out"


def test_the_leaking_picture_is_left_out_of_train_and_the_card_says_so(tmp_path, make):
    make(tmp_path, {f"{split}/{name}": 5 for split in PARTS for name in ("rose", "tulip")})
    leak = sorted((tmp_path / "test/rose").iterdir())[0]
    shutil.copy(leak, tmp_path / "train/rose/copy.jpg")
    data = audit_folder(tmp_path).propose_split()
    assert data.card.counts == {"train": 10, "val": 10, "test": 10}
    assert not any(path.endswith("copy.jpg") for path in data.train.paths)
    assert "Left out: 1 picture with a copy in a split that measures" in data.card.description
    assert any(path.endswith("copy.jpg") for path in load_dataset(f"folder:{tmp_path}").train.paths)


def test_a_missing_split_is_cut_off_train_alone(tmp_path, make):
    make(tmp_path, {"train/rose": 20, "train/tulip": 20, "test/rose": 5, "test/tulip": 5})
    data = audit_folder(tmp_path).propose_split()
    assert data.card.counts == {"train": 34, "val": 6, "test": 10}
    assert "no folder for val, so 15 % of every class for val were cut off" in data.card.description


def test_the_card_says_what_only_the_reader_can_know(tmp_path, make):
    card = audit_folder(make(tmp_path, {"rose": 5, "tulip": 5})).propose_split().card
    assert "the same object, patient or day" in card.description and card.kind == "your pictures"
    assert card.title == tmp_path.name and "seed 0" in card.description


@pytest.mark.parametrize("shares", [{"val": 0}, {"val": -0.1}, {"test": 1.2}, {"val": 0.6, "test": 0.4},
                                    {"dev": 0.1}, {"val": "0.1"}])
def test_shares_that_are_none_are_refused_in_words(shares):
    with pytest.raises(CourseError, match="above 0"):
        audit_of([("a", 1), ("b", 1)] * 9).propose_split(shares)


def test_what_is_nearly_alike_to_a_file_in_two_classes_is_left_out_as_well():
    """Nobody knows which class is right, for the smaller copy neither."""
    sure = [Picture(f"{label}/{n}.jpg", "train", label, (9, 9), 10 * n + (label == "b"), False)
            for label in "ab" for n in range(5)]
    doubtful = [Picture("a/x.jpg", "train", "a", (9, 9), 99, True),
                Picture("b/x.jpg", "train", "b", (9, 9), 99, True),
                Picture("a/smaller.jpg", "train", "a", (5, 5), 99, False)]
    data = Audit("/nowhere", False, {}, (), (*sure, *doubtful)).propose_split()
    assert not any(name in path for paths in parts_of(data).values() for path in paths
                   for name in ("x.jpg", "smaller"))
    assert "3 pictures" in data.card.description
