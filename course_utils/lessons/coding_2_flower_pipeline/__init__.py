"""The pieces of a feature-extraction pipeline, in the order of the notebook."""

from .prepare_twice import prepare_twice
from .save_whole import save_whole
from .stop_early import stop_early
from .stratified_split import stratified_split
from .train_one_epoch import train_one_epoch

EXERCISES = (stratified_split, prepare_twice, train_one_epoch, stop_early, save_whole)
