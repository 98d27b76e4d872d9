"""One of every widget, in every state that looks different. `test_accessibility.py` runs this as a cell."""
# ruff: noqa: F811

import itertools
import os
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import torch
from IPython.display import display
from PIL import Image

from course_utils.pretrained import Prediction, freeze, load_model, replace_head, unfreeze
from course_utils.teaching import Exercise, Verdict, expect, load_quiz
from course_utils.teaching.lesson_file import read_lesson_file
from course_utils.teaching.predicting import Result
from course_utils.teaching.quizzes import Quiz
from course_utils.widgets import (
    Bars,
    Chart,
    Choice,
    Code,
    Field,
    Line,
    Picture,
    Pictures,
    Slider,
    Switch,
    Table,
    Upload,
    Words,
    explore,
    flow,
    freeze_map,
    predictions,
    progress,
    show_figure,
    show_pictures,
    training_curves,
)
from course_utils.widgets.exercise import ExercisePanel
from course_utils.widgets.quiz import QuizPanel
from course_utils.widgets.result import ResultPanel

os.environ["COURSE_PROGRESS"] = "every_widget.sqlite"

# Questions: asked, answered wrongly, answered rightly

quiz = Quiz("01_kinds", read_lesson_file(Path("kinds.yaml")).questions)
steps = {step["text"]: step["id"] for step in quiz.question("a-ordering").shown()["steps"]}
in_order = [steps[text] for text in quiz.question("a-ordering").steps]
WRONG = {"a-single": "b", "a-multiple": ["b", "d"], "a-ordering": in_order[::-1], "a-numeric": "1000",
         "a-text": "train", "a-reflect": {"text": "It depends on what there is.", "met": []}}
RIGHT = {"a-single": "a", "a-multiple": ["a", "c"], "a-ordering": in_order, "a-numeric": "1280",
         "a-text": "eval", "a-reflect": {"text": "When there are many and they differ.", "met": ["a", "b"]}}

for question in quiz.questions:
    display(QuizPanel(quiz, question.id))
for answers in (WRONG, RIGHT):
    for name, response in answers.items():
        quiz.answer(name, response)
        display(panel := QuizPanel(quiz, name))
        if name in ("a-text", "a-reflect"):       # what is written is not kept: answered on the screen
            panel.do_answer(response)
result = Verdict("wrong", 0.0, "Two and two are four, `2 + 2`.")
display(ResultPanel("What is `2 + 2`?", Result("“22”", "“4”", result)))

# What can be looked at

photo = Image.new("RGB", (320, 240), "teal")
EXHIBITS = [
    Words("Every row sums to 1: look at `dim=1`."),
    Table("Rows and what they sum to", ["row", "sum", "should be"],
          [["daisy", "1.31", "1"], ["tulip", "1", "1"]], marked=[0]),
    Bars("Shares", [("daisy", 0.7, "70.0%"), ("tulip", 0.3, "30.0%")]),
    Code("Two lines of three", ["model.eval()", "with torch.inference_mode():", "    scores = model(batch)"],
         lit=[1, 2]),
    Pictures("Nearest pictures", [Picture.of(photo, f"teal {i}", "a teal rectangle") for i in range(3)]),
    Chart("Loss by rate", "learning rate", "loss", [
        Line("smoothed", [(10.0 ** -i, 0.1 + i / 2) for i in range(1, 7)],
             band=[(1e-6, 3, 3.3), (0.1, 0.5, 0.7)]),
        Line("batches", [(10.0 ** -i, 0.3 + i / 2) for i in range(1, 7)], joined=False)],
        log_x=True, marks=[(1e-3, "your choice")], levels=[(2.0, "chance")]),
]
display(explore("Temperature", lambda **chosen: EXHIBITS, temperature=Slider("Temperature", [1, 2, 4, 8], 4),
                model=Choice("Model", ["efficientnet_lite0", "resnet50"]), soft=Switch("Softened", True),
                word=Field("Look for", "daisy"), picture=Upload("A picture of yours")))

# An exercise: not attempted, raising, wrong with something to look at, right and all help taken

twice = Exercise("twice", lesson="01_kinds", title="Twice a number", minutes=1, difficulty="easy",
                 objective="sums", see="#Sums-and-products")


@twice.starter
def double(x):
    ...


@twice.solved_by
def double(x):
    return 2 * x


@twice.checks("twice three")
def _(answer):
    got = answer(3)
    expect(got == 6, f"Twice 3 is 6, but you return {got}.", show=lambda: EXHIBITS)


@twice.checks("below zero")
def _(answer):
    expect(answer(-1) == -2, "Twice −1 is −2.")


twice.hints("Which operator multiplies?", "It is `*`, as in `2 * x`.")


tries = itertools.count(1)


def untouched(x):
    ...


def raises(x):
    raise ValueError(f"try {next(tries)}")      # so that checking again has something else to say


display(ExercisePanel(twice, untouched), ExercisePanel(twice, raises), ExercisePanel(twice, lambda x: x + 1))
display(ExercisePanel(twice, lambda x: torch.ones(2) * x))      # a check that was not written for this breaks
display(solved := ExercisePanel(twice, lambda x: x + x))
for _ in range(2):
    solved.do_hint()
solved.do_solution()

# A model, its training, and what it says

model = replace_head(load_model("efficientnet_lite0"), ["daisy", "tulip"], seed=0)
freeze(model)
unfreeze(model.classifier)
optimizer = torch.optim.Adam(model.classifier.parameters())
display(flow(model, optimizer))
model.train()                   # frozen BatchNorm drifts now, which is worth a warning
display(freeze_map(model, optimizer))
display(curves := training_curves(4, "The head"))
for i in (1, 2, 3):
    curves(SimpleNamespace(epoch=i, train_loss=1 / i, val_loss=1.2 / i, val_accuracy=0.9, seconds=1.0,
                           unfrozen=("blocks.6",) if i == 3 else ()))
display(predictions(photo, [Prediction("tabby", 281, 0.75), Prediction("lynx", 287, 0.2)], alt="a cat"))
display(show_pictures([photo] * 4, ["daisy", "tulip", "rose", "dandelion"], alt="rendered flower"))
figure, axes = plt.subplots()
axes.plot([1, 2, 3])
display(show_figure(figure, alt="a line that rises from 1 to 3"))

first = load_quiz("00_start_here").questions[0]
load_quiz("00_start_here").answer(first.id, next(option.id for option in first.options if not option.right))
display(progress())
