"""What the learner sees and presses. Each has a text form, `.text()`, for where nothing can be drawn."""

import importlib

# Loaded when first asked for: importing this room brings neither torch nor ipywidgets. No module has the name
# of something public, because a submodule would take that name in this package.
_EXHIBITS = dict.fromkeys(("Bars", "Chart", "Code", "Line", "Picture", "Pictures", "Table", "Words"),
                          "course_utils.teaching.exhibits")
_HOMES = _EXHIBITS | {
    "Choice": "explorer",
    "Field": "explorer",
    "Slider": "explorer",
    "Switch": "explorer",
    "Upload": "explorer",
    "architecture": "layers",
    "branch_view": "branches",
    "cost_calculator": "costs",
    "calibration_plot": "errors_seen",
    "compare_recipes": "recipes",
    "confusion_explorer": "errors_seen",
    "explore": "explorer",
    "export_progress": "report",
    "feature_map": "feature_space",
    "similar_pictures": "feature_space",
    "task_balance": "feature_space",
    "flow": "network",
    "freeze_map": "network",
    "imagenet_timeline": "timeline",
    "label_explorer": "labels",
    "layer_views": "depths",
    "loader_switch": "loaders",
    "loss_path": "loss_line",
    "learning_curve_lab": "strategies",
    "mistake_lab": "mistakes",
    "model_chooser": "uses",
    "model_zoo": "zoo",
    "not_right_yet": "exercise",
    "predictions": "picture",
    "progress": "dashboard",
    "rate_plot": "rates",
    "score_by_objective": "report",
    "show_exercise": "exercise",
    "show_exhibits": "explorer",
    "show_figure": "figures",
    "show_pictures": "figures",
    "show_quiz": "quiz",
    "show_result": "result",
    "strategy_chooser": "strategies",
    "study_curves": "studying",
    "temperature": "softening",
    "trade_offs": "softening",
    "training_curves": "curves",
    "upload_demo": "errors_seen",
    "walkthrough": "listing",
    "watch_study": "studying",
}
__all__ = list(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        home = _HOMES[name]
        return getattr(importlib.import_module(home if "." in home else f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
