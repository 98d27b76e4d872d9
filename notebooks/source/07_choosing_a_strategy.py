# %% [markdown] tags=["teaches:idea"]
# ## The idea
#
# Feature extraction, the last layers, the whole network: which, for your pictures? Three things decide: how
# many labelled pictures there are, how much they look like those of pretraining, and what you can spend.
# There are rules for it, everybody quotes them, and they contradict each other. So take a rule for the
# **first try**, and an experiment for the **decision**.
#
# The pictures of this lesson are **rendered** flowers and defects, and scanned digits. (With
# `COURSE_PHOTOS=1` the flowers shown are photographs; the record is of rendered ones.)

# %%
import json
import math
import random

import torch

from course_utils import paths
from course_utils.pretrained import (
    extract_features, linear_probe, load_dataset, load_model, measure_similarity, recommend_strategy)
from course_utils.widgets import (
    learning_curve_lab, show_exercise, show_pictures, show_quiz, show_result, strategy_chooser)

torch.manual_seed(0)
model = load_model("efficientnet_lite0")
sets = {name: load_dataset(name) for name in ("flowers", "defects", "digits")}
show_pictures([data.train[0][0].resize((128, 128)) for data in sets.values()],
              [f"{name}: {data.card.kind}" for name, data in sets.items()], alt="first picture", width=128)

# %% [markdown] tags=["teaches:table"]
# ## Two rules of thumb
#
# By size **and similarity**:
#
# | pictures | domain | first try | because |
# |---|---|---|---|
# | few | similar | feature extraction | the features suffice, and a head alone hardly overfits |
# | few | different | feature extraction, with augmentation | too few pictures to change the features |
# | many | similar | fine-tune the last layers | the most specialised features can be adjusted |
# | many | different | fine-tune everything | every level can adapt |
# | few | very different, as in medicine | that domain's weights, and a head | features may not help |
# | many | very different | everything; that domain's weights, or from scratch | every level has to adapt |
#
# Here *many* means 1,000 and more per class. Similarity can be measured, by a number from 0 to 1, as you will
# see below. From 0.8 on, the course calls pictures similar, from 0.7 on different, below 0.7 very different.
#
# By **pictures per class** alone: below 1,000 feature extraction, up to 10,000 partial fine-tuning, above
# that all of it. Neither has a published source, and others count all pictures together instead of those
# per class.

# %%
show_quiz("07_choosing_a_strategy", "cracks-and-scratches")

# %% [markdown] tags=["teaches:chooser"]
# The chooser asks both rules, says where they disagree, and names the experiment that would test its advice.
# Find a setting in which the two disagree.

# %%
strategy_chooser()

# %% [markdown] tags=["teaches:disagree"]
# Take 1,200 satellite pictures in each of ten classes. By pictures per class: partial fine-tuning. By size
# and similarity: full fine-tuning, since satellite pictures are *different* by the measure below. And whoever
# counts all 12,000 together says "full" for a third reason. Only a run can decide. For the digits of this
# lesson one has: you will see which rule it contradicts.

# %% tags=["teaches:rules-disagree"]
# NBVAL_CHECK_OUTPUT
recommend_strategy(1_200, "different")

# %% [markdown] tags=["teaches:similarity"]
# ## How similar?
#
# Usually a scale is quoted: photographs, animals, objects, scenes are similar; X-rays, microscopy,
# handwriting and industrial defects less; satellite pictures, radar, spectrograms and plots least. The
# order is debatable, and depends on what a network reacts to. So measure.
#
# One measure needs no labels: every BatchNorm carries the mean and variance that its channels had on the
# training pictures. How far are they from those on yours? **Predict** the order.

# %%
show_quiz("07_choosing_a_strategy", "order-by-similarity")

# %% tags=["teaches:similarity-measured"]
for name, data in sets.items():
    print(f"{name:8} similarity {measure_similarity(model, data.train):.2f}")
show_result("07_choosing_a_strategy", "order-by-similarity")

# %% [markdown]
# 1 would be the same statistics, 0 no overlap. Satellite pictures, last on the usual scale, get 0.74 and are
# *different*; steel surfaces get 0.69 and are *very different* (`help(measure_similarity)`).
#
# What this cannot say is whether the features **separate your classes**. A probe can, in a second, and it is
# the better question. The cell compares with guessing.

# %% tags=["teaches:probe-measures"]
for name, data in sets.items():
    train, val = (extract_features(model, part, size=96) for part in (data.train, data.val))
    probe = linear_probe(train, val)
    print(f"{name:8} probe {probe.accuracy:.0%} of validation, guessing {1 / len(data.classes):.0%}")

# %%
show_quiz("07_choosing_a_strategy", "what-similarity-misses")

# %% [markdown] tags=["teaches:curve"]
# ## A learning curve
#
# One accuracy says little. A **learning curve** says how it grows with the number of labelled pictures:
# whether more labels would help, and where one strategy overtakes another. Each point needs a smaller
# training set, fairly drawn, several times.
#
# **Exercise.** Draw the pictures for one point of it.

# %% tags=["exercise:07_choosing_a_strategy/draw-per-class"]

# %% [markdown] tags=["teaches:how-recorded"]
# ## The lab
#
# The record holds five strategies on three data sets with 5, 15 and 45 labelled pictures per class, three
# draws each, 64 pixels, sixty to eighty steps. The five: a probe; a probe on four augmented views; the
# last two layer groups and the head; every layer; the same network from random numbers, for twice the steps.
# Fine-tuning begins with the probe's head, and BatchNorm learned wherever its layers did. What trains layers
# saw augmented flowers and defects, and plain digits. Each strategy that
# trains layers has the better of two rates, chosen **once** for each data set: by validation, with the first
# draw and 45 pictures per class. You see **test** accuracy, by which nothing was chosen. It took tens of
# minutes, so it ships; `make records ARGS=strategies` makes it again. **Predict** first.

# %%
show_quiz("07_choosing_a_strategy", "five-per-class")

# %% tags=["teaches:lab"]
record = json.loads((paths.results() / "strategies.json").read_text())
rows = record["results"]["rows"]
print(f"{record['command']}, seeds {record['seeds']}, {record['date']}, {record['machine']['cores']} cores")
learning_curve_lab(rows)

# %% [markdown]
# Change the pictures and the strategies. Choose one strategy and *Run it again here*: does your machine find
# what is recorded? Then your prediction, read off the record:

# %% tags=["teaches:lab-read"]
few = {row["strategy"]: row for row in rows if (row["dataset"], row["per_class"]) == ("flowers", 5)}
for name, row in few.items():
    print(f"{name:30} {row['mean']:.1%}  in {len(row['accuracy'])} draws {min(row['accuracy']):.1%} "
          f"to {max(row['accuracy']):.1%}")
best = max(few, key=lambda name: few[name]["mean"])
option = next((id for id in ("scratch", "fine-tuning") if id in best), "extraction")
show_result("07_choosing_a_strategy", "five-per-class", found=option)

# %% [markdown] tags=["teaches:negative-transfer"]
# Go through the three data sets. Look for four things:
#
# - where a strategy overtakes another as labels grow: full fine-tuning passes a probe on four views at 15
#   flowers of each class, and at 45 defects, in the mean over draws;
# - how wide the bands are where labels are few: one draw could have told any story;
# - what augmentation does to digits: a probe on augmented views is worse with every draw. Most mirrored
#   digits are none, and a crop may cut a stroke away; which costs more, no run here tests. Augment only by
#   what leaves the class as it is;
# - whether *from scratch* comes near anywhere. Where pretrained weights end up **worse** than random ones,
#   that is **negative transfer**. None here: full fine-tuning is ahead of training from scratch with every
#   draw. Where you suspect it, run both.
#
# And on real pictures? A study of its own (`real_domains.json`, 64 pixels, forty steps, three seeds): on 800
# satellite pictures nothing is ahead of a probe's 84.7 %. On 360 of steel, which the measure calls *very
# different*, a probe gets 95.0 % and full fine-tuning 98.3 %. From scratch: 33 and 36 %.
#
# Small pictures and few steps keep the record short. What it shows holds for this setting. Change `STEPS` or
# `SIZE` in `course_utils/lessons/_strategies.py` and see.

# %% [markdown] tags=["teaches:luck"]
# ## Better, or luck?
#
# Two strategies, three draws each: 71 %, 80 %, 75 % against 69 %, 79 %, 72 %. The ranges overlap, and yet the
# first won every time. Here draws differ more than strategies, so compare **in pairs**: the same draw, both
# strategies, the difference. Take the mean of the n differences and their standard deviation s (squares
# divided by n − 1). The **standard error** of the mean is s/√n: how far the mean would scatter if you drew
# everything again. Four times the draws halve it.
#
# Here it is 2.0 ± 0.6 points, 3.5 errors: promising, and by the rule below not yet enough.
#
# **Exercise.** Compute both.

# %% tags=["exercise:07_choosing_a_strategy/decide-by-seeds"]

# %% tags=["teaches:pairs"]
def in_pairs(dataset, per_class, first, second):
    """Mean difference of two strategies over the draws, in percentage points, and its standard error."""
    of = {row["strategy"]: torch.tensor(row["accuracy"]) for row in rows
          if (row["dataset"], row["per_class"]) == (dataset, per_class)}
    points = 100 * (of[first] - of[second])
    return points.mean().item(), points.std().item() / len(points) ** 0.5


for dataset in sets:
    for per_class in (5, 45):
        rival = "feature extraction" + (", 4 views" if dataset != "digits" else "")     # augmented, as it was
        mean, error = in_pairs(dataset, per_class, "partial fine-tuning", rival)
        print(f"{dataset:8} {per_class:3} per class: partial fine-tuning {mean:+5.1f} ± {error:.1f} points")

# %% [markdown]
# With three draws, an error is itself uncertain: as a rule of thumb, below four of them do not count. More
# draws are often cheaper than a wrong decision.

# %%
show_quiz("07_choosing_a_strategy", "when-to-stop")

# %% [markdown] tags=["teaches:rules-tested"]
# ## The rules beside a run
#
# Digits are *very different*, and the two rules disagree on them. The record holds the run. The cell asks the
# rules about 45 digits of each class, with the similarity in the record, then compares in pairs.

# %% tags=["teaches:rules-tested-run"]
similarity = record["results"]["similarity"]["digits"]
print(f"similarity {similarity:.2f}.", recommend_strategy(45, similarity))
for per_class in (15, 45):
    means = {row["strategy"]: f"{row['mean']:.1%}" for row in rows
             if (row["dataset"], row["per_class"]) == ("digits", per_class)}
    print(f"\n{per_class} per class:", *(f"{name} {means[name]}" for name in (
        "feature extraction", "full fine-tuning", "from scratch")), sep="  ")
    for other in ("feature extraction", "from scratch"):
        mean, error = in_pairs("digits", per_class, "full fine-tuning", other)
        print(f"    full fine-tuning beside {other}: {mean:+.1f} ± {error:.1f} points")

# %% [markdown] tags=["teaches:rules-tested-read"]
# The rule by **pictures per class** says feature extraction, and it is contradicted: with 15 digits of each
# class, full fine-tuning is ahead with every draw, by more than four errors. At 45 it is ahead in the mean,
# but not by four. The rule by **size and similarity** warns that ImageNet's features may not help, and that
# is contradicted as well: a probe on them, and full fine-tuning from them, are ahead of training from random
# numbers with every draw, although that got twice the steps. Whether weights trained on digits would be
# better still, as this rule advises, was not run.

# %% [markdown] tags=["teaches:traps"]
# ## What can go wrong
#
# - **A rule taken for a result.** It has not seen your pictures.
# - **One draw.** With few labels, draws can differ as much as strategies.
# - **Unequal effort**: a tuned favourite against a rival with default rates.
# - **The test set for choosing.** Choose by validation; then open the test set once.
# - **Costs left out.** Half a point more for a hundred times the time is a decision, not a victory.
#
# ## Take-away
#
# Extract first: it takes a minute and is the number to beat. Ask the rules what to try next, ask a probe
# whether the features separate your classes, and decide by several draws, in pairs.
#
# **Next:** [08 · A practical workflow](08_practical_workflow.ipynb): from a folder of pictures to a
# model that others can use.
