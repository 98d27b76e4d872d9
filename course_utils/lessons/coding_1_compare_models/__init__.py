"""A comparison of models in two pieces, in the order of the notebook."""

from .a_row_for_each import a_row_for_each  # isort: skip
from .best_within import best_within  # isort: skip

EXERCISES = (a_row_for_each, best_within)
