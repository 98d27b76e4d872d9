# %% [markdown] tags=["teaches:pipeline-task"]
# ## The task
#
# You have 300 pictures of five kinds of flowers and a network that knows ImageNet. Write what lies between
# them and a trained classifier: five functions, each with its own checks. None is long. Each has slips that
# raise no error, and most of the checks are about those.
#
# The pieces are checked on tiny models and known losses, so an answer is judged at once. At the end they run
# together on the flowers. Lesson 05 showed the frozen backbone, lesson 08 the loop; go back to them as often
# as you like: [Three switches](../05_feature_extraction.ipynb#Three-switches),
# [The loop, written out](../08_practical_workflow.ipynb#The-loop,-written-out).
#
# The pictures are **rendered by a program**; accuracy on them says nothing about real flowers.

# %%
import copy
import math
import random
import tempfile
from pathlib import Path

import torch
from scipy.stats import binomtest
from sklearn.model_selection import train_test_split
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from course_utils.pretrained import (
    evaluate, extract_features, fit, freeze, linear_probe, load_dataset, load_model, replace_head, unfreeze)
from course_utils.widgets import (
    Chart, Line, Table, not_right_yet, show_exercise, show_exhibits, show_pictures, show_quiz)

torch.manual_seed(0)
flowers = load_dataset("flowers")
pictures = flowers.train                    # all there is, for now
print(pictures)
first_of_each = [pictures.labels.index(label) for label in range(len(flowers.classes))]
show_pictures([pictures[i][0] for i in first_of_each], flowers.classes, alt="rendered flower", width=120)

# %% [markdown] tags=["teaches:pipeline-split"]
# ## Three parts
#
# One part to learn from, one to choose by, one to test with at the very end. **Stratified** means: each class
# has the same share in every part. With a rare class that matters, because chance alone may leave it out.
#
# **Exercise.** Positions in, three lists of positions out.

# %% tags=["exercise:coding_2_flower_pipeline/stratified-split"]

# %% [markdown] tags=["teaches:pipeline-augmentation"]
# ## Prepared in two ways
#
# Training pictures are augmented: other crops, mirrored, anew in every epoch. Validation and test pictures
# are not: they are a measure, and a measure stays the same. What both share is the end: values and
# normalisation as the weights want them.
#
# **Exercise.** Two functions, made from the numbers that come with the weights.

# %% tags=["exercise:coding_2_flower_pipeline/prepare-twice"]

# %% [markdown] tags=["teaches:pipeline-frozen"]
# ## One epoch
#
# The backbone is frozen, its BatchNorm layers too; the head learns, with dropout at work. The optimizer is
# given to you and holds the head. What you return is the loss of a *picture*, so that epochs with other
# batches can be compared.
#
# **Exercise.** Modes, batches, steps, and a mean that is one.

# %% tags=["exercise:coding_2_flower_pipeline/train-one-epoch"]

# %% [markdown] tags=["teaches:pipeline-stopping"]
# ## Early stopping
#
# After some epochs a network learns its training pictures by heart: the training loss goes on falling, the
# validation loss does not. So stop when validation has not improved for some epochs in a row (the
# **patience**), and take the weights of the best epoch, not the last.

# %%
show_quiz("coding_2_flower_pipeline", "what-the-test-says")

# %% [markdown]
# **Exercise.** You get `one_epoch` and `evaluate` as arguments, so the function can be tried on losses that
# are known beforehand.

# %% tags=["exercise:coding_2_flower_pipeline/stop-early"]

# %% [markdown] tags=["teaches:pipeline-checkpoint"]
# ## A file to go on from
#
# Power fails, disks fill up, kernels are killed, most likely in the longest training. A **checkpoint** holds
# all that is needed to go on. It must never be half a file: write beside the old one, then rename. Renaming
# within a folder is done at once or not at all.
#
# **Exercise.** State dicts only, so that loading runs no code.

# %% tags=["exercise:coding_2_flower_pipeline/save-whole"]

# %% [markdown] tags=["teaches:pipeline-run"]
# ## All of it together
#
# The next cell puts your five functions to work: 180 pictures to learn from at 96 pixels, Adam at 0.003 on
# the head, at most six epochs, patience 2. Beside them the course's own: `fit`, which does the same, and a
# linear probe on features that are read once and not augmented. All three use the same parts.
#
# As long as a piece does not pass, only the course's run is shown.


# %% tags=["teaches:pipeline-assembled"]
class Prepared(Dataset):
    """Pictures, each prepared by `how` when it is asked for."""

    def __init__(self, images, how):
        self.images, self.how = images, how

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        picture, label = self.images[i]
        return self.how(picture), label


SIZE, EPOCHS, PATIENCE, SHARES = 96, 6, 2, {"train": 0.6, "val": 0.2, "test": 0.2}


def fresh():
    """Lite0 with a new head for the flowers, which alone learns, and its optimizer."""
    model = freeze(replace_head(load_model("efficientnet_lite0"), flowers.classes, dropout=0.2, seed=0))
    model.to(memory_format=torch.channels_last)             # the same numbers, in a faster order
    unfreeze(model.classifier)
    return model, torch.optim.Adam(model.classifier.parameters(), lr=3e-3)


def your_run(parts):
    """Your pieces, one after another: the history, and the accuracy of what the file holds."""
    model, optimizer = fresh()
    weights = model.course_weights
    for_training, for_evaluation = preparations(weights.mean, weights.std, SIZE)
    how = {"train": for_training, "val": for_evaluation, "test": for_evaluation}
    batches = {name: DataLoader(Prepared(parts[name], how[name]), 32, shuffle=name == "train")
               for name in how}
    history, _ = experiment(model, batches, lambda net, part: one_epoch(net, part, optimizer),
                            lambda net, part: evaluate(net, part).loss, EPOCHS, PATIENCE)
    file = Path(tempfile.mkdtemp()) / "flowers.pt"
    save(file, model, optimizer, len(history), flowers.classes)
    loaded, _ = fresh()                                     # as somebody else would use it
    loaded.load_state_dict(torch.load(file, weights_only=True)["model"])
    return history, evaluate(loaded, batches["test"]).accuracy


missing = not_right_yet({
    "coding_2_flower_pipeline/stratified-split": split,
    "coding_2_flower_pipeline/prepare-twice": preparations,
    "coding_2_flower_pipeline/train-one-epoch": one_epoch,
    "coding_2_flower_pipeline/stop-early": experiment, "coding_2_flower_pipeline/save-whole": save})
if missing:
    print("Your pipeline runs here once all pieces pass. Not there yet:", ", ".join(missing))
    rest, test = train_test_split(range(len(pictures)), test_size=0.2, stratify=pictures.labels,
                                  random_state=0)
    train, val = train_test_split(rest, test_size=0.25, stratify=[pictures.labels[i] for i in rest],
                                  random_state=0)
else:
    train, val, test = split(pictures.labels, tuple(SHARES.values()), 0)
parts = {name: pictures.subset(part) for name, part in zip(SHARES, (train, val, test), strict=True)}
yours = None if missing else your_run(parts)

# %% tags=["teaches:pipeline-beside"]
model, optimizer = fresh()
of_the_course = fit(model, parts["train"], parts["val"], epochs=EPOCHS, size=SIZE, optimizer=optimizer,
                    patience=PATIENCE)
probe = linear_probe(*(extract_features(load_model("efficientnet_lite0"), parts[name], size=SIZE)
                       for name in ("train", "val")))
probed, _ = fresh()
probed.classifier = probe.as_head()
lines = [Line("the course, validation", [(e.epoch, e.val_loss) for e in of_the_course.epochs]),
         Line("the course, training", [(e.epoch, e.train_loss) for e in of_the_course.epochs])]
accuracies = [["fit of the course", evaluate(model, parts["test"], size=SIZE).accuracy],
              ["a probe on features kept", evaluate(probed, parts["test"], size=SIZE).accuracy]]
if yours:
    lines += [Line("yours, validation", [(i, loss) for i, (_, loss) in enumerate(yours[0], start=1)]),
              Line("yours, training", [(i, loss) for i, (loss, _) in enumerate(yours[0], start=1)])]
    accuracies += [["yours, loaded from its file", yours[1]]]
count = len(parts["test"])
rows = [[name, f"{a:.1%}", "{:.0%} to {:.0%}".format(
    *binomtest(round(a * count), count).proportion_ci(method="wilson"))] for name, a in accuracies]
show_exhibits("Five kinds of rendered flowers, 96 pixels",
              Chart("Loss by epoch", "epoch", "loss", lines),
              Table(f"Accuracy on {count} test pictures, with its uncertainty", ["", "right", "95 %"], rows))

# %% [markdown] tags=["teaches:pipeline-reading"]
# ## What to notice
#
# - **Your curve and the course's** differ by their random crops, as two seeds would. If yours lies far above,
#   a piece does something other than you think, although its checks pass: look at the two training losses
#   first.
# - **The training loss may lie above the validation loss.** Training pictures are cropped and half of their
#   features hidden at random, validation pictures are whole.
# - **Some twenty points wide.** Sixty test pictures cannot tell these runs apart. More of them, or several
#   seeds, could ([lesson 07](../07_choosing_a_strategy.ipynb) counts how many).
# - **The probe takes a second.** Here the augmented epochs have to earn their time first.

# %%
show_quiz("coding_2_flower_pipeline", "augmented-and-cached")

# %% [markdown] tags=["teaches:pipeline-sources"]
# ## Sources and the way on
#
# Early stopping: Prechelt, *Early Stopping — But When?*, 1998. Whole files by renaming: the manual of
# `rename(2)`, and Python's `os.replace`. Frozen BatchNorm: [lesson
# 05](../05_feature_extraction.ipynb#Three-switches). Splits by object instead of by picture: [lesson
# 08](../08_practical_workflow.ipynb#Splits).
#
# To try your pipeline on photographs of your own, write `load_dataset("folder:PATH")` in the first cell.
#
# **Next:** [gradual unfreezing](coding_3_gradual_unfreezing.ipynb), where the backbone learns too.
