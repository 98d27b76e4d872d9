"""A study does what is missing, once; what goes wrong in one run does not end the others."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from course_utils.errors import CourseError, UnknownName
from course_utils.pretrained import Study
from course_utils.pretrained.study import strategies
from tests.pretrained.study.conftest import FOUND


def test_a_study_runs_once_and_then_has_nothing_to_do(small):
    study, seen = small(strategies=["probe", "lp-ft"], seeds=[0]), []
    results = study.run(workers=2, on_result=lambda so_far: seen.append(len(so_far)))
    assert seen == [1, 2, 3, 4] and len(results) == 4 and not study.missing()
    assert (results["seconds"] > 0).all() and (results["cost"] > 0).all()
    size = Path(study.path).stat().st_size
    assert study.run(on_result=lambda so_far: pytest.fail("ran again"))[FOUND].equals(results[FOUND])
    assert Path(study.path).stat().st_size == size
    assert "4 of 4 runs done" in repr(study)


def test_a_plan_can_grow_and_only_what_is_new_is_run(small):
    first = small(seeds=[0]).run()
    seen = []
    grown = small(seeds=[0, 1])
    assert len(grown.missing()) == 2
    results = grown.run(on_result=lambda so_far: seen.append(len(so_far)))
    assert seen == [3, 4] and results[results["seed"] == 0][FOUND].equals(first[FOUND])


def test_a_study_is_opened_with_its_plan(small):
    study = small(question="Which?", hypothesis="The probe.", price=2.0)
    study.run()
    opened = Study.open(study.path)
    assert opened.rows == study.rows and opened.results().equals(study.results())
    assert (opened.question, opened.hypothesis, opened.price) == ("Which?", "The probe.", 2.0)
    assert [card.name for card in opened.cards()] == ["faces"]


def test_where_there_is_no_study_none_is_opened(tmp_path):
    with pytest.raises(CourseError, match="no study"):
        Study.open(tmp_path / "none.jsonl")


@pytest.mark.parametrize("wrong, kind", [({"backbones": ["efficientnet_lite9"]}, UnknownName),
                                         ({"datasets": ["face"]}, UnknownName)])
def test_what_does_not_exist_is_said_before_anything_runs(small, wrong, kind):
    study = small(**wrong)
    with pytest.raises(kind, match=r"efficientnet_lite0|faces"):
        study.run()
    assert not study.results().size


def noise(side: int) -> bytes:
    """A PNG that is long enough to be cut."""
    file = io.BytesIO()
    Image.effect_noise((side, side), 80).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Dark and light squares, eight of each to learn from."""
    for split, count in [("train", 8), ("val", 3), ("test", 3)]:
        for name, light in [("dark", 0), ("light", 200)]:
            (tmp_path / "own" / split / name).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (40, 40), (light, light, 5 * number)).save(
                    tmp_path / "own" / split / name / f"{number}.png")
    return tmp_path / "own"


def test_a_data_set_that_vanishes_half_way_loses_only_its_own_runs(small, folder, capsys):
    study = small(datasets=[f"folder:{folder}", "faces"], shares=[1.0], seeds=[0, 1])

    def vanish(so_far):
        if folder.exists():
            shutil.move(folder, folder.with_name("elsewhere"))

    results = study.run(workers=1, on_result=vanish)
    assert set(results[results["dataset"] == "faces"]["seed"]) == {0, 1}
    assert len(study.failures) == len(study.missing()) > 0
    said = capsys.readouterr().out
    assert "could not be done" in said and "does not exist" in said
    shutil.move(folder.with_name("elsewhere"), folder)
    assert len(study.run(workers=1)) == 4 and not study.failures


def test_results_on_other_pictures_do_not_count(small, folder):
    study = small(datasets=[f"folder:{folder}"], shares=[1.0], seeds=[0])
    assert len(study.run(workers=1)) == 1
    Image.new("RGB", (40, 50)).save(folder / "train" / "dark" / "0.png")
    study.run(workers=1)
    assert len(study.results()) == 1 and len(study._file.read().records) == 2


def test_a_picture_that_cannot_be_read_is_named(small, folder):
    (folder / "test" / "dark" / "1.png").write_bytes(noise(80)[:-2000])
    with pytest.raises(CourseError, match=r"1\.png"):
        small("another.jsonl", datasets=[f"folder:{folder}"], shares=[1.0], seeds=[1]).run(workers=1)


def test_one_data_set_that_cannot_be_read_does_not_keep_the_others_from_running(small, folder, capsys):
    (folder / "test" / "dark" / "1.png").write_bytes(noise(80)[:-2000])
    study = small(datasets=[f"folder:{folder}", "faces"], shares=[1.0], seeds=[0])
    assert list(study.run(workers=1)["dataset"]) == ["faces"]
    assert len(study.failures) == 1 and "1.png" in capsys.readouterr().out


def test_half_a_training_is_no_result(small, monkeypatch):
    """Ctrl-C in the midst of `fit`, which keeps what is done: the study must not take that for a run."""
    def stop(epoch):
        raise KeyboardInterrupt

    train = strategies.fit
    monkeypatch.setattr(strategies, "fit", lambda *given, **named: train(*given, **named, on_epoch=stop))
    study = small(strategies=["full"], shares=[1.0], seeds=[0])
    with pytest.raises(KeyboardInterrupt):
        study.run(workers=1)
    assert len(study.missing()) == 1
    monkeypatch.undo()
    assert len(study.run(workers=1)) == 1


def test_progress_is_shown_with_the_time_left(small, capsys):
    small(seeds=[0]).run(workers=1)
    assert re.search(r"Study: +50%.*1/2 \[\d\d:\d\d<\d\d:\d\d", capsys.readouterr().err)


def test_features_that_runs_share_are_counted_by_themselves(small):
    study = small(seeds=[0])
    study.run(workers=1)
    [shared] = study.extractions()
    assert (shared["dataset"], shared["size"]) == ("faces", 32) and shared["seconds"] > 0


def test_lines_that_cannot_be_read_are_said(small, capsys):
    study = small(seeds=[0])
    study.run(workers=1)
    file = Path(study.path)
    file.write_text(file.read_text().replace('"peak_mib"', '"peak_mb"', 1))
    study.run(workers=1)
    assert "1 line of" in capsys.readouterr().out and not study.missing()


def test_a_plan_of_another_version_is_refused_in_words(small):
    study = small(seeds=[0])
    study._file.add_plan({"rows": [{"seed": 0}], "question": "", "hypothesis": "", "price": 1})
    with pytest.raises(CourseError, match=r"another version of the course .* another name"):
        Study.open(study.path)


# What is lacking

def test_a_study_says_what_a_reader_would_miss(small):
    study = small(seeds=[0], strategies=["full"])
    said = "\n".join(study.lacking())
    assert all(words in said for words in ("a question", "a hypothesis", "2 of 2 runs", "seeds: 1",
                                           "one strategy, full", "the strategy 'probe'"))


def test_one_that_is_complete_lacks_nothing_whatever_came_out(small):
    plan = {"strategies": ["probe", "lp-ft"], "shares": [0.2], "seeds": [0, 1, 2]}
    study = small(question="Which?", hypothesis="The probe.", **plan)
    study.run(workers=1)
    assert study.lacking() == []


def test_a_hypothesis_that_came_after_the_runs_is_known_as_one(small):
    before = small(seeds=[0], hypothesis="The probe.")
    before.run(workers=1)
    after = small(seeds=[0], hypothesis="Whatever came out.")
    after.run(workers=1)
    assert (before.runs_before_hypothesis(), after.runs_before_hypothesis()) == (0, 2)
    assert any("came after 2" in words for words in after.lacking())
