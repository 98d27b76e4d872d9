"""What the learner sees and presses. Each has a text form, `.text()`, for where nothing can be drawn."""

import importlib

# Loaded when first asked for: importing this room brings neither torch nor ipywidgets. No module has the name
# of something public, because a submodule would take that name in this package.
_EXHIBITS = dict.fromkeys(("Bars", "Chart", "Line", "Picture", "Pictures", "Table", "Words"),
                          "course_utils.teaching.exhibits")
_HOMES = _EXHIBITS | {
    "Choice": "explorer",
    "Field": "explorer",
    "Slider": "explorer",
    "Switch": "explorer",
    "Upload": "explorer",
    "explore": "explorer",
    "flow": "network",
    "freeze_map": "network",
    "predictions": "picture",
    "progress": "dashboard",
    "show_exercise": "exercise",
    "show_figure": "figures",
    "show_pictures": "figures",
    "show_quiz": "quiz",
    "show_result": "result",
    "training_curves": "curves",
}
__all__ = list(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        home = _HOMES[name]
        return getattr(importlib.import_module(home if "." in home else f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
