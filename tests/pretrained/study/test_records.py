"""The file of a study: what is whole stays, whatever happens to the last line."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from course_utils.errors import CourseError
from course_utils.pretrained.study.plan import Row
from course_utils.pretrained.study.records import Record, StudyFile

HOLDS = """
import sys, time
from course_utils.pretrained.study.records import StudyFile
with StudyFile(sys.argv[1]).held():
    print("held", flush=True)
    time.sleep(60)
"""


def record(seed: int = 0, **fields) -> Record:
    row = Row(seed, 0.5, "faces", "efficientnet_lite0", "probe", 32, 1, 0.0, True)
    usual = {"pictures": "abc", "n_train": 60, "n_test": 40, "accuracy": 0.9, "low": 0.8, "high": 0.95,
             "loss": 0.3, "seconds": 1.5, "peak_mib": 900, "images_per_second": 40.0}
    return Record(row=row, **usual | fields)


@pytest.fixture
def file(tmp_path):
    return StudyFile(tmp_path / "study.jsonl")


def test_what_is_added_is_read_back(file):
    file.add_plan({"rows": []})
    file.add(record(0)), file.add(record(1))
    assert list(file.read().records.values()) == [record(0), record(1)]
    assert file.read().plan == {"rows": []}


def test_where_there_is_no_file_there_is_nothing(file):
    assert file.read().records == {} and not file.path.exists()


def test_torn_at_any_byte_only_the_last_line_is_lost_and_the_next_is_whole(file):
    file.add(record(0))
    first = file.path.stat().st_size
    file.add(record(1))
    content = file.path.read_bytes()
    for length in range(first, len(content)):
        file.path.write_bytes(content[:length])
        kept = [r.row.seed for r in file.read().records.values()]
        assert kept == ([0, 1] if length == len(content) - 1 else [0])       # only the line's end is missing
        file.add(record(2))
        assert [r.row.seed for r in file.read().records.values()] == [*kept, 2]


def test_torn_twice_while_the_plan_was_written_it_goes_on(file):
    """Killed in its first line, run again and killed there again: still a study, with nothing in it yet."""
    file.add_plan({"steps": 20})
    [line] = file.path.read_bytes().splitlines()
    for length in range(1, len(line)):
        file.path.write_bytes(line[:length])
        file.add_plan({"steps": 20})
        file.path.write_bytes(file.path.read_bytes()[:-2])
        assert not file.read().plans
        file.add_plan({"steps": 20}), file.add(record(0))
        assert len(file.read().plans) == 1 and len(file.read().records) == 1


def test_a_file_of_something_else_is_refused_though_its_lines_look_alike(file):
    """The twin: whole lines that are no runs were not torn."""
    file.path.write_text('{"run": {"of": "another"}}\n{"run": {"program": 1}}\n')
    with pytest.raises(CourseError, match="is no study"):
        file.read()


def test_of_two_records_for_one_run_the_first_counts(file):
    file.add(record(accuracy=0.9)), file.add(record(accuracy=0.1))
    assert [r.accuracy for r in file.read().records.values()] == [0.9]


def test_a_run_on_other_pictures_is_another_run(file):
    file.add(record()), file.add(record(pictures="other"))
    assert len(file.read().records) == 2


@pytest.mark.parametrize("line", ['{"run": {}}', "[]", "null", '{"run": 1}', "garbage", '{"plan": 3}', "{"])
def test_a_line_that_is_none_is_counted_and_passed_over(file, line):
    file.add(record())
    with file.path.open("a") as text:
        text.write(line + "\n")
    assert file.read().unreadable == 1 and len(file.read().records) == 1


def test_a_file_that_is_no_study_is_refused_unchanged(file):
    file.path.write_text("Dear diary,\ntoday I rested.\n")
    with pytest.raises(CourseError, match="is no study"):
        file.read()
    assert file.path.read_text() == "Dear diary,\ntoday I rested.\n"


def test_two_programs_do_not_run_one_study(file):
    other = subprocess.Popen([sys.executable, "-c", HOLDS, str(file.path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(CourseError, match="Another program"), file.held():
            pass
    finally:
        other.kill()
        other.wait()
    with file.held():       # one that was killed lets go
        pass


def test_a_full_disk_is_said_and_what_was_there_stays(file):
    file.add(record(0))
    size = file.path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(CourseError, match="cannot be written"):
            file.add(record(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(file.read().records.values()) == [record(0)]
