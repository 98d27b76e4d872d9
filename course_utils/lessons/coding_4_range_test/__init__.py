"""The pieces of a range test, in the order of the notebook."""

from .geometric_rates import geometric_rates  # isort: skip
from .smooth_losses import smooth_losses  # isort: skip
from .stop_in_time import stop_in_time  # isort: skip
from .choose_a_rate import choose_a_rate  # isort: skip

EXERCISES = (geometric_rates, smooth_losses, stop_in_time, choose_a_rate)
