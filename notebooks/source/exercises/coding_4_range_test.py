# %% [markdown] tags=["teaches:range-task"]
# ## The task
#
# Write the **range test**: train a copy of a network for a moment, each step at a higher rate, from 0.0000001
# to 1, and see what the loss does. In [lesson 06](../06_fine_tuning.ipynb#Which-learning-rate) you wrote its
# loop. Here is all around it: which rates, how to read a noisy curve, when to stop, what to choose. At the
# end your test and the course's `find_learning_rate` meet the same network.

# %%
import copy
import math

import numpy as np
import torch
from torch.nn import functional as F

from course_utils.pretrained import (
    extract_features, find_learning_rate, freeze, layer_groups, linear_probe, load_dataset, load_model,
    preprocessing, replace_head, train_mode, unfreeze)
from course_utils.widgets import (
    Chart, Line, Table, not_right_yet, show_exercise, show_exhibits, show_quiz)

# %% [markdown] tags=["teaches:range-rates"]
# ## Rates
#
# Whether a rate is too high depends on its order of magnitude. So the test passes through all orders alike:
# each rate is the same factor above the one before, a **geometric** series.

# %%
show_quiz("coding_4_range_test", "why-equal-ratios")

# %% [markdown]
# **Exercise.** From `start` to `end`, both among them.

# %% tags=["exercise:coding_4_range_test/geometric-rates"]

# %% [markdown] tags=["teaches:range-smoothing"]
# ## Smoothing
#
# Each loss is that of one batch, and batches differ. An **exponential moving average** carries one number
# along: with each loss, `average = beta · average + (1 − beta) · loss`. It begins at 0, and this 0 must be
# taken out again, or the first values are far too low. Adam does the same with its averages of gradients and
# calls it *bias correction*.

# %%
show_quiz("coding_4_range_test", "why-correct")

# %% [markdown]
# **Exercise.** The corrected average after each loss.

# %% tags=["exercise:coding_4_range_test/smooth-losses"]

# %% [markdown] tags=["teaches:range-stopping"]
# ## When to stop
#
# Beyond some rate the loss explodes, and later it is no number at all. Nothing more is to be learned there,
# and in a plot such losses squash everything else into a line at the bottom.
#
# **Exercise.** The step itself is handed to you as a function. Decide after each one whether to go on.

# %% tags=["exercise:coding_4_range_test/stop-in-time"]

# %% [markdown] tags=["teaches:range-choice"]
# ## The choice
#
# The loss is lowest where steps are almost too long already. Smith (2017) reads the curve where it *falls*
# fastest: there a step does most. Two things lead astray. The first values are averages of few losses and
# still jump, so a single step says nothing: look at pieces of several steps. And what lies behind the lowest
# point is the curve's ruin.
#
# **Exercise.** From the smoothed curve to one rate, or to none.

# %% tags=["exercise:coding_4_range_test/choose-a-rate"]

# %% [markdown] tags=["teaches:range-run"]
# ## Both on one network
#
# Lite0 on the rendered surface defects: the head is a trained probe, the last blocks learn as well, at 64
# pixels. Sixty rates from 0.0000001 to 1, a batch of 32 for each, Adam. The course's test smooths in another
# way: each loss with its neighbours on *both* sides, so its curve does not lag behind. And it stops by the
# single loss, at four times the lowest.


# %% tags=["teaches:range-assembled"]
SIZE, BETA, STEPS = 64, 0.8, 60
defects = load_dataset("defects")
model = load_model("efficientnet_lite0")
probe = linear_probe(*(extract_features(model, part, size=SIZE) for part in (defects.train, defects.val)))
replace_head(model, defects.classes).classifier = probe.as_head()
freeze(model)
for group in layer_groups(model)[-4:]:
    unfreeze(group)
print("These learn:", ", ".join(group.name for group in layer_groups(model)[-4:]))


def stepper():
    """A function that trains a copy of the model on the next batch, at the rate it is given."""
    trial = train_mode(copy.deepcopy(model))
    optimizer = torch.optim.Adam([p for p in trial.parameters() if p.requires_grad])
    prepare = preprocessing(model, augment=True, size=SIZE)
    order = torch.cat([torch.randperm(len(defects.train)) for _ in range(7)]).split(32)     # 7 · 300 pictures
    batches = iter(order)

    def step(rate):
        chosen = [defects.train[i] for i in next(batches).tolist()]
        loss = F.cross_entropy(trial(torch.stack([prepare(picture) for picture, _ in chosen])),
                               torch.tensor([label for _, label in chosen]))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


missing = not_right_yet({
    "coding_4_range_test/geometric-rates": rates_between, "coding_4_range_test/smooth-losses": smoothed,
    "coding_4_range_test/stop-in-time": run_test, "coding_4_range_test/choose-a-rate": choose})
if missing:
    print("Your test runs here once all pieces pass. Not there yet:", ", ".join(missing))
    rates = losses = curve = chosen = None
else:
    torch.manual_seed(0)
    rates, losses = run_test(stepper(), [float(rate) for rate in rates_between(1e-7, 1.0, STEPS)],
                             lambda so_far: smoothed(so_far, BETA), 4)
    curve = [float(loss) for loss in smoothed(losses, BETA)]
    chosen = choose(rates, curve, 8)               # eight steps: about an order of magnitude

# %% tags=["teaches:range-beside"]
of_the_course = find_learning_rate(model, defects.train, start=1e-7, end=1.0, steps=STEPS, size=SIZE)
lines = [Line("the course, smoothed", list(zip(of_the_course.rates, of_the_course.smoothed, strict=True)))]
marks = [(of_the_course.suggestion, "the course")] if of_the_course.suggestion else []
rows = [["find_learning_rate", str(len(of_the_course.rates)), repr(of_the_course).split("; ")[1]]]
if not missing:
    lines += [Line("yours, smoothed", list(zip(rates, curve, strict=True))),
              Line("yours, one batch each", list(zip(rates, losses, strict=True)), joined=False)]
    marks += [(chosen, "yours")] if chosen else []
    rows += [["yours", str(len(rates)), f"suggestion {chosen:.1e}" if chosen else "none: it does not fall"]]
show_exhibits("Two range tests on one network",
              Chart("Loss while the rate rises", "learning rate", "loss", lines, log_x=True, marks=marks),
              Table("What they chose", ["", "rates tried", "choice"], rows))

# %% [markdown] tags=["teaches:range-reading"]
# ## What to notice
#
# - **Flat, falling, ruined.** For three orders of magnitude nothing happens. Then the curve falls, within
#   about two, and then the loss explodes.
# - **Yours lags behind.** An average of past losses turns later than the losses do, with beta 0.8 by about
#   four steps, half an order of magnitude here. So its choice lies a little high. Choose lower rather than
#   higher.
# - **Digits mean nothing.** Run the last two cells with another seed: choices move by a factor of two or
#   three. The order of magnitude stays.

# %%
show_quiz("coding_4_range_test", "same-rate-for-ever")

# %% [markdown] tags=["teaches:range-sources"]
# ## Sources and the way back
#
# Smith, *Cyclical Learning Rates for Training Neural Networks*, 2017 (range test). Kingma and Ba, *Adam*,
# 2015, section 3 (bias correction). fastai's `lr_find` also stops at four times the lowest loss.
#
# Back to [lesson 06](../06_fine_tuning.ipynb#Which-learning-rate), where the rate is put to use;
# [gradual unfreezing](coding_3_gradual_unfreezing.ipynb) needs one for each depth.
