"""The pieces of a feature-extraction pipeline, in the order of the notebook."""

from .stratified_split import stratified_split  # isort: skip
from .prepare_twice import prepare_twice  # isort: skip
from .train_one_epoch import train_one_epoch  # isort: skip
from .stop_early import stop_early  # isort: skip
from .save_whole import save_whole  # isort: skip

EXERCISES = (stratified_split, prepare_twice, train_one_epoch, stop_early, save_whole)
