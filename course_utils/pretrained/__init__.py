"""Pretrained vision models: load them, prepare pictures for them, give them a new head, freeze and train."""

from course_utils.pretrained.audit.auditing import Audit, audit_folder
from course_utils.pretrained.audit.findings import Case, Finding
from course_utils.pretrained.data.datasets import load_dataset
from course_utils.pretrained.data.images import DataCard, ImageData, Images
from course_utils.pretrained.data.pictures import open_image
from course_utils.pretrained.data.preparing import Preparation, preprocessing
from course_utils.pretrained.features.extraction import Features, extract_features
from course_utils.pretrained.features.neighbours import Neighbours, nearest_neighbours
from course_utils.pretrained.features.probe import Probe, linear_probe
from course_utils.pretrained.features.similarity import measure_similarity
from course_utils.pretrained.inference.evaluation import evaluate
from course_utils.pretrained.inference.measure import Latency, Measurement, StepCost, measure, step_cost
from course_utils.pretrained.inference.metrics import Metrics
from course_utils.pretrained.inference.predicting import Prediction, top_k
from course_utils.pretrained.models.catalogue import catalogue, pareto
from course_utils.pretrained.models.freezing import (
    freeze,
    freeze_report,
    in_eval_mode,
    parameter_groups,
    train_mode,
    unfreeze,
)
from course_utils.pretrained.models.groups import LayerGroup, layer_groups
from course_utils.pretrained.models.heads import count_parameters, find_head, replace_head
from course_utils.pretrained.models.imagenet import Synset, imagenet_synsets, imagenet_tree
from course_utils.pretrained.models.loading import load_model
from course_utils.pretrained.models.weights import Weights
from course_utils.pretrained.saving.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from course_utils.pretrained.saving.export import Export, export
from course_utils.pretrained.saving.history import Epoch, History
from course_utils.pretrained.study.own_folder import OwnModel, study_folder
from course_utils.pretrained.study.study import Study
from course_utils.pretrained.training.distillation import distillation_loss
from course_utils.pretrained.training.learning_rate import LRCurve, find_learning_rate
from course_utils.pretrained.training.loop import fit
from course_utils.pretrained.training.partial import fit_tail
from course_utils.pretrained.training.strategy import Recommendation, recommend_strategy

__all__ = [
    "Audit", "Case", "Checkpoint", "DataCard", "Epoch", "Export", "Features", "Finding", "History",
    "ImageData", "Images", "LRCurve", "Latency", "LayerGroup", "Measurement", "Metrics", "Neighbours",
    "OwnModel", "Prediction", "Preparation", "Probe", "Recommendation", "StepCost", "Study", "Synset",
    "Weights", "audit_folder", "catalogue", "count_parameters", "distillation_loss", "evaluate", "export",
    "extract_features", "find_head", "find_learning_rate", "fit", "fit_tail", "freeze", "freeze_report",
    "imagenet_synsets", "imagenet_tree", "in_eval_mode", "layer_groups", "linear_probe",
    "load_checkpoint", "load_dataset", "load_model", "measure", "measure_similarity",
    "nearest_neighbours", "open_image", "parameter_groups", "pareto", "preprocessing",
    "recommend_strategy", "replace_head", "save_checkpoint", "step_cost", "study_folder", "top_k",
    "train_mode", "unfreeze",
]
