"""Exercises of lesson 03, in the order of the notebook."""

from .compare_models import compare_models
from .parameters_by_part import parameters_by_part

EXERCISES = (compare_models, parameters_by_part)
