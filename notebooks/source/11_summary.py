# %% [markdown] tags=["teaches:key-points"]
# ## What to take along
#
# - **Pretrained by default.** Start from weights that have seen a million photographs, unless you can say
#   why not.
# - **Extract first.** A linear probe on frozen features takes a minute and is the number to beat.
# - **Fine-tune with care.** Graded rates, lower towards the input; unfreeze from the head backwards; the
#   optimizer must hold what learns.
# - **Preprocessing follows the weights.** Take mean, standard deviation, size and interpolation from them,
#   never from habit.
# - **Three switches of freezing**: gradients off, BatchNorm in eval mode, the optimizer.
# - **Which model?** ResNet-50 is a well-studied default, EfficientNet gives accuracy for its cost,
#   MobileNet fits phones and cameras. A figure without weights version, resolution and machine means little.
# - **Regularise, and keep checkpoints**: augmentation, early stopping, the best epoch, files without code.
# - **Choose by size and similarity, then measure**, with several draws, in pairs.
#
# Two exercises first, then the final quiz.

# %%
from course_utils.pretrained import catalogue
from course_utils.widgets import (
    Table, export_progress, progress, score_by_objective, show_exercise, show_exhibits, show_quiz)

best = catalogue().dropna(subset=["top1", "gflops"]).sort_values("top1", ascending=False)
lines = []
for most in (0.5, 1, 2, 5, 10, 20):
    row = best[best.gflops <= most].iloc[0]
    lines.append([f"{most:g}", row["name"], f"{row.top1:.1f} %", f"{row.params_m:.1f} M"])
show_exhibits("The most accurate of the catalogue", Table(
    "Within so many billion multiply–adds", ["at most", "weights", "published top-1", "parameters"], lines))

# %% [markdown]
# **Exercise.** The same choice, by your own code, with two limits.

# %% tags=["exercise:11_summary/choose-within-limits"]

# %% [markdown] tags=["teaches:memory"]
# Feature extraction needs less memory than fine-tuning for three reasons: nothing of a frozen layer's
# **activations** is kept for the backward pass, its parameters have no **gradients**, and Adam keeps no
# **moments** for them. The last two you can count without running anything.
#
# **Exercise.** Count them.

# %% tags=["exercise:11_summary/bytes-to-train"]

# %% [markdown] tags=["teaches:final-quiz"]
# ## The final quiz
#
# Thirteen questions on lessons 03 to 08 and 10. Answer before you look anything up. Below stands your score
# for each objective; *Your progress* leads from what you missed to the section that teaches it.
#
# First: loading and preparing.

# %%
show_quiz("11_summary", "whose-mean-and-std")

# %%
show_quiz("11_summary", "which-call-changes-what")

# %% [markdown]
# Freezing, and what still moves.

# %%
show_quiz("11_summary", "order-of-freezing")

# %%
show_quiz("11_summary", "why-eval")

# %% [markdown]
# Rates and training.

# %%
show_quiz("11_summary", "rate-of-the-backbone")

# %%
show_quiz("11_summary", "falls-after-five")

# %% [markdown]
# Strategies.

# %%
show_quiz("11_summary", "extraction-over-fine-tuning")

# %%
show_quiz("11_summary", "memory-of-extraction")

# %% [markdown]
# Models.

# %%
show_quiz("11_summary", "which-figure")

# %%
show_quiz("11_summary", "for-the-edge")

# %% [markdown]
# Judging, keeping, handing on.

# %%
show_quiz("11_summary", "averaged-how")

# %%
show_quiz("11_summary", "safe-file")

# %% [markdown]
# And one from the last lesson.

# %%
show_quiz("11_summary", "hotter-or-colder")

# %% [markdown] tags=["teaches:score"]
# ## Your score
#
# By objective. Where something is missing, *look again* stands beside it. Run the cell again after answering.

# %%
score_by_objective("11_summary")

# %% [markdown] tags=["teaches:summary-page"]
# ## A page to keep
#
# The first cell shows your progress in all lessons, with links. The second writes a page with what is done,
# what was missed and what comes next. It is a file on your disk, without any of your answers; whether
# anybody sees it is up to you.

# %%
progress()

# %%
export_progress()

# %% [markdown] tags=["teaches:what-next"]
# ## What to learn next
#
# - **What a network looks at.** *Activation maximisation* draws the picture that excites one channel most;
#   *attribution* marks the pixels that an answer depends on.
# - **Other tasks**: detection and segmentation start from the same backbones.
# - **Other pretraining**: without labels, or with pictures and their captions.
#
# ## Take-away
#
# Start from what others have trained. Prepare pictures as they did. Train as little as you need, and
# measure before you believe: this course, too.
