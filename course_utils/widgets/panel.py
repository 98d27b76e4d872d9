"""Panel: what every widget of the course shares. State here, drawing in a .js beside.

State flows one way, from Python to the browser, as synchronised traits. What a learner does comes back as a
message, `{"do": "answer", …}`, to the method `do_answer`: only those methods can be reached.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.resources import files

import anywidget
import traitlets as t
from IPython import get_ipython

HERE = files("course_utils.widgets")


def drawing(name: str, *shared: str) -> str:
    """One module for the browser: what all drawings share, what some share, then one widget's own."""
    files_in_order = ("dom.js", *shared, f"{name}.js")
    return "\n".join(HERE.joinpath(file).read_text(encoding="utf-8") for file in files_in_order)


def on_main_thread(work: Callable[[], None]) -> None:
    """Do `work` now, or, where a message came on a thread of its own, once the running cell has ended.

    JupyterLab sends messages to a subshell, another thread, so that they arrive while a cell runs. Code that
    uses a learner's model, or needs a time limit, must not run beside that cell.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None or threading.current_thread() is threading.main_thread():
        work()
    else:
        kernel.io_loop.add_callback(work)


def _receive_while_busy(comm) -> None:
    """Let messages arrive on the thread that the browser chose for them, a subshell where there are any.

    ipykernel 7.4 hands them to the thread that last changed the widget instead. That is the one running the
    cell, so Stop would be heard when there is nothing left to stop. Other versions lack this method.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, chosen: chosen


class Panel(anywidget.AnyWidget):
    """A widget with a text form, for terminals, exported notebooks and editors without widgets."""

    _css = HERE.joinpath("theme.css").read_text(encoding="utf-8")

    replies = t.Int(0).tag(sync=True)         # how many messages were dealt with: the browser waits for it
    trouble = t.Unicode("").tag(sync=True)    # what went wrong with the last one, for the learner to read

    def __init__(self, **state):
        super().__init__(**state)
        _receive_while_busy(self.comm)
        self.on_msg(self._heard)

    def text(self) -> str:
        """All that the widget shows, in words."""
        raise NotImplementedError

    def _heard(self, _widget, message: dict, buffers) -> None:
        self.buffers = buffers          # of the message that is dealt with
        method = getattr(self, f"do_{message.get('do')}", None)
        if method is None:
            raise ValueError(f"{type(self).__name__} knows no message {message!r}")
        method(**{name: value for name, value in message.items() if name != "do"})

    def reply(self, work: Callable[[], None]) -> None:
        """Do `work`, which changes the state, and tell the browser that it is done, or why it is not."""
        self.trouble = ""
        try:
            work()
        except Exception as error:      # an exception in a message would be seen by nobody
            self.trouble = f"That did not work. {type(error).__name__}: {error}"
        self.replies += 1

    def __str__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return data | {"text/plain": self.text()}, metadata
