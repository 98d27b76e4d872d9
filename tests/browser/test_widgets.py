"""Every widget in a real JupyterLab: drawn, usable by keyboard alone, leaving notebook and network alone."""

from __future__ import annotations

import pytest

from course_utils.teaching import load_quiz

pytestmark = pytest.mark.browser

CELLS = [
    """
# answers of its own: the lessons that other tests walk through have answered these questions
%env COURSE_PROGRESS=widgets.sqlite
from types import SimpleNamespace
import torch
from PIL import Image
from course_utils.pretrained import Prediction, freeze, load_model, replace_head, train_mode, unfreeze
from course_utils.widgets import *

model = replace_head(load_model("efficientnet_lite0"), ["daisy", "tulip"], seed=0)
freeze(model)
unfreeze(model.classifier)
train_mode(model)
optimizer = torch.optim.Adam(model.classifier.parameters())""",
    'show_quiz("05_feature_extraction", "when-cache-fails")',
    '''
def probabilities(scores):
    """Turn scores into probabilities."""
    return torch.sigmoid(scores)

show_exercise("00_start_here/scores-to-probabilities", probabilities)''',
    """
said = [Prediction("tabby", 281, 0.75), Prediction("lynx", 287, 0.2)]
predictions(Image.new("RGB", (640, 480)), said, alt="a cat")""",
    "flow(model, optimizer)",
    "model.train()\nfreeze_map(model, optimizer)",
    """
curves = training_curves(3)
for i in (1, 2):
    curves(SimpleNamespace(epoch=i, train_loss=1 / i, val_loss=1.2 / i, val_accuracy=0.9, seconds=1.0,
                           unfrozen=("blocks.6",) if i == 2 else ()))
curves""",
    "progress()",
]
QUESTION = load_quiz("05_feature_extraction").question("when-cache-fails")
REASONS = [option.reason[:30] for option in QUESTION.options]
KINDS = ["quiz", "exercise", "predictions", "flow", "map", "curves", "progress"]
TRAINING = """
import time
from types import SimpleNamespace
from course_utils.widgets import training_curves

curves = training_curves(200)
display(curves)
for i in range(1, 201):
    time.sleep(0.1)
    epoch = SimpleNamespace(epoch=i, train_loss=1 / i, val_loss=1 / i, val_accuracy=0.5, seconds=0.1,
                            unfrozen=())
    if curves(epoch) is False:
        break
print("ended after", len(curves.epochs))"""
CONTROLS = "a[href], button, input, summary, [tabindex]"
HAS_FOCUS = "(node) => node === document.activeElement"


@pytest.fixture(scope="module")
def opened(lab, open_notebook):
    notebook = open_notebook(lab.write("gallery/widgets.ipynb", CELLS))
    notebook.command("application:toggle-left-area")        # the file browser would take half of 400 pixels
    notebook.run_all()
    return notebook


@pytest.fixture
def gallery(opened):
    """A notebook that shows every widget, run; its cells must be the same after each test."""
    opened.resize(1280, 900)
    before = opened.cells()
    yield opened
    assert opened.cells() == before


def each_panel(notebook):
    for kind in KINDS:
        panel = notebook.find(f".course-{kind}")
        panel.scroll_into_view_if_needed()
        yield kind, panel


def test_every_widget_is_drawn_in_both_themes(gallery):
    for theme in ("Dark", "Light"):
        gallery.theme(theme)
        for kind, panel in each_panel(gallery):
            assert panel.is_visible() and panel.bounding_box()["height"] > 60, kind
    picture = gallery.find(".course-predictions img")
    assert picture.evaluate("(image) => image.naturalWidth") == 320
    assert picture.get_attribute("alt") == "a cat"
    assert gallery.find(".course-curves .line-1 rect").count() == 3     # one in the legend, two epochs
    assert gallery.find(".course-curves .marked").all_text_contents() == ["✎ blocks.6"] * 2
    assert gallery.find(".course-map tbody tr").count() == 10


@pytest.mark.parametrize("width", [400, 640])         # 640: a window of 1280 at 200 %
def test_nothing_is_cut_off_where_there_is_little_room(gallery, width):
    gallery.resize(width, 900)
    for kind, panel in each_panel(gallery):
        assert panel.evaluate("(node) => node.scrollWidth <= node.clientWidth"), kind


def test_no_key_pressed_in_any_control_reaches_the_notebook(gallery):
    controls = gallery.find(".course").locator(CONTROLS)
    assert controls.count() >= 15
    for control in controls.all():
        if not control.is_visible():        # in a list that is folded
            continue
        for key in ("ArrowDown", "ArrowUp", "a", "b", "d", "d", "m", "x", "y"):
            control.focus()
            assert control.evaluate(HAS_FOCUS)
            gallery.page.keyboard.press(key)
    assert gallery.find(".jp-CodeCell").count() == len(CELLS)


def test_enter_and_space_press_what_has_the_focus_and_run_no_cell(gallery):
    counts = gallery.find(".jp-InputPrompt").all_text_contents()
    hint = gallery.find(".course-exercise button").filter(has_text="Hint")
    for shown, key in enumerate(("Enter", "Space")):
        hint.focus()
        gallery.page.keyboard.press(key)
        gallery.find(".course-hints li").nth(shown).wait_for()
    groups = gallery.find(".course-flow details").first
    was_open = groups.evaluate("(node) => node.open")
    groups.locator("summary").focus()
    for key in ("Enter", "Space", "Enter"):
        gallery.page.keyboard.press(key)
    assert groups.evaluate("(node) => node.open") != was_open
    assert gallery.find(".jp-InputPrompt").all_text_contents() == counts


def test_a_key_pressed_in_the_notebook_itself_does_change_it(gallery):
    """The twin of the two tests above: JupyterLab's shortcuts are at work."""
    gallery.find(".jp-Cell .jp-InputPrompt").first.click()
    gallery.page.keyboard.press("b")
    assert len(gallery.cells()) == len(CELLS) + 1
    gallery.page.keyboard.press("d")
    gallery.page.keyboard.press("d")
    assert len(gallery.cells()) == len(CELLS)


def test_a_check_pressed_while_the_kernel_is_busy_waits_and_says_so(gallery):
    gallery.page.evaluate("""() => { jupyterapp.shell.currentWidget.sessionContext.session.kernel
        .requestExecute({code: "import time; time.sleep(5)"}); }""")
    panel = gallery.find(".course-exercise")
    panel.get_by_role("button", name="Check again").click()
    panel.get_by_text("No reply yet").wait_for(timeout=5_000)
    panel.get_by_text("Checked again").wait_for(timeout=15_000)


def test_progress_opens_the_lesson_it_names_in_a_tab(lab, gallery):
    link = gallery.find(".course-progress a").first
    lesson = lab.write(f"gallery/{link.get_attribute('href').split('#')[0]}", ["1 + 1"])
    path_is = "(path) => jupyterapp.shell.currentWidget?.context?.path === path"
    link.focus()
    gallery.page.keyboard.press("Enter")
    gallery.page.wait_for_function(path_is, arg=lesson)
    gallery.close_tab()
    gallery.page.wait_for_function(path_is, arg="gallery/widgets.ipynb")


def test_a_question_is_answered_by_keyboard_alone_and_the_answer_outlives_the_kernel(gallery):
    press, panel = gallery.page.keyboard.press, gallery.find(".course-quiz")
    assert not any(reason in gallery.page.content() for reason in REASONS)
    panel.locator("input").first.focus()
    press("Space")
    press("Tab")
    assert panel.get_by_role("button", name="Check").evaluate(HAS_FOCUS)
    press("Enter")
    panel.locator("[data-outcome=wrong]").wait_for()
    assert REASONS[0] in panel.get_by_role("status").inner_text()
    press("Shift+Tab")
    press("ArrowDown")
    press("Tab")
    press("Enter")
    panel.locator("[data-outcome=right]").wait_for()
    gallery.restart()
    gallery.run_all()
    panel.scroll_into_view_if_needed()
    panel.get_by_text("You answered").wait_for()
    assert panel.locator("input").nth(1).is_checked()


def test_stop_ends_a_running_cell_politely(lab, open_notebook):
    notebook = open_notebook(lab.write("stop.ipynb", [TRAINING]))
    notebook.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
    notebook.find(".course-curves .line-0 circle").nth(3).wait_for(state="attached")
    stop = notebook.find(".course-curves button")
    stop.focus()
    notebook.page.keyboard.press("Enter")
    ended = notebook.find(".jp-OutputArea-output").filter(has_text="ended after")
    ended.wait_for(timeout=15_000)
    assert 3 <= int(ended.inner_text().split()[-1]) < 150
    assert "Stopped, as you asked" in notebook.find(".course-curves").inner_text()
    assert stop.get_attribute("aria-disabled") == "true" and stop.evaluate(HAS_FOCUS)


def test_no_request_left_this_machine(opened):
    """The last test: everything above was recorded."""
    assert opened.outside_requests == []
