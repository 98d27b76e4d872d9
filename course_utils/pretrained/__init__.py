"""Pretrained vision models: load them, prepare pictures for them, give them a new head, freeze and train."""

from course_utils.pretrained.catalogue import catalogue, pareto
from course_utils.pretrained.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from course_utils.pretrained.data import load_dataset
from course_utils.pretrained.distillation import distillation_loss
from course_utils.pretrained.evaluation import evaluate
from course_utils.pretrained.export import Export, export
from course_utils.pretrained.features import Features, extract_features
from course_utils.pretrained.freezing import (
    freeze,
    freeze_report,
    in_eval_mode,
    parameter_groups,
    train_mode,
    unfreeze,
)
from course_utils.pretrained.groups import LayerGroup, layer_groups
from course_utils.pretrained.heads import count_parameters, find_head, replace_head
from course_utils.pretrained.history import Epoch, History
from course_utils.pretrained.images import DataCard, ImageData, Images
from course_utils.pretrained.learning_rate import LRCurve, find_learning_rate
from course_utils.pretrained.measure import Latency, Measurement, StepCost, measure, step_cost
from course_utils.pretrained.metrics import Metrics
from course_utils.pretrained.models import load_model
from course_utils.pretrained.neighbours import Neighbours, nearest_neighbours
from course_utils.pretrained.partial import fit_tail
from course_utils.pretrained.pictures import open_image
from course_utils.pretrained.predicting import Prediction, top_k
from course_utils.pretrained.preparing import Preparation, preprocessing
from course_utils.pretrained.probe import Probe, linear_probe
from course_utils.pretrained.similarity import measure_similarity
from course_utils.pretrained.strategy import Recommendation, recommend_strategy
from course_utils.pretrained.training import fit
from course_utils.pretrained.weights import Weights

__all__ = [
    "Checkpoint",
    "DataCard",
    "Epoch",
    "Export",
    "Features",
    "History",
    "ImageData",
    "Images",
    "LRCurve",
    "Latency",
    "LayerGroup",
    "Measurement",
    "Metrics",
    "Neighbours",
    "Prediction",
    "Preparation",
    "Probe",
    "Recommendation",
    "StepCost",
    "Weights",
    "catalogue",
    "count_parameters",
    "distillation_loss",
    "evaluate",
    "export",
    "extract_features",
    "find_head",
    "find_learning_rate",
    "fit",
    "fit_tail",
    "freeze",
    "freeze_report",
    "in_eval_mode",
    "layer_groups",
    "linear_probe",
    "load_checkpoint",
    "load_dataset",
    "load_model",
    "measure",
    "measure_similarity",
    "nearest_neighbours",
    "open_image",
    "parameter_groups",
    "pareto",
    "preprocessing",
    "recommend_strategy",
    "replace_head",
    "save_checkpoint",
    "step_cost",
    "top_k",
    "train_mode",
    "unfreeze",
]
