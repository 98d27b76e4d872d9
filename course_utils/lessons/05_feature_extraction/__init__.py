"""Exercises of lesson 05, in the order of the notebook."""

from .replace_the_head import replace_the_head  # isort: skip
from .freeze_the_backbone import freeze_the_backbone  # isort: skip
from .extract_features import extract_the_features  # isort: skip
from .prepare_a_picture import prepare_a_picture  # isort: skip

EXERCISES = (replace_the_head, freeze_the_backbone, extract_the_features, prepare_a_picture)
