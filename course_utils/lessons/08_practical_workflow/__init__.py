"""Exercises of lesson 08, in the order of the notebook."""

from .split_by_group import split_by_group
from .validate_a_model import validate_a_model

EXERCISES = (split_by_group, validate_a_model)
