# %% [markdown] tags=["teaches:gradual-task"]
# ## The task
#
# Fine-tune step by step: the new head alone for three epochs, then the last block as well, after six also the
# one before it, each at a tenth of the rate. In [lesson 06](../06_fine_tuning.ipynb#Unfreeze-step-by-step)
# you made a network ready for one epoch. Now write the whole: a **plan**, for any network, and a **training**
# that follows it. At the end both run on Lite0, beside `fit`, and the curves show each step.

# %%
import torch
from torch.nn import functional as F

from course_utils.pretrained import (
    evaluate, fit, freeze, load_dataset, load_model, preprocessing, replace_head, unfreeze)
from course_utils.widgets import (
    Chart, Line, Table, not_right_yet, show_exercise, show_exhibits, show_quiz, training_curves)

# %% [markdown] tags=["teaches:gradual-plan"]
# ## The plan
#
# A plan says *who, when, how fast*: `{1: ("fc", 0.001), 4: ("layer4", 0.0001), …}`. It begins at the head's
# end, because the last layers are the most special to the old task, and its rates fall towards the input,
# where there is least to change.

# %%
show_quiz("coding_3_gradual_unfreezing", "why-not-at-once")

# %% [markdown]
# **Exercise.** A plan for any list of parts.

# %% tags=["exercise:coding_3_gradual_unfreezing/plan-the-steps"]

# %% [markdown] tags=["teaches:gradual-training"]
# ## The training
#
# A part that begins to learn needs three switches: gradients, the optimizer, train mode. The first two are
# set once. The third must be set before *every* epoch, because validation puts the network into eval mode.
# One optimizer lives through it all: Adam's memory of the head must not be lost when a block joins.
#
# What a plan calls a part may be several modules: in Lite0 `blocks.6` is followed by one more convolution,
# `conv_head`, and its BatchNorm, `bn2`. Forget the last and it stays frozen for ever, without a word.
#
# **Exercise.** The loop around it all. What an epoch does is handed to you as a function.

# %% tags=["exercise:coding_3_gradual_unfreezing/train-by-the-plan"]

# %% [markdown] tags=["teaches:gradual-beside"]
# ## Your training beside fit
#
# Lite0 on the rendered flowers at 64 pixels, so that an epoch takes a second. First `fit` with
# `unfreeze_at`: the marks ✎ stand where layers began to learn. Then once more, as a **control**: the last
# block joins in epoch 4 at a rate of 0.000000001, so that none of its weights moves. Then yours, by your
# plan.


# %% tags=["teaches:gradual-fit"]
SIZE, EPOCHS = 64, 9
flowers = load_dataset("flowers")
PARTS = [("blocks.5",), ("blocks.6", "conv_head", "bn2"), ("classifier",)]       # from the input to the head


def fresh():
    """Lite0 with a new head for the flowers; every gradient is on."""
    return replace_head(load_model("efficientnet_lite0"), flowers.classes, seed=0)


def by_fit(epochs, unfreeze_at, curves=None):
    """The course's own training; its history."""
    model = freeze(fresh())
    unfreeze(model.classifier)
    return fit(model, flowers.train, flowers.val, epochs=epochs, size=SIZE, on_epoch=curves,
               unfreeze_at=unfreeze_at)


curves = training_curves(epochs=EPOCHS, title="fit: the head, the last block, the one before")
display(curves)
last_block = [("conv_head", 1e-4), ("blocks.6", 1e-4)]
of_the_course = by_fit(EPOCHS, {4: last_block, 7: ("blocks.5", 1e-5)}, curves)
control = by_fit(5, {4: [(name, 1e-9) for name, _ in last_block]})

# %%
show_quiz("coding_3_gradual_unfreezing", "why-the-jump")

# %% [markdown]
# Now yours.


# %% tags=["teaches:gradual-yours"]
def one_pass(model, optimizer):
    """An epoch on the flowers, shuffled and augmented."""
    prepare = preprocessing(model, augment=True, size=SIZE)
    for chosen in torch.randperm(len(flowers.train)).split(32):
        pairs = [flowers.train[i] for i in chosen.tolist()]
        images = torch.stack([prepare(picture) for picture, _ in pairs])        # (32, 3, 64, 64)
        loss = F.cross_entropy(model(images), torch.tensor([label for _, label in pairs]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


missing = not_right_yet({"coding_3_gradual_unfreezing/plan-the-steps": make_plan,
                         "coding_3_gradual_unfreezing/train-by-the-plan": train_gradually})
lines = [Line("fit of the course", [(e.epoch, e.val_loss) for e in of_the_course.epochs]),
         Line("control: block at 1e-9", [(e.epoch, e.val_loss) for e in control.epochs])]
rows = [["fit of the course", *(f"{of_the_course.epochs[i].val_loss:.3f}" for i in (2, 3, 5, 8))]]
if missing:
    print("Your training runs here once both pieces pass. Not there yet:", ", ".join(missing))
else:
    torch.manual_seed(0)
    model, plan = fresh().to(memory_format=torch.channels_last), make_plan(PARTS, 3, 1e-3, 10)
    history = train_gradually(model, plan, one_pass,
                              lambda net: evaluate(net.eval(), flowers.val, size=SIZE).loss, EPOCHS)
    lines += [Line("yours", [(epoch, loss) for epoch, (loss, _) in enumerate(history, start=1)])]
    rows += [["yours", *(f"{history[i][0]:.3f}" for i in (2, 3, 5, 8))]]
show_exhibits("Gradual unfreezing on rendered flowers, 64 pixels",
              Chart("Validation loss", "epoch", "loss", lines,
                    marks=[(4, "the last block joins"), (7, "the one before")]),
              Table("Validation loss", ["", "epoch 3", "epoch 4", "epoch 6", "epoch 9"], rows))

# %% [markdown] tags=["teaches:gradual-reading-beside"]
# ## What to notice
#
# - **The loss jumps up in epoch 4**, and in the control too, where no weight of the block moves. So it is the
#   third switch: in train mode the block's BatchNorm leaves the statistics of pretraining and follows batches
#   of small augmented crops. Validation pictures are not like those.
# - **The weights mend it.** From epoch 4 on the real run lies below the control: learning works against the
#   jump. With larger pictures it should be smaller: try `SIZE = 96`.
# - **The head alone was not beaten here**, if your curves are like ours: 300 pictures at 64 pixels are too
#   few for a block to gain more than its BatchNorm costs. Gradual unfreezing is a means, and validation
#   decides.
# - **Yours and `fit`** differ by order and augmentation of the pictures only.

# %% [markdown] tags=["teaches:gradual-way-out"]
# ## What can be done about the jump
#
# Let the block learn with its BatchNorm at rest (`requires_grad` on, `.eval()` kept): many fine-tune so,
# above all with small batches. Or train at the full size, or for longer, so that the statistics settle. What
# your plan and your training make of it you can try: add `.eval()` for BatchNorm layers in your function, and
# see what the checks say, and what the curve does.

# %% [markdown] tags=["teaches:gradual-sources"]
# ## Sources and the way on
#
# Howard and Ruder, *Universal Language Model Fine-tuning for Text Classification*, 2018 (gradual unfreezing
# and rates by depth, for texts). Kumar et al., *Fine-Tuning can Distort Pretrained Features and Underperform
# Out-of-Distribution*, 2022 (why the head comes first).
#
# What each technique is worth on photographs, over seeds, stands in
# [lesson 06](../06_fine_tuning.ipynb#What-each-technique-is-worth).
#
# **Next:** [a range test](coding_4_range_test.ipynb), which finds the head's rate.
