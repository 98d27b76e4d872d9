"""What the learner sees and presses. Each has a text form, `.text()`, for where nothing can be drawn."""

import importlib

# Loaded when first asked for: importing this room brings neither torch nor ipywidgets. No module has the name
# of something public, because a submodule would take that name in this package.
_HOMES = {
    "flow": "network",
    "freeze_map": "network",
    "predictions": "picture",
    "progress": "dashboard",
    "show_exercise": "exercise",
    "show_figure": "figures",
    "show_pictures": "figures",
    "show_quiz": "quiz",
    "training_curves": "curves",
}
__all__ = list(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
