"""Exercises of lesson 01, in the order of the notebook."""

from .measure_the_distance import measure_the_distance
from .walk_the_line import walk_the_line

EXERCISES = (measure_the_distance, walk_the_line)
