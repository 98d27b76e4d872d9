"""Exercises of lesson 02, in the order of the notebook."""

from .branch_probability import branch_probability
from .top5_error import top5_error

EXERCISES = (top5_error, branch_probability)
