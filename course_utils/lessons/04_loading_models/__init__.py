"""Exercises of lesson 04, in the order of the notebook."""

from .inference_done_right import inference_done_right
from .load_weights_safely import load_weights_safely

EXERCISES = (inference_done_right, load_weights_safely)
