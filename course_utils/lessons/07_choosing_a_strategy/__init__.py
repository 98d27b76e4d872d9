"""Exercises of lesson 07, in the order of the notebook."""

from .decide_by_seeds import decide_by_seeds
from .draw_per_class import draw_per_class

EXERCISES = (draw_per_class, decide_by_seeds)
