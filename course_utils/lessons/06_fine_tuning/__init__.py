"""Exercises of lesson 06, in the order of the notebook."""

from .gradual_unfreezing import gradual_unfreezing
from .range_test import range_test
from .rates_by_depth import rates_by_depth

EXERCISES = (range_test, rates_by_depth, gradual_unfreezing)
