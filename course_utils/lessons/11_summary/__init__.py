"""Exercises of lesson 11, in the order of the notebook."""

from .bytes_to_train import bytes_to_train
from .choose_within_limits import choose_within_limits

EXERCISES = (choose_within_limits, bytes_to_train)
