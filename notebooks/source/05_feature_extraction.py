# %% [markdown]
# ## The idea
#
# A network trained on ImageNet has learned to turn pixels into **features**: numbers that say how much of
# this texture, that outline, this part is in the picture. Only its last layer, the **head**, turns features
# into ImageNet's 1,000 classes.
#
# Your classes are others, but your pictures are made of textures, outlines and parts too. So keep
# everything before the head, the **backbone**, exactly as it is, and train a small head of your own on the
# features it gives. That is *feature extraction*.
#
# The pictures below are **rendered by a program**, not photographed, so that they can ship with the course.
# The weights are real ones. To try the lesson on a folder of your own pictures, one subfolder for each
# class, write `load_dataset("folder:PATH")` instead.

# %%
import copy
import time
from dataclasses import replace

import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2

from course_utils.pretrained import (
    evaluate, extract_features, find_head, fit, freeze, freeze_report, linear_probe, load_dataset, load_model,
    preprocessing, replace_head, step_cost, top_k, train_mode, unfreeze)
from course_utils.widgets import (
    flow, freeze_map, predictions, show_exercise, show_pictures, show_quiz, training_curves)

torch.manual_seed(0)
flowers = load_dataset("flowers")
print(flowers)
first_of_each = [flowers.train.labels.index(label) for label in range(len(flowers.classes))]
show_pictures([flowers.train[i][0] for i in first_of_each], flowers.classes, alt="rendered flower", width=120)

# %% [markdown]
# ImageNet has a class for daisies and none for tulips. What can the model say about a tulip? It can only
# choose among what it knows.

# %%
model = load_model("efficientnet_lite0")
tulip = flowers.train[first_of_each[-1]][0]
predictions(tulip, top_k(model, tulip), alt="a rendered tulip")

# %% [markdown]
# ## A new head
#
# The features may be good, the names are wrong. So the head goes, and a new one with five outputs comes: a
# `Linear` layer from the 1,280 features to your classes. It starts with random weights, and it is all that
# will learn.
#
# **Predict first**, then run the next cell.

# %%
show_quiz("05_feature_extraction", "how-many-learn")

# %%
print("The head of this model is called", find_head(model))
replace_head(model, flowers.classes, seed=0)
freeze(model)
unfreeze(model.classifier)
learning = sum(p.numel() for p in model.parameters() if p.requires_grad)
print(f"{learning:,} of {sum(p.numel() for p in model.parameters()):,} parameters learn")

# %% [markdown]
# The head has another name in each family. You find it in any model by printing it and looking for the
# Linear with 1,000 outputs; timm also writes it down, in `model.default_cfg["classifier"]`.
#
# The cell below builds one model of each family without its weights ("meta" tensors have a shape but no
# numbers), asks for the head, and gives it ten classes with dropout before the Linear. Look at ResNet-50:
# 20,490 of 23,528,522 parameters would learn, 0.09 %.

# %%
# NBVAL_CHECK_OUTPUT
print(f"{'model':24}{'head':14}{'features':>9}{'learn':>9}{'of':>14}")
for name in ["resnet18", "resnet50", "vgg16", "efficientnet_b0", "mobilenet_v3_large", "densenet121",
             "convnext_tiny", "vit_b_16", "swin_t"]:
    with torch.device("meta"):
        any_model = load_model(f"torchvision/{name}", random_init=True)
    head = find_head(any_model)
    features = any_model.get_submodule(head).in_features
    freeze(any_model)
    replace_head(any_model, 10, dropout=0.5)
    learn = sum(p.numel() for p in any_model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in any_model.parameters())
    print(f"{name:24}{head:14}{features:>9,}{learn:>9,}{total:>14,}")

# %% [markdown]
# **Exercise.** Give a model its new head yourself. Run the cell when you have written it: the panel below
# it tells you what it found. There are hints, and it may take several tries.

# %% tags=["exercise:05_feature_extraction/replace-the-head"]

# %% [markdown]
# ## Three switches
#
# "Frozen" sounds like one thing. It is three:
#
# 1. **Gradients**: `requires_grad = False` for every parameter of the backbone.
# 2. **Modes**: frozen BatchNorm layers in eval mode.
# 3. **The optimizer**: it must hold what learns, so the new head and every layer you unfreeze later.
#
# Most tutorials set the first and forget the second. Say what happens then, and look.

# %%
show_quiz("05_feature_extraction", "what-still-moves")


# %%
def drift_after_five_batches(set_modes):
    """Let 5 batches of 8 pictures through a copy of the frozen model; how far did BatchNorm's means move?"""
    trial = copy.deepcopy(model)
    set_modes(trial)
    with torch.no_grad():
        for batch in forty.split(8):        # (8, 3, 224, 224)
            trial(batch)
    return freeze_report(trial).set_index("group")["batchnorm_drift"]


prepare, anywhere = preprocessing(model), torch.randperm(len(flowers.train))
forty = torch.stack([prepare(flowers.train[i][0]) for i in anywhere[:40].tolist()])
drift = drift_after_five_batches(lambda m: m.train()).to_frame("model.train()")
drift["train_mode(model)"] = drift_after_five_batches(train_mode)
drift.dropna().round(3)

# %% [markdown]
# The left column is the largest change of a running mean within each group, although no parameter has a
# gradient. The head you train on Monday's statistics then meets Tuesday's. The right column is 0:
# `train_mode` calls `train()`, then puts every part that is frozen back into eval mode. `fit` does so in
# every epoch. A plain `model.train()` of your own undoes it.
#
# The third switch is quieter. The report below lists all three for each group of layers. A frozen parameter
# that stays in the optimizer is not "unfrozen": as long as its gradient is `None`, it does not move. It can
# move if you freeze it in mid-training and keep its old gradient as zeros, because Adam still has momentum.
# The second cell measures both.

# %%
train_mode(model)
optimizer = torch.optim.Adam(model.classifier.parameters(), lr=1e-3)
freeze_map(model, optimizer)


# %%
def moved_after_freezing(set_to_none):
    """Train one layer for a step, freeze it, take three more steps; how far did it move once frozen?"""
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))
    adam = torch.optim.Adam(layers.parameters(), lr=1e-3)
    x, y = torch.randn(16, 8), torch.randint(2, (16,))
    for step in range(4):
        if step == 1:
            freeze(layers[0])
            before = layers[0].weight.clone()
        adam.zero_grad(set_to_none=set_to_none)
        F.cross_entropy(layers(x), y).backward()
        adam.step()
    return (layers[0].weight - before).abs().max().item()


print(f"frozen in mid-training, gradients set to None (the default): moved {moved_after_freezing(True):.4f}")
print(f"frozen in mid-training, gradients set to zero:               moved {moved_after_freezing(False):.4f}")

# %% [markdown]
# **Exercise.** All three switches, by your own hand.

# %% tags=["exercise:05_feature_extraction/freeze-the-backbone"]

# %% [markdown]
# ## Train the head
#
# This is the model as it is now: frozen parts are hatched and marked, the head learns. Then two epochs of
# training, with augmentation: random crops and flips, put *before* the weights' own preprocessing. Press
# **Stop** whenever you have seen enough; what is learned by then is kept.

# %%
flow(model, optimizer)

# %%
curves = training_curves(epochs=2, title="Training the head, the backbone frozen")
display(curves)
history = fit(model, flowers.train, flowers.val, epochs=2, size=128, optimizer=optimizer, on_epoch=curves)

# %% [markdown]
# ## Cache the features
#
# Every epoch sends every picture through a backbone that never changes. Its answer never changes either. So
# ask once, keep the features, and train heads on those. A linear head on stored features is called a
# **linear probe**.
#
# The first pass takes some seconds. Run the cell again: the features come from a file, whose name holds a
# fingerprint of weights, preprocessing and pictures. Change any of them and they are read anew.

# %%
backbone = load_model("efficientnet_lite0")
start = time.perf_counter()
train = extract_features(backbone, flowers.train)
val = extract_features(backbone, flowers.val)
print(f"{tuple(train.x.shape)} training features and {tuple(val.x.shape)} for validation "
      f"in {time.perf_counter() - start:.1f} s")

# %%
start = time.perf_counter()
probe = linear_probe(train, val)
print(f"trained in {time.perf_counter() - start:.2f} s; strength {probe.strength:g} chosen on validation")
print(f"validation accuracy of the probe:                 {probe.accuracy:.1%}")
print(f"validation accuracy after two epochs of training: {history.epochs[-1].val_accuracy:.1%}")

# %% [markdown]
# `linear_probe` trained a head for each of several strengths of regularisation and kept the one that did best
# on the validation pictures. For the same reason that number flatters a little: it was used to choose.
#
# Speed has a price. Which?

# %%
show_quiz("05_feature_extraction", "when-cache-fails")

# %%
few = flowers.train.subset(anywhere[:60].tolist())
for views in (1, 3):
    seen = extract_features(backbone, few, views=views)
    print(f"{len(few)} pictures, {views} view{'s' * (views > 1)} of each: {len(seen)} vectors, "
          f"validation accuracy {linear_probe(seen, val).accuracy:.1%}")

# %% [markdown]
# One view is the plain picture, three are random crops and flips of it: some of augmentation comes back, at
# three times the cost. Here only 60 pictures were used, because variety counts most where pictures are few.
# Whether it helps depends on them: trust what your run printed, and remember that one of the 100 validation
# pictures is a whole percentage point.
#
# **Exercise.** Read the features yourself.

# %% tags=["exercise:05_feature_extraction/extract-features"]

# %% [markdown]
# ## Preprocessing
#
# These weights expect pixels from −1 to 1: mean 0.5, standard deviation 0.5. Habit says ImageNet's mean and
# standard deviation, and nothing fails when habit is wrong. The cell below prepares the validation pictures
# with the wrong numbers and shows them to the probe, as happens when training and deployment prepare
# pictures differently. Then the exercise: write the right preparation.

# %%
by_habit = copy.deepcopy(backbone)
by_habit.course_weights = replace(
    backbone.course_weights, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
for name, prepared_for in [("as the weights expect", backbone), ("ImageNet's mean and std", by_habit)]:
    seen = extract_features(prepared_for, flowers.val)
    print(f"{name:26} validation accuracy {probe.score(seen):.1%}")

# %% tags=["exercise:05_feature_extraction/prepare-a-picture"]

# %% [markdown]
# ## When to use it
#
# | | feature extraction | fine-tuning |
# |---|---|---|
# | pictures | hundreds to low thousands | thousands and more |
# | domain | like the one of pretraining | may differ |
# | what learns | the head | some or all layers |
# | memory and time | small: see below | large: see below |
# | risk of overfitting | low | higher |
# | accuracy | a good baseline | usually the best, given enough pictures |
#
# The rows about pictures, overfitting and accuracy are rules of thumb. The cost you can measure: one
# training step on 8 pictures of 128 × 128 pixels, here, now.

# %%
small = preprocessing(model, size=128)
images = torch.stack([small(picture) for picture, _ in flowers.train.subset(range(8))])   # (8, 3, 128, 128)
labels = torch.tensor(flowers.train.labels[:8])
whole = unfreeze(copy.deepcopy(model))
for strategy, trial in [("feature extraction", model), ("fine-tuning", whole)]:
    cost = step_cost(train_mode(trial), images, labels)
    print(f"{strategy}: {cost.learning:,} parameters learn, {cost.seconds:.2f} s a step,\n    "
          f"{cost.kept_mib:.2f} MiB of activations kept, {cost.state_mib:.2f} MiB of gradients and moments")

# %%
show_quiz("05_feature_extraction", "when-to-extract")

# %% [markdown]
# ## The test, once
#
# Everything so far was chosen on validation pictures: the strength, the views, your patience. The test
# pictures have not been touched. Now they are, once. If you come back to try more and look again, the
# number turns into one more thing you chose by; `flowers.test` will remind you.

# %%
backbone.classifier = probe.as_head()      # the probe becomes the head of the network
evaluate(backbone, flowers.test)

# %% [markdown]
# ## What can go wrong
#
# - **Everything frozen**, the new head too: the loss stays where it is. Unfreeze the head after freezing.
# - **BatchNorm drifts**: validation gets worse though "nothing" learns. Use `train_mode`.
# - **The optimizer was made before the head was replaced**: it holds the old head. Make it last.
# - **ImageNet's numbers by habit**: no error, lower accuracy. Take them from the weights.
# - **Squashed pictures**: `Resize((256, 256))` changes proportions, `Resize(256)` does not.
# - **Stale features**: kept from other weights or other preprocessing. The course's cache checks; a file of
#   your own does not.
#
# ## Take-away
#
# Replace the head, freeze with three switches, prepare pictures as the weights expect. Read the features
# once and a head trains in a second, so try this first: it is the number that fine-tuning has to beat.
#
# **Next:** your progress is on the last page of [lesson 00](00_start_here.ipynb).
