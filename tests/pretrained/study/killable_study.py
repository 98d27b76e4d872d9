"""A study to be killed: `python killable_study.py FILE`. See test_killed."""

import sys

from course_utils.pretrained.study.study import Study
from tests.pretrained.study.conftest import SMALL

if __name__ == "__main__":
    plan = {**SMALL, "strategies": ["probe", "partial"], "seeds": [0, 1, 2]}
    Study(sys.argv[1], **plan).run(workers=1)
