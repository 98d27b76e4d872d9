"""Exercises of lesson 10, in the order of the notebook."""

from .write_the_loss import write_the_loss  # isort: skip
from .teach_a_batch import teach_a_batch  # isort: skip

EXERCISES = (write_the_loss, teach_a_batch)
