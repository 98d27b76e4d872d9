# %% [markdown] tags=["teaches:idea"]
# ## The idea
#
# From a folder of pictures to a model that others can use: folders, splits, a training loop, more than one
# number to judge by, a file that a stranger can load. Each step has a slip that raises no error and costs
# accuracy. Some slips are worse: they show accuracy that is not there.
#
# The pictures here are **rendered surface defects**: four kinds of defect, and none, as an inspection camera
# would see them. They are drawn by a program, so accuracy on them says nothing about real surfaces.

# %%
import copy
import random
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from course_utils import paths
from course_utils.pretrained import (
    Epoch, evaluate, export, extract_features, fit, freeze, linear_probe, load_checkpoint, load_dataset,
    load_model, preprocessing, replace_head, save_checkpoint, train_mode, unfreeze)
from course_utils.widgets import (
    calibration_plot, confusion_explorer, show_exercise, show_pictures, show_quiz, show_result,
    training_curves, upload_demo, walkthrough)

torch.manual_seed(0)
folder = paths.data() / "defects"
for part in ("train", "val", "test"):
    print(part, {kind.name: len(list(kind.iterdir())) for kind in sorted((folder / part).iterdir())})

# %% [markdown] tags=["teaches:folders"]
# ## Folders
#
# One folder for each part, in it one folder for each class: `train/crack/017.jpg`. torchvision's
# `ImageFolder` reads that, and so does `load_dataset("folder:PATH")`. There, classes get their numbers in
# alphabetical order; elsewhere the order may be another, as in the data set loaded below. So the names go
# with the model, in the order it was trained with: after renaming a folder, 3 is another class.
#
# Count first. With 95 % of the pictures in one class, a model that always says this class is 95 % right. Then
# weigh the loss (`nn.CrossEntropyLoss(weight=…)`), draw rare classes more often, and judge by recall (the
# share of a class that is found).

# %%
defects = load_dataset("defects")
one_of_each = [defects.train.labels.index(label) for label in range(len(defects.classes))]
show_pictures([defects.train[i][0] for i in one_of_each], defects.classes, alt="rendered surface", width=110)

# %% [markdown] tags=["teaches:splits"]
# ## Splits
#
# **Train** is learned from, **validation** chosen by, **test** opened once, at the end. The parts must not
# share anything that gives the answer away. Ten photographs of the same plate are no ten plates: cut by
# plate, patient, house, day, never by picture. A picture that is in train and in validation, perhaps as a
# smaller copy, is a **leak**, and so is a choice made by looking at the test set.

# %%
show_quiz("08_practical_workflow", "what-leaks")

# %% [markdown]
# **Exercise.** Cut by object.

# %% tags=["exercise:08_practical_workflow/split-by-group"]

# %% [markdown] tags=["teaches:transforms"]
# ## Two ways to prepare
#
# Training pictures are augmented, validation pictures are not. Augmentation goes **before** the weights' own
# scaling and normalising, and does not replace them: a common slip is a training pipeline that ends in
# `ToTensor()` while validation normalises. The two below end in the same three steps.

# %% tags=["teaches:two-pipelines"]
model = load_model("efficientnet_lite0")
weights, size = model.course_weights, 128
last_steps = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(weights.mean, weights.std)]
augmented = v2.Compose([
    v2.RandomResizedCrop(size, scale=(0.5, 1.0)), v2.RandomHorizontalFlip(),
    v2.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2), *last_steps])
plain = preprocessing(model, size=size)

train_batches = DataLoader(ImageFolder(folder / "train", augmented), batch_size=32, shuffle=True)
val_batches = DataLoader(ImageFolder(folder / "val", plain), batch_size=32)
images, labels = next(iter(train_batches))
print("a training batch:", tuple(images.shape), f"mean {images.mean():.2f}, deviation {images.std():.2f}")
images, labels = next(iter(val_batches))
print("a validation one:", tuple(images.shape), f"mean {images.mean():.2f}, deviation {images.std():.2f}")

# %%
show_quiz("08_practical_workflow", "where-to-augment")

# %% [markdown] tags=["teaches:loop"]
# ## The loop, written out
#
# `fit` is convenient, and everybody should have written its loop once. Frozen backbone, new head with
# dropout, cross-entropy, Adam at 1e-3. `StepLR(5, 0.1)` divides the rate by ten every five epochs: it is
# stepped once an epoch, after validation. Ten epochs are usual; two must do here, so in this run the rate
# stays what it was.
#
# After each epoch the loop tells `on_epoch` how it went, as `fit` does. Here that draws the curves of lesson
# 05. Their **Stop** button makes it return False.
#
# **Exercise.** First what a loop needs after each epoch: validation. The loop below calls the course's own
# `evaluate`, which does the same.

# %% tags=["exercise:08_practical_workflow/validate-a-model"]

# %% [markdown]
# The cell trains; the one after it goes through the loop line by line. Choose a note, and its lines light up.


# %% tags=["teaches:loop-code"]
def train_head(net, epochs, patience=3, on_epoch=None):
    """Train the head of a frozen network; afterwards `net` is as it was in its best epoch."""
    optimizer = torch.optim.Adam(net.classifier.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.1)
    best = float("inf")
    for epoch in range(1, epochs + 1):
        start, total = time.perf_counter(), 0.0
        train_mode(net)
        for images, labels in train_batches:
            loss = F.cross_entropy(net(images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        found, rates = evaluate(net, val_batches), tuple(scheduler.get_last_lr())
        scheduler.step()
        torch.save({"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch,
                    "scheduler": scheduler.state_dict(), "val_accuracy": found.accuracy}, last)
        if found.loss < best:
            best, kept, best_epoch = found.loss, copy.deepcopy(net.state_dict()), epoch
        done = Epoch(epoch, total / len(train_batches.dataset), found.loss, found.accuracy,
                     time.perf_counter() - start, rates)
        if on_epoch is not None and on_epoch(done) is False:
            break
        if epoch - best_epoch >= patience:
            break
    net.load_state_dict(kept)
    print(f"kept: epoch {best_epoch}, validation loss {best:.3f}")


place = Path(tempfile.mkdtemp())
last = place / "last.pt"
device = "cuda" if torch.cuda.is_available() else "cpu"
classes = train_batches.dataset.classes
net = freeze(replace_head(copy.deepcopy(model), classes, dropout=0.5, seed=0)).to(device)
unfreeze(net.classifier)
curves = training_curves(2, title="The head, by a loop of your own")
display(curves)
train_head(net, epochs=2, on_epoch=curves)
print(f"to go on with: {', '.join(torch.load(last, weights_only=True))}")

# %% tags=["teaches:loop-by-line"]
walkthrough(train_head, {
    "optimizer = ": "Only the head's parameters: nothing else may move.",
    "scheduler = ": "The rate is 0.001 for five epochs, then 0.0001, then 0.00001.",
    "train_mode(net)": "In every epoch anew, because validation puts the network into eval mode. Dropout "
                       "works again, and frozen BatchNorm goes on resting.",
    "images.to(device)": "Pictures and labels go where the network is; elsewhere they are an error.",
    ("zero_grad", "optimizer.step()"): "Forget the last batch's gradients, compute those of this one, take a "
                                       "step. Without the first, gradients of all batches add up.",
    "total +=": "A batch's loss is a mean: times its pictures, so that a small last batch counts for less.",
    "evaluate(net": "Eval mode, no gradients, averages over pictures and not over batches.",
    "scheduler.step()": "Once an epoch. Inside the inner loop the rate would fall every five batches.",
    ("torch.save", "last)"): "What is needed to go on after a crash, of the last epoch. The best so far is "
                              "in memory alone: for a long training, write that to a file, too.",
    "copy.deepcopy": "The weights of the best epoch so far. Without the copy, `kept` would be the live "
                     "tensors, and change with every step.",
    ("done = Epoch", "rates)"): "What is known of this epoch, in the form that `fit` and the curves use.",
    ("if on_epoch", "break"): "Whoever listens may end the training: the Stop button does.",
    ("if epoch - best_epoch", "break"): "Early stopping: enough epochs in a row have not been better.",
    "net.load_state_dict": "The best epoch, not the last."})

# %% [markdown] tags=["teaches:checkpoints"]
# ## Save and load
#
# To go on after a crash you need more than weights: **state dict, optimizer, scheduler, epoch, validation
# accuracy**, all of the last epoch, as the loop wrote them to `last.pt`. Resume at the *next* epoch. The best
# weights belong in another file, and to make sense of them one needs class names, preprocessing and versions.
# With `map_location="cpu"` a file from a machine with a GPU loads on one without.
#
# `fit(…, checkpoint=path, resume=True)` and `save_checkpoint` keep all that, in files without code.
# **Predict**: below, a head saved with dropout meets one without.

# %%
show_quiz("08_practical_workflow", "which-keys")

# %%
show_quiz("08_practical_workflow", "resume-where")

# %% [markdown]
# Now the best weights, in a file as many people write it.

# %% tags=["teaches:mismatch"]
torch.save({"model": net.state_dict()}, place / "mine.pt")
bare = replace_head(copy.deepcopy(model), classes, seed=0)
try:
    bare.load_state_dict(torch.load(place / "mine.pt", map_location="cpu", weights_only=True)["model"])
    seen = "loads"
except RuntimeError as error:
    print(str(error)[:330])
    seen = "shapes" if "size mismatch" in str(error) else "names"
show_result("08_practical_workflow", "which-keys", found=seen)

# %% [markdown] tags=["teaches:stranger"]
# `classifier.1.weight` is the Linear *behind* the dropout, in a `Sequential`; the bare Linear calls its
# weight `classifier.weight`. Build the same head and it loads. `strict=False` would only hide it: the head
# would stay random, without an error.
#
# A file with metadata needs no guessing. This is all a stranger has to type:

# %% tags=["teaches:metadata"]
save_checkpoint(place / "defects.pt", net)
checkpoint = load_checkpoint(place / "defects.pt")
print(checkpoint.classes, checkpoint.weights.name, checkpoint.versions["torch"], sep="\n")

# %% [markdown] tags=["teaches:metrics"]
# ## More than one number
#
# To look at errors, let us have a better model first: a linear probe on features at full size.
#
# - **Confusion matrix**: who is taken for whom. Choose a cell and see the pictures behind it.
# - **Recall** of a class: the share of its pictures that was found. Accuracy hides a rare class, recall
#   does not.
# - **Calibration**: of the pictures it is 80 % sure of, are 80 % right? Modern networks are often too sure
#   (Guo et al., 2017).

# %%
train, val = (extract_features(model, part) for part in (defects.train, defects.val))
probe = linear_probe(train, val)
scores = probe.logits(val)
confusion_explorer(scores, defects.val)

# %% tags=["teaches:calibration"]
calibration_plot(scores, defects.val.labels)

# %% [markdown]
# A few dozen pictures in a bin say little: their share would jump with each one more.

# %%
show_quiz("08_practical_workflow", "rare-class")

# %% [markdown] tags=["teaches:test-time"]
# ### Several views of one picture
#
# **Test-time augmentation** shows the network several augmented views of a picture and averages the
# probabilities. AlexNet did so in the challenge, with ten crops (Krizhevsky et al., 2012). It may help where
# every view still shows what the class depends on, since the accident of one crop averages out. It does not
# help where a view hides it: a crop may cut a scratch away, a mirror spoils most digits. And it costs:
# one pass for each view, whenever the model is used, not only in training.

# %% tags=["teaches:test-time-run"]
some = defects.val.subset(range(0, 100, 2))         # 50 pictures, so that it takes seconds
for views in (1, 4):                                # the plain picture, or four augmented ones
    start = time.perf_counter()
    seen = extract_features(model, some, views=views, cache=False)              # all, then all once more …
    shares = probe.logits(seen).softmax(dim=1).unflatten(0, (views, -1)).mean(dim=0)             # (50, 5)
    right = (shares.argmax(dim=1) == torch.tensor(some.labels)).double().mean()
    print(f"{views} × {len(some)} passes, {time.perf_counter() - start:.1f} s: {right:.0%} right")

# %% [markdown]
# One run with 50 pictures decides nothing: each is two points, and other views give another number. Decide as
# in lesson 07: in pairs, by more validation pictures.

# %% [markdown] tags=["teaches:test-once"]
# ## The test, once
#
# Everything so far was chosen by the validation pictures. Now the test pictures, once.

# %%
final = replace_head(copy.deepcopy(model), defects.classes)
final.classifier = probe.as_head()
final.course_classes = defects.classes
result = evaluate(final, defects.test)
print(result)

# %% [markdown] tags=["teaches:deploy"]
# ## Hand it on
#
# A program without PyTorch can run the model from an **ONNX** file. An export may go wrong silently, so
# compare the outputs: `export` refuses if they differ. Beside it lie the weights as **safetensors**, which
# can hold no code, and a **model card**: what it is, what it was trained on, how well it does, what it must
# not be used for. What you did not tell it, the card asks you to fill in.

# %% tags=["teaches:export"]
shared = export(final, place / "shared", data=defects, metrics=result)
for file in sorted((place / "shared").iterdir()):
    print(f"{file.name}: {file.stat().st_size / 2**20:.1f} MiB")
print("\n".join((place / "shared" / "README.md").read_text().splitlines()[:14]))

# %% [markdown]
# And a demo, which is often what convinces. Upload any picture; a holiday photograph will get one of
# these five names too, because they are all the model knows.

# %% tags=["teaches:demo"]
upload_demo(final)

# %% [markdown] tags=["teaches:traps"]
# ## What can go wrong
#
# - **Leaks**: the same object, patient or day on both sides of a split.
# - **Augmented validation pictures**: another number every time, as lesson 05 shows.
# - **Training pictures not normalised** like the others: the augmentation replaced the weights'
#   preprocessing.
# - **Batch means averaged**: a small last batch counts as much as a full one.
# - **The last epoch kept** instead of the best; the same epoch run twice after resuming.
# - **A whole model pickled**: loading runs code, and breaks when your files move. Save the state dict.
# - **Reporting the set that was chosen by**: it flatters. That is what the test set is for, once.
#
# ## Take-away
#
# Cut by object. Augment training pictures only, before the weights' own steps. Keep the best epoch with all
# that is needed to go on. Look at the errors, not only at their number. Hand on files without code, with a
# card.
#
# **Next:** [09 · Features and several tasks](09_features_and_tasks.ipynb): any layer read, two
# heads on one body.
