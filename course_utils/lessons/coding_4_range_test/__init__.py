"""The pieces of a range test, in the order of the notebook."""

from .choose_a_rate import choose_a_rate
from .geometric_rates import geometric_rates
from .smooth_losses import smooth_losses
from .stop_in_time import stop_in_time

EXERCISES = (geometric_rates, smooth_losses, stop_in_time, choose_a_rate)
