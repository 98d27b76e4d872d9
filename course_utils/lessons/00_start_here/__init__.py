"""Exercises of lesson 00, in the order of the notebook."""

from .read_a_prediction import read_a_prediction
from .scores_to_probabilities import scores_to_probabilities

EXERCISES = (read_a_prediction, scores_to_probabilities)
