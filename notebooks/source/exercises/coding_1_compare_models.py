# %% [markdown] tags=["teaches:compare-task"]
# ## The task
#
# Put several pretrained models into one table: how many parameters, how long 100 forward passes take on
# *this* machine, which five labels they give to a picture. Then choose one under a limit. In
# [lesson 03](../03_model_zoo.ipynb#Time-is-measured) you measured one model. What is new is the comparison:
# each row must mean the same, although each model wants its picture prepared in its own way.
#
# The three bundled models are always there. ResNet-18, ResNet-50 and EfficientNet-B0 join if their weights
# lie on this machine already; nothing is downloaded here. To have them:
# `course download torchvision/resnet18.IMAGENET1K_V1` and so on, in a terminal.

# %%
import time

import torch
from PIL import Image
from skimage import data

from course_utils.pretrained import catalogue, load_model, measure, preprocessing
from course_utils.widgets import (
    Chart, Line, Table, not_right_yet, show_exercise, show_exhibits, show_pictures, show_quiz, show_result)

zoo = catalogue().set_index("name")
wanted = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2",
          "torchvision/resnet18.IMAGENET1K_V1", "torchvision/resnet50.IMAGENET1K_V2",
          "torchvision/efficientnet_b0.IMAGENET1K_V1"]
here = [name for name in wanted if zoo.available[name]]
models = {name: load_model(name) for name in here}
cat = Image.fromarray(data.chelsea())
print("on this machine:", ", ".join(here))
show_pictures([cat], ["a cat"], alt="a tabby cat looking into the camera", width=160)

# %% [markdown] tags=["teaches:compare-traps"]
# ## The table
#
# What makes two rows of a table disagree, although nothing is wrong with either:
#
# - one picture, prepared for the first model, handed to all;
# - a model that came in train mode, gradients that were on;
# - a clock that runs while the picture is prepared, or while a model runs for the first time;
# - the time of one pass in one row, of all passes in another.
#
# **Exercise.** One row for each model.

# %% tags=["exercise:coding_1_compare_models/a-row-for-each"]

# %% [markdown] tags=["teaches:compare-choice"]
# ## Which one to take
#
# "The best model" has no answer, "the most accurate one that answers in time" has. The limit comes from where
# the model will be used: a camera with 30 pictures a second leaves 33 milliseconds for each.
#
# **Exercise.** The most accurate row within a limit.

# %% tags=["exercise:coding_1_compare_models/best-within"]

# %% [markdown]
# ## Your table
#
# **Predict**, then run your function on real models, 100 passes each. Beside it stands the course's
# `measure`, which takes the median of single passes.

# %%
show_quiz("coding_1_compare_models", "twice-the-parameters")


# %% tags=["teaches:compare-beside"]
measured = {name: measure(model, batch_sizes=1, repeats=20) for name, model in models.items()}
once = {name: found.latencies[0].median for name, found in measured.items()}
missing = not_right_yet({"coding_1_compare_models/a-row-for-each": compare,
                         "coding_1_compare_models/best-within": choose})
if missing:
    print("Your table stands here once both pieces pass. Not there yet:", ", ".join(missing))
    rows = []
else:
    rows = compare(models, cat, 100)
yours = {row["name"]: row for row in rows}
lines = [Line("measure of the course", [(1000 * once[name], zoo.top1[name], name) for name in here],
              joined=False)]
if yours:
    lines += [Line("yours", [(10 * yours[name]["seconds"], zoo.top1[name]) for name in here], joined=False)]
table = [[name, f"{zoo.params_m[name]:.2f}", f"{1000 * once[name]:.1f}",
          f"{yours[name]['parameters'] / 1e6:.2f}" if yours else "–",
          f"{yours[name]['seconds']:.2f}" if yours else "–",
          ", ".join(yours[name]["top5"]) if yours else "–"] for name in here]
display(show_exhibits(
    "Models on this machine, one picture at a time",
    Table("The course's figures and yours", ["model", "M parameters", "ms a pass, by measure", "M, yours",
                                             "s for 100, yours", "the cat, yours"], table),
    Chart("Accuracy for its time", "milliseconds a pass", "published top-1, %", lines)))
ratio = once["efficientnet_lite2"] / once["efficientnet_lite0"]
show_result("coding_1_compare_models", "twice-the-parameters",
            found="more" if ratio >= 1.6 else "same" if ratio < 1.15 else "as-parameters")

# %% [markdown] tags=["teaches:compare-limits"]
# Now the choice, at some limits for 100 passes. With other models, or on another machine, it will be another.

# %% tags=["teaches:compare-chosen"]
if rows:
    for limit in (0.5, 1, 2, 3, 5, 10):
        print(f"within {limit:>4} s:", choose(rows, zoo.top1.to_dict(), limit))
else:
    print("Not there yet:", ", ".join(missing))

# %% [markdown] tags=["teaches:compare-reading"]
# ## What to notice
#
# - **Your milliseconds and those of `measure`** should agree within some percent on an idle machine. Yours is
#   a mean over all passes: whatever else the machine did in between is in it.
# - **Parameters say little about time.** A parameter of a convolution works at every place of the picture.
# - **The five labels differ in order, hardly in kind.** All of these models see a cat; which breed, they
#   disagree about. One picture says nothing about accuracy. That is what the column top-1 is for, 50,000
#   pictures.
# - **Published accuracies** belong to one set of weights at one size. `…_V1` and `…_V2` of the same
#   architecture are several points apart.

# %%
show_quiz("coding_1_compare_models", "whose-milliseconds")

# %% [markdown] tags=["teaches:compare-sources"]
# ## Sources and the way on
#
# Top-1 figures: torchvision's and timm's own, as the catalogue says (`zoo.reference`). How to measure:
# [lesson 03](../03_model_zoo.ipynb#Time-is-measured); what preprocessing belongs to which weights:
# [lesson 04](../04_loading_models.ipynb).
#
# **Next:** [a flower pipeline](coding_2_flower_pipeline.ipynb).
