"""What every widget keeps to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import course_utils.widgets
from course_utils.pretrained import Prediction
from course_utils.widgets import predictions, show_quiz

ROOM = Path(course_utils.widgets.__file__).parent
DRAWINGS = sorted(ROOM.glob("*.js"))
VIEW = "application/vnd.jupyter.widget-view+json"


def test_a_terminal_and_an_exported_notebook_get_the_text_form():
    panel = predictions(Image.new("RGB", (8, 8)), [Prediction("tabby", 281, 0.5)], alt="a cat")
    data, _ = panel._repr_mimebundle_()
    assert data["text/plain"] == panel.text() == str(panel) and VIEW in data


@pytest.mark.parametrize("name", course_utils.widgets.__all__)
def test_every_public_name_can_be_imported(name):
    assert callable(getattr(course_utils.widgets, name))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="show_quizz"):
        _ = course_utils.widgets.show_quizz


def test_a_public_name_survives_the_import_of_any_module():
    """A submodule of the same name would take its place."""
    modules = {path.stem for path in ROOM.glob("*.py")}
    assert not modules & set(course_utils.widgets.__all__)


def test_importing_the_room_loads_neither_torch_nor_ipywidgets():
    code = "import sys, course_utils.widgets; print({'torch', 'ipywidgets', 'anywidget'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


@pytest.mark.parametrize("path", [*DRAWINGS, ROOM / "theme.css"], ids=lambda path: path.name)
def test_drawings_ask_nothing_of_other_machines_and_never_write_markup(path):
    source = path.read_text(encoding="utf-8")
    addresses = re.findall(r"https?://[^\"' )]+", source)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}     # a name, not an address that is asked
    assert not re.search(r"(inner|outer|Adjacent)HTML|\beval\(|new Function|import\s|url\(", source)


def test_the_shared_helpers_stand_before_each_drawing():
    esm = show_quiz("05_feature_extraction", "what-still-moves")._esm
    assert esm.index("function frame(") < esm.index("export default") and esm.count("export default") == 1
