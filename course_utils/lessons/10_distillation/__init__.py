"""Exercises of lesson 10, in the order of the notebook."""

from .teach_a_batch import teach_a_batch
from .write_the_loss import write_the_loss

EXERCISES = (write_the_loss, teach_a_batch)
