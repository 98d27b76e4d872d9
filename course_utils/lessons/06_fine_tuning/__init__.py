"""Exercises of lesson 06, in the order of the notebook."""

from .range_test import range_test  # isort: skip
from .rates_by_depth import rates_by_depth  # isort: skip
from .gradual_unfreezing import gradual_unfreezing  # isort: skip

EXERCISES = (range_test, rates_by_depth, gradual_unfreezing)
