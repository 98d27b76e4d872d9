"""Pretrained vision models: load them, prepare pictures for them, change their head, freeze and train them."""

from course_utils.pretrained.freezing import freeze, in_eval_mode, train_mode, unfreeze
from course_utils.pretrained.heads import count_parameters, find_head, replace_head
from course_utils.pretrained.measure import StepCost, step_cost
from course_utils.pretrained.models import load_model
from course_utils.pretrained.predicting import Prediction, top_k
from course_utils.pretrained.preparing import Preparation, preprocessing
from course_utils.pretrained.weights import Weights

__all__ = [
    "Prediction",
    "Preparation",
    "StepCost",
    "Weights",
    "count_parameters",
    "find_head",
    "freeze",
    "in_eval_mode",
    "load_model",
    "preprocessing",
    "replace_head",
    "step_cost",
    "top_k",
    "train_mode",
    "unfreeze",
]
