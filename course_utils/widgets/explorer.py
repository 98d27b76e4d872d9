"""explore: controls over something computed, and what comes of it. `look` computes, this file only asks.

    def look(temperature):
        return [Bars("Softened", …)]

    explore("Temperature", look, temperature=Slider("Temperature", [1, 2, 4, 8], 4))
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import traitlets as t

from course_utils.errors import CourseError, unknown_name
from course_utils.teaching.exhibits import Exhibit
from course_utils.widgets.panel import Panel, drawing, on_main_thread


@dataclass(frozen=True)
class Choice:
    """One of several: `options` are the values themselves, or {what is shown: value}."""

    kind: ClassVar[str] = "choice"

    label: str
    options: Sequence | Mapping[str, Any]
    value: Any = None                   # None is the first
    form: Callable[[Any], str] = str    # how a value is shown

    @property
    def values(self) -> list:
        return list(self.options.values() if isinstance(self.options, Mapping) else self.options)

    @property
    def texts(self) -> list[str]:
        return list(self.options if isinstance(self.options, Mapping) else map(self.form, self.options))

    def first(self) -> Any:
        return self.values[0] if self.value is None else self.value

    def taken(self, value: Any) -> Any:
        """What a learner typed, as one of the values.

        Raises:
            UnknownName: it is none of them.
        """
        if value in self.values:
            return value
        if value in self.texts:
            return self.values[self.texts.index(value)]
        raise unknown_name(self.label.lower(), str(value), self.texts)

    def from_browser(self, position: int) -> Any:
        return self.values[position]

    def drawn(self, value: Any) -> dict:
        return {"texts": self.texts, "value": self.values.index(value)}

    def said(self, value: Any) -> str:
        return self.texts[self.values.index(value)]


@dataclass(frozen=True)
class Slider(Choice):
    """One of several values in order, as `numpy.geomspace(1, 1000, 31)` gives them; moved by arrow keys."""

    kind: ClassVar[str] = "slider"

    form: Callable[[Any], str] = "{:g}".format


@dataclass(frozen=True)
class Switch:
    """On or off."""

    kind: ClassVar[str] = "switch"

    label: str
    value: bool = False

    def first(self) -> bool:
        return self.value

    def taken(self, value: Any) -> bool:
        return bool(value)

    from_browser = taken

    def drawn(self, value: bool) -> dict:
        return {"value": value}

    def said(self, value: bool) -> str:
        return "on" if value else "off"


@dataclass(frozen=True)
class Field:
    """A word or two that the learner types."""

    kind: ClassVar[str] = "field"

    label: str
    value: str = ""

    def first(self) -> str:
        return self.value

    def taken(self, value: Any) -> str:
        return str(value)[:200]

    from_browser = taken

    def drawn(self, value: str) -> dict:
        return {"value": value}

    def said(self, value: str) -> str:
        return f"“{value}”"


@dataclass(frozen=True)
class Upload:
    """A picture of the learner's own: `look` gets a PIL image, or None as long as there is none.

    It stays in the running kernel: nothing is stored, nothing leaves the machine. A button puts it away, and
    so does choosing in the control named in `instead_of`: there the learner has asked for another picture.
    """

    kind: ClassVar[str] = "upload"

    label: str
    value: Any = None
    instead_of: str = ""

    def first(self) -> Any:
        return self.value

    def taken(self, value: Any) -> Any:
        return value

    def from_browser(self, value: None) -> None:
        """Put away; what comes is never anything else, pictures come by `do_upload`."""

    def drawn(self, value: Any) -> dict:
        return {"there": value is not None}

    def said(self, value: Any) -> str:
        return "none yet" if value is None else f"{value.width} × {value.height} pixels"


Control = Choice | Slider | Switch | Field | Upload


class Explorer(Panel):
    """The values chosen, and the exhibits `look` makes of them."""

    _esm = drawing("explorer", "exhibits.js")

    title = t.Unicode().tag(sync=True)
    controls = t.List().tag(sync=True)      # of {name, kind, label, …}
    view = t.List().tag(sync=True)          # exhibits, as drawn

    def __init__(self, title: str, look: Callable[..., Sequence[Exhibit]], controls: Mapping[str, Control]):
        self.look, self.controlled = look, dict(controls)
        self.values = {name: control.first() for name, control in controls.items()}
        super().__init__(title=title)
        self._look()

    def set(self, **values: Any) -> Explorer:
        """Choose values without the mouse, as `explorer.set(temperature=4)`, and look again.

        Raises:
            UnknownName: no such control, or no such value.
        """
        for name, value in values.items():
            if name not in self.controlled:
                raise unknown_name("control", name, self.controlled)
            self.values[name] = self.controlled[name].taken(value)
        self._put_away(set(values))
        self._look()
        return self

    def do_set(self, name: str, value: Any) -> None:
        """A control was moved in the browser."""
        def work():
            self.values[name] = self.controlled[name].from_browser(value)
            self._put_away({name})
            self._look()
        on_main_thread(lambda: self.reply(work))

    def do_upload(self, name: str) -> None:
        """A picture was chosen in the browser; its bytes come beside the message."""
        from course_utils.pretrained import open_image

        file = io.BytesIO(bytes(self.buffers[0]))

        def work():
            self.values[name] = open_image(file)
            self._look()
        on_main_thread(lambda: self.reply(work))

    def _put_away(self, chosen: set[str]) -> None:
        """Uploads in whose place something was chosen just now."""
        for name, control in self.controlled.items():
            if isinstance(control, Upload) and control.instead_of in chosen and name not in chosen:
                self.values[name] = None

    def _look(self) -> None:
        self.seen = list(self.look(**self.values))
        self.controls = [{"name": name, "kind": control.kind, "label": control.label,
                          **control.drawn(self.values[name])} for name, control in self.controlled.items()]
        self.view = [exhibit.drawn() for exhibit in self.seen]

    def text(self) -> str:
        """The values chosen, then every exhibit in words."""
        chosen = [f"{control.label}: {control.said(self.values[name])}"
                  for name, control in self.controlled.items()]
        return "\n".join([self.title, *chosen, "", *(exhibit.text() for exhibit in self.seen)])


def explore(title: str, look: Callable[..., Sequence[Exhibit]], **controls: Control) -> Explorer:
    """Controls over something computed, and below them what comes of it.

    Args:
        title: what is explored.
        look: gets the value of each control by name and returns exhibits (`Bars`, `Chart`, `Pictures`,
            `Table`, `Words`). It runs at once, and anew whenever a control is moved: at most a second or two.
        controls: by the names of `look`'s parameters: `Slider`, `Choice`, `Switch`, `Field`, `Upload`.
    Raises:
        CourseError: there is nothing to choose.
    """
    if not controls:
        raise CourseError("explore needs at least one control, as "
                          'temperature=Slider("Temperature", [1, 2, 4]).')
    return Explorer(title, look, controls)


def show_exhibits(title: str, *exhibits: Exhibit) -> Explorer:
    """Exhibits with nothing to choose: a table, a chart, bars, pictures, words."""
    return Explorer(title, lambda: exhibits, {})
