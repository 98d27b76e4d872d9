"""Gradual unfreezing in two pieces, in the order of the notebook."""

from .plan_the_steps import plan_the_steps  # isort: skip
from .train_by_the_plan import train_by_the_plan  # isort: skip

EXERCISES = (plan_the_steps, train_by_the_plan)
