# %% [markdown] tags=["teaches:own-idea"]
# ## The idea
#
# Most of what spoils a project with your own pictures happens before the first epoch: files that are no
# pictures, copies on both sides of a split, a class that can be told by the size of its pictures. None of it
# raises an error. So look first, then learn.
#
# Everything here works in a terminal too: `course audit PATH`, `course study PATH`.

# %% tags=["teaches:own-folder"]
import shutil
from pathlib import Path

from PIL import Image

from course_utils import paths
from course_utils.pretrained import (
    audit_folder, load_model, measure_similarity, recommend_strategy, study_folder)
from course_utils.widgets import (
    calibration_plot, confusion_explorer, show_pictures, show_quiz, show_result, upload_demo)

FOLDER = None           # your pictures: "~/pictures/birds", with a folder for each class in it
SIZE = 96               # pixels; None is what the weights were trained for, and better, and slower
out = paths.work() / "your_own_data"            # what is made stays there


def practice_folder(place):
    """120 rendered surfaces, most with a defect, and six faults as they are found in real folders."""
    shutil.rmtree(place, ignore_errors=True)
    for kind in sorted((paths.data() / "defects" / "train").iterdir()):
        (place / kind.name).mkdir(parents=True)
        for file in sorted(kind.iterdir())[:24]:
            shutil.copy(file, place / kind.name)
    classes = sorted(place.iterdir())
    first, second = sorted(classes[0].iterdir())[:2]
    (classes[0] / "notes.jpg").write_text("ask Anna about these")               # a text called .jpg
    (classes[0] / "cut.jpg").write_bytes(first.read_bytes()[:1500])             # a copy that broke off
    shutil.copy(first, classes[0] / "copy of it.jpg")                           # the same bytes twice
    shutil.copy(second, classes[1] / "also here.jpg")                           # in two classes
    Image.open(second).resize((90, 90)).save(classes[0] / "resized.png")        # nearly the same
    Image.new("RGB", (1200, 20), "white").save(classes[2] / "labels.png")       # a strip, no picture
    return place


folder = Path(FOLDER).expanduser() if FOLDER else practice_folder(out / "practice")
print("Your pictures" if FOLDER else "Rendered pictures with planted faults", "in", folder.name)

# %% [markdown]
# Without a folder of your own the course plants faults in some rendered surfaces. Read the comments: six
# files. **Predict**: how many of them will the audit not use?

# %%
show_quiz("your_own_data", "cannot-be-used")

# %% [markdown] tags=["teaches:own-audit"]
# ## Look before you learn
#
# `audit_folder` opens every file once and changes nothing. What it finds comes in three degrees: what stops
# learning, what misleads, and what is good to know.

# %% tags=["teaches:own-audited"]
audit = audit_folder(folder)
audit

# %%
files = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")]
show_result("your_own_data", "cannot-be-used", found=len(files) - len(audit.pictures))

# %% [markdown] tags=["teaches:own-table"]
# The same as a table, to sort or to save: `audit.table()`. Each finding says what will be done, or what you
# have to do. The course never touches your files: to delete, to rename or to label anew is up to you.

# %%
audit.table()[["serious", "kind", "cases", "do"]]

# %% [markdown] tags=["teaches:own-split"]
# ## A split without leaks
#
# `propose_split` uses what can be used. Copies, of the same bytes or nearly alike, stay in one part. Files
# that stand in two classes are left out, because nobody knows which is right. Folders called train, val and
# test are kept.

# %% tags=["teaches:own-split-made"]
data = audit.propose_split()
print(data.card.description)
print(data)

# %%
show_quiz("your_own_data", "copy-in-test")

# %% [markdown] tags=["teaches:own-advice"]
# ## What to try
#
# How much are the pictures like those of pretraining, and how many are there? Rules of thumb turn these into
# a recommendation. It is a first try, with the experiment that would show it wrong.

# %% tags=["teaches:own-advised"]
model = load_model("efficientnet_lite0")
similarity = measure_similarity(model, data.train, size=SIZE)
advice = recommend_strategy(round(len(data.train) / len(data.classes)), similarity, budget="medium")
print(f"similarity {similarity:.2f}")
advice

# %% [markdown] tags=["teaches:own-study"]
# ## From folder to model
#
# `study_folder` does all of the above again and goes on: a linear probe, then what was recommended,
# or the next best where that is the probe itself, or weights that are not here. The better one on
# **validation** is tested once and exported, with a card and a report. What is done is kept: run it again
# after an interruption and it goes on there.

# %% tags=["teaches:own-study-run"]
found = study_folder(folder, out / "study", size=SIZE, say=lambda line: None)
print(found.tried)
print("taken:", found.chosen)
print(found.metrics)

# %% [markdown] tags=["teaches:own-judge"]
# ## How good is it?
#
# One number is not enough. Which class is taken for which? Look at the pictures behind the largest cell off
# the diagonal: now and then it is the label that is wrong, not the model.

# %%
test = found.data.splits()[2]
confusion_explorer(found.scores, test)

# %%
calibration_plot(found.scores, test.labels)

# %% [markdown]
# Small test sets say little. Before you believe a difference, ask how many pictures it is.

# %%
show_quiz("your_own_data", "trust")

# %% [markdown] tags=["teaches:own-export"]
# ## Hand it on
#
# In the folder `study/model` lie the weights without code, an ONNX file whose outputs were compared, and a
# model card that asks you for what only you know. Beside it, `report.html` opens anywhere.

# %% tags=["teaches:own-exported"]
print(found.export)
print("\n".join((found.export.folder / "README.md").read_text(encoding="utf-8").splitlines()[:12]))

# %%
upload_demo(found.model, size=SIZE)

# %% [markdown]
# **Exercise.** Write down what is still to be found out, then compare.

# %%
show_quiz("your_own_data", "before-use")

# %% [markdown] tags=["teaches:own-traps"]
# ## What can go wrong
#
# - **Pictures that belong together** on two sides of a split: the same object, patient or day. No program can
#   see that. Name the folders train, val and test yourself, and keep them together.
# - **A sign that gives the class away**: one class from one camera, of one size. The audit names what it
#   sees.
# - **A rare class**: look at what was found of it, not at the accuracy of all.
# - **Testing again and again**: each look makes the test set one more thing you chose by.
#
# ## Take-away
#
# Audit, split, probe. Then let one more strategy compete, choose by validation, test once, and write down
# what the model must not be used for.
#
# **Next:** [the challenge](exercises/challenge.ipynb), where strategies are compared over seeds.
