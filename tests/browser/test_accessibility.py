"""Every widget of the course as people meet it who see little, use no mouse, or need large type.

axe-core reads the page as assistive technology would; probes.js looks at what it does not.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image

from course_utils import paths

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
CELL = (HERE / "every_widget.py").read_text(encoding="utf-8")
PROBES = (HERE / "probes.js").read_text(encoding="utf-8")
QUESTIONS = paths.repository() / "tests" / "teaching" / "kinds.yaml"
PANELS = {"quiz": 18, "result": 1, "explorer": 1, "exercise": 5, "flow": 1, "map": 1, "curves": 1,
          "predictions": 1, "progress": 1}
STILLS = ".jp-OutputArea-output.jp-RenderedHTMLCommon"         # pictures and figures: HTML, not widgets
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES_THAT_MUST_RUN = {"aria-allowed-role", "button-name", "color-contrast", "image-alt", "label", "list",
                       "svg-img-alt", "target-size"}
RUN_AXE = "([scope, tags]) => axe.run({include: scope}, {runOnly: tags})"


@pytest.fixture(scope="module")
def opened(lab, open_notebook):
    path = lab.write("accessibility/every_widget.ipynb", [CELL])
    (lab.root / "accessibility" / "kinds.yaml").write_bytes(QUESTIONS.read_bytes())
    notebook = open_notebook(path)
    notebook.command("application:toggle-left-area")        # the file browser would take half of 400 pixels
    notebook.run_all()
    notebook.page.evaluate("() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    notebook.command("notebook:hide-cell-code")
    notebook.find(".course-progress").wait_for()
    # JupyterLab's body has no height and clips what overflows. axe takes it at its word: nothing to see here.
    notebook.page.add_style_tag(content="body { height: 100vh !important }")
    for script in (AXE_SCRIPT, PROBES):
        notebook.page.evaluate(script)
    return notebook


@pytest.fixture
def gallery(opened):
    """All widgets on one page, in a window so high that all of them are on the screen."""
    opened.resize(1280, 16_000)
    yield opened
    opened.page.evaluate("() => probes.mend()")
    opened.page.emulate_media(forced_colors="none", reduced_motion="no-preference")
    change_theme(opened, "Light")


@pytest.fixture
def broken(gallery):
    """A panel with everything in it that the tests look for: the twin of them all."""
    panel = gallery.find(".course-flow")
    panel.evaluate("(panel) => probes.breakIt(panel)")
    return panel


def change_theme(notebook, name: str) -> None:
    notebook.theme(name)
    notebook.page.locator("#jupyterlab-splash").wait_for(state="detached")      # it covers all meanwhile


def wrong(notebook, probe: str) -> list[str]:
    """What a probe finds in any widget."""
    return [found for panel in notebook.find(".course").all()
            for found in panel.evaluate(f"(panel) => probes.{probe}(panel)")]


def violations(notebook, *scope: str) -> dict[str, str]:
    """What axe finds in our part of the page, by rule; of small matters it only warns."""
    found = notebook.page.evaluate(RUN_AXE, [[[selector] for selector in scope], TAGS])
    tried = {rule["id"]: len(rule["nodes"]) for rule in found["passes"]}
    assert tried.keys() >= RULES_THAT_MUST_RUN, f"axe did not try {RULES_THAT_MUST_RUN - tried.keys()}"
    assert tried["color-contrast"] > 300 and tried["target-size"] > 80
    grave = {}
    for rule in found["violations"]:
        places = [f"    {node['html'][:160]} {node['failureSummary']}" for node in rule["nodes"]]
        said = "\n".join([f"{rule['impact']} {rule['id']}: {rule['help']}", *places])
        if rule["impact"] == "minor":
            warnings.warn(said, stacklevel=2)
        else:
            grave[rule["id"]] = said
    return grave


def test_every_widget_is_there(gallery):
    assert {kind: gallery.find(f".course-{kind}").count() for kind in PANELS} == PANELS
    verdicts = gallery.find(".course-quiz .course-verdict, .course-exercise .course-verdict")
    outcomes = Counter(verdict.get_attribute("data-outcome") for verdict in verdicts.all())
    assert outcomes == {"right": 7, "wrong": 8, "not attempted": 1, "our fault": 1}
    assert gallery.find(STILLS).count() == 2 and gallery.find(".course-exercise details pre").count() == 2


def test_lines_of_the_course_are_not_called_the_learners(gallery):
    for outcome, title in (("our fault", "Lines to report"), ("wrong", "Your lines")):
        details = gallery.find(f'.course-exercise [data-outcome="{outcome}"]:has(pre) summary')
        assert details.all_inner_texts() == [title]


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_that_matters(gallery, theme):
    change_theme(gallery, theme)
    found = violations(gallery, ".course", STILLS)
    assert not found, "\n".join(found.values())


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_words_stand_out_from_what_is_behind_them(gallery, theme):
    change_theme(gallery, theme)
    assert wrong(gallery, "faint") == []


def test_faint_words_are_found(gallery, broken):
    assert len(wrong(gallery, "faint")) == 1


def test_axe_finds_what_is_broken(gallery, broken):
    assert violations(gallery, ".course").keys() >= {"button-name", "color-contrast", "target-size"}


@pytest.mark.parametrize("width", [400, 640])         # 640: a window of 1280 at 200 %
@pytest.mark.parametrize("probe", ["cutOff", "tooSmall", "tooFine"])
def test_nothing_is_cut_off_or_tiny_where_there_is_little_room(gallery, probe, width):
    gallery.resize(width, 16_000)
    assert wrong(gallery, probe) == []


@pytest.mark.parametrize("probe, number", [("cutOff", 1), ("tooSmall", 2), ("tooFine", 1)])
def test_what_is_cut_off_or_tiny_is_found(gallery, broken, probe, number):
    found = wrong(gallery, probe)
    assert len(found) == number, found


def test_tab_reaches_every_control_and_shows_where_it_is(gallery, broken):
    gallery.find(".course input").first.focus()
    gallery.page.keyboard.press("Shift+Tab")
    rings = []
    for _ in range(300):
        gallery.page.keyboard.press("Tab")
        rings.append(gallery.page.evaluate("() => probes.ring()"))
    unreached = wrong(gallery, "unreached")
    assert len(unreached) == 1 and "never reached" in unreached[0]
    assert sum(ring == 0 for ring in rings) == 2        # the two that have nothing around them, on purpose
    assert all(ring >= 2 for ring in rings if ring) and len(rings) - rings.count(None) > 120


def test_a_reply_takes_the_focus_from_nobody(gallery):
    panel = gallery.find(".course-exercise").nth(1)
    panel.locator("summary").focus()
    panel.locator("summary").evaluate("(node) => { node.dataset.old = 'yes'; }")
    # pressed from afar: a reply may come before a hand would be back
    panel.get_by_role("button", name="Check again").evaluate("(node) => node.click()")
    panel.get_by_text("Checked again").wait_for()
    assert panel.locator("summary[data-old]").count() == 0      # the words changed: it is another one
    assert panel.locator("summary").evaluate("(node) => node === document.activeElement")


def test_of_several_hints_the_new_one_alone_is_read_out(gallery):
    """A live region reads out what is added to it: what was there must stay."""
    panel = gallery.find(".course-exercise").nth(0)
    hints = panel.locator(".course-hints[aria-live=polite] li")
    for number in (1, 2):
        panel.get_by_role("button", name=f"Hint {number} of 2").press("Enter")
        hints.nth(number - 1).wait_for()
        hints.nth(number - 1).evaluate("(node) => { node.dataset.old = 'yes'; }")
    assert panel.locator(".course-hints [data-old]").count() == 2


def colours(locator) -> int:
    """How many colours a line through the middle meets, the ends left out."""
    picture = Image.open(io.BytesIO(locator.screenshot())).convert("RGB")
    middle = picture.height // 2
    return len(picture.crop((3, middle, picture.width - 3, middle + 1)).getcolors())


def test_with_the_systems_own_colours_focus_verdicts_and_bars_stay_visible(gallery):
    gallery.page.emulate_media(forced_colors="active")
    gallery.find(".course input").first.focus()
    gallery.page.keyboard.press("Tab")
    assert gallery.page.evaluate("() => probes.ring()") >= 2
    for verdict in gallery.find(".course-verdict").all():
        edge, paper = verdict.evaluate("(node) => [getComputedStyle(node).borderLeftColor, "
                                       "getComputedStyle(node.closest('.course')).backgroundColor]")
        assert edge != paper and verdict.locator(".course-sign").first.inner_text().strip()
    bar = gallery.find(".course-predictions .course-track").first
    assert colours(bar) == 2
    own = "background: teal; forced-color-adjust: auto"
    bar.locator("span").evaluate("(bar, own) => { bar.style.cssText += own; }", own)
    assert colours(bar) == 1        # the twin: a bar in a colour of its own is not there


def test_every_field_has_a_name(gallery):
    assert wrong(gallery, "nameless") == []


def test_a_field_without_a_name_is_found(gallery, broken):
    assert len(wrong(gallery, "nameless")) == 1


def test_nothing_moves(gallery):
    gallery.page.emulate_media(reduced_motion="reduce")
    assert wrong(gallery, "moving") == []


def test_what_moves_is_found(gallery, broken):
    assert len(wrong(gallery, "moving")) == 1
