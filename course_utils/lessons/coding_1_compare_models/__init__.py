"""A comparison of models in two pieces, in the order of the notebook."""

from .a_row_for_each import a_row_for_each
from .best_within import best_within

EXERCISES = (a_row_for_each, best_within)
