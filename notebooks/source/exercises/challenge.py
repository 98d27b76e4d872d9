# %% [markdown] tags=["teaches:challenge-idea"]
# ## The idea
#
# You know the strategies: from scratch, a linear probe, partial and full fine-tuning, and a probe first with
# fine-tuning after it (LP-FT). Here you find out, on pictures far from ImageNet, what each is worth with a
# tenth, a quarter, half and all of the data, and what it costs.
#
# The digits are **scanned**, the defects **rendered**; both ship with the course. After a download the same
# plan runs on real pictures: satellite photographs (`"eurosat"`) or chest X-rays (`"pneumoniamnist"`).

# %% tags=["teaches:challenge-imports"]
from pathlib import Path

from course_utils import paths
from course_utils.pretrained import Study
from course_utils.widgets import show_quiz, show_result, study_curves, watch_study

place = paths.work() / "challenge"      # your studies stay there
print("Studies and reports:", place.name, "in", place.parent.name)

# %% [markdown] tags=["teaches:challenge-question"]
# ## Question and hypothesis
#
# A study begins with a question that a number can answer, and with what you expect. Written down before the
# first run, it keeps you honest: afterwards every result looks as if one had known it.

# %%
show_quiz("challenge", "my-hypothesis")

# %% [markdown] tags=["teaches:challenge-plan"]
# ## The plan
#
# A plan is a grid: data sets × backbones × strategies × shares of the training pictures × seeds. Each run
# follows from its row alone. The seed draws the pictures, so all strategies with one seed learn from the same
# ones.

# %%
show_quiz("challenge", "what-differs")

# %% [markdown] tags=["teaches:challenge-small"]
# ## A small one first
#
# Before hours of computing, a minute: is the plan right, does every strategy run, how long does a run take?
# Two strategies, two shares, two seeds. Training takes twenty steps of 32 pictures, whatever the share: each
# of a tenth of the digits comes six times, of all of them three in five come once. **Predict** first.

# %%
show_quiz("challenge", "probe-or-full")

# %% tags=["teaches:challenge-small-run"]
small = Study(place / "small.jsonl", datasets=["digits"], strategies=["probe", "full"], shares=[0.1, 1.0],
              seeds=[0, 1], question="Does full fine-tuning beat a probe on digits?",
              hypothesis="Not with a tenth of the pictures.")
results = small.run(on_result=watch_study())
results[["strategy", "share", "seed", "accuracy", "low", "high", "seconds"]].round(3)

# %% [markdown]
# `low` to `high` is a 95 % interval: what accuracy to expect of this one trained model on other digits of the
# kind. Now the two strategies with all of the pictures, and what you predicted.

# %% tags=["teaches:challenge-small-read"]
whole = results[results["share"] == 1.0].groupby("strategy")["accuracy"].mean()
print(whole.round(3).to_dict())
ahead = whole["full"] - whole["probe"]
undecided = abs(ahead) < 0.03           # less than what two seeds of one strategy easily differ by
show_result("challenge", "probe-or-full", found="even" if undecided else "full" if ahead > 0 else "probe")

# %% [markdown] tags=["teaches:challenge-stop"]
# ## Stopped and gone on
#
# Every run that is done is a line of the file. Interrupt the kernel, close the lid, lose the power: `run`
# does what is missing. So a plan can also grow: the same file with more seeds runs only the new ones.

# %% tags=["teaches:challenge-grow"]
grown = Study(place / "small.jsonl", datasets=["digits"], strategies=["probe", "full"], shares=[0.1, 1.0],
              seeds=[0, 1, 2], question=small.question, hypothesis=small.hypothesis)
print(grown)
print("missing:", *grown.missing(), sep="\n  ")

# %%
show_quiz("challenge", "killed")

# %% [markdown] tags=["teaches:challenge-whole"]
# ## The whole plan
#
# Five strategies, two data sets, four shares, three seeds: 120 runs, some minutes on two cores. Write your
# question and hypothesis into it, set `WHOLE = True`, and run the cell. Change the plan as your question
# needs:
#
# - a second backbone: `backbones=["efficientnet_lite0", "efficientnet_lite1"]`, or other weights that lie on
#   this machine, such as `"torchvision/resnet18.IMAGENET1K_V1"`;
# - your own pictures: `datasets=["folder:~/pictures/birds"]`; real ones after a download: `"eurosat"`;
# - a cluster: `study.run(scheduler="tcp://10.0.0.1:8786")`, where Dask workers have this course and the data.

# %% tags=["teaches:challenge-whole-run"]
WHOLE = False
study = Study(place / "study.jsonl", question="Which strategy for pictures far from ImageNet?",
              hypothesis="")            # yours, before the first run: it is noted when the runs begin
if WHOLE:
    study.run(on_result=watch_study())
else:
    study = small
print(study)

# %% [markdown] tags=["teaches:challenge-read"]
# ## Read
#
# Look at three things. Where do curves cross: from how many pictures on is another strategy better? How
# wide are the bands: would one seed have told another story? And what does a point cost?

# %%
study_curves(study.results())

# %% tags=["teaches:challenge-report"]
page = study.report(place / "report.html")
print(page)
print(Path(study.report(place / "report.md")).read_text(encoding="utf-8")[:900])

# %% [markdown] tags=["teaches:challenge-write"]
# ## Write
#
# `report.html` opens in any browser, offline: comparisons in pairs, curves, accuracy against time and cost,
# data, method, and the code that repeats it. What it cannot know is what you make of it. The next cell says
# what a reader would miss. It judges whether the study is complete, not what came out.

# %% tags=["teaches:challenge-complete"]
print("\n".join(f"– {words}" for words in study.lacking()) or "Nothing is lacking.")

# %% [markdown]
# Then your conclusion, in words.

# %%
show_quiz("challenge", "my-report")

# %% [markdown] tags=["teaches:challenge-traps"]
# ## What can go wrong
#
# - **A hypothesis written afterwards** is always right.
# - **Unequal effort**: many rates tried for the favourite, one for the rival. Give each the same search.
# - **One seed**, or seeds added until the result pleases. Decide how many before.
# - **Test pictures used to choose.** A study may open them in every run because it chooses nothing by them;
#   the moment you change the plan after looking, you do.
#
# ## Take-away
#
# A question, a hypothesis, pairs on the same draws, intervals, costs, and code to repeat it. A result that
# contradicts you is worth as much as one that does not.
#
# **Back:** [07 · Choosing a strategy](../07_choosing_a_strategy.ipynb). **Next:**
# [your own pictures](../your_own_data.ipynb).
