"""Exercises of lesson 11, in the order of the notebook."""

from .bytes_to_train import bytes_to_train  # isort: skip
from .choose_within_limits import choose_within_limits  # isort: skip

EXERCISES = (bytes_to_train, choose_within_limits)
