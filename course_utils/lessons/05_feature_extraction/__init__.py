"""Exercises of lesson 05, in the order of the notebook."""

from .extract_features import extract_the_features
from .freeze_the_backbone import freeze_the_backbone
from .prepare_a_picture import prepare_a_picture
from .replace_the_head import replace_the_head

EXERCISES = (replace_the_head, freeze_the_backbone, extract_the_features, prepare_a_picture)
