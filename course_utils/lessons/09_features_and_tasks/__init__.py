"""Exercises of lesson 09, in the order of the notebook."""

from .catch_the_outputs import catch_the_outputs
from .find_the_most_similar import find_the_most_similar

EXERCISES = (catch_the_outputs, find_the_most_similar)
