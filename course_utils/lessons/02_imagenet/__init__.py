"""Exercises of lesson 02, in the order of the notebook."""

from .top5_error import top5_error  # isort: skip
from .branch_probability import branch_probability  # isort: skip

EXERCISES = (top5_error, branch_probability)
