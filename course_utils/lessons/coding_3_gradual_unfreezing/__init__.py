"""Gradual unfreezing in two pieces, in the order of the notebook."""

from .plan_the_steps import plan_the_steps
from .train_by_the_plan import train_by_the_plan

EXERCISES = (plan_the_steps, train_by_the_plan)
