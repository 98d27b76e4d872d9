# %% [markdown] tags=["teaches:idea"]
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
# The pictures below are **rendered by a program**, not photographed, so that they can ship with the course;
# with `COURSE_PHOTOS=1` they are photographs. The weights are real ones. To try the lesson on a folder of
# your own pictures, one subfolder for each class, write `load_dataset("folder:PATH")` instead of
# `load_dataset("flowers")` in the next cell.

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
    count_parameters, evaluate, extract_features, find_head, fit, freeze, freeze_report, linear_probe,
    load_dataset, load_model, preprocessing, replace_head, step_cost, top_k, train_mode, unfreeze)
from course_utils.widgets import (
    flow, freeze_map, predictions, show_exercise, show_pictures, show_quiz, show_result, training_curves)

torch.manual_seed(0)
flowers = load_dataset("flowers")
print(flowers)
first_of_each = [flowers.train.labels.index(label) for label in range(len(flowers.classes))]
show_pictures([flowers.train[i][0] for i in first_of_each], flowers.classes, alt=flowers.card.kind, width=120)

# %% [markdown]
# ImageNet has a class for daisies and none for tulips. What can the model say about a tulip? It can only
# choose among what it knows.

# %%
model = load_model("efficientnet_lite0")
tulip = flowers.train[first_of_each[-1]][0]
predictions(tulip, top_k(model, tulip), alt=f"{flowers.classes[-1]} ({flowers.card.kind})")

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

# %% tags=["teaches:new-head"]
print("The head of this model is called", find_head(model), "and is", model.classifier)
replace_head(model, flowers.classes, seed=0)
freeze(model)
unfreeze(model.classifier)
print(f"{count_parameters(model, trainable=True):,} of {count_parameters(model):,} parameters learn")
show_result("05_feature_extraction", "how-many-learn")

# %% [markdown] tags=["teaches:find-the-head"]
# The head has another name in each family. In most models you find it by printing it and looking for the
# Linear with 1,000 outputs; SqueezeNet has a convolution. This model's code comes from **timm**, a library
# of vision models, which also writes the name down, in `model.default_cfg["classifier"]`.
#
# The cell below asks models of **torchvision** for their heads; the first two lines are one family in two
# libraries, timm and torchvision. It builds them without weights ("meta" tensors have a shape but no numbers)
# and gives each ten classes, with dropout before the Linear: in training, dropout hides half of the features
# at random, so that no single one is relied on. `classifier.6` means `model.classifier[6]`.
# Guess first: what share of ResNet-50's parameters would learn?

# %% tags=["teaches:heads-of-families"]
# NBVAL_CHECK_OUTPUT
print(f"{'model':31}{'head':14}{'features':>8}{'learn':>8}{'of':>13}{'share':>8}")
for name in ["timm/tf_efficientnet_lite0", "torchvision/efficientnet_b0", "torchvision/resnet18",
             "torchvision/resnet50", "torchvision/vgg16", "torchvision/mobilenet_v3_large",
             "torchvision/densenet121", "torchvision/convnext_tiny", "torchvision/vit_b_16",
             "torchvision/swin_t"]:
    with torch.device("meta"):
        any_model = load_model(name, random_init=True)
    head = find_head(any_model)
    features = any_model.get_submodule(head).in_features
    freeze(any_model)
    replace_head(any_model, 10, dropout=0.5)
    learn, total = count_parameters(any_model, trainable=True), count_parameters(any_model)
    print(f"{name:31}{head:14}{features:>8,}{learn:>8,}{total:>13,}{learn / total:>8.2%}")

# %% [markdown]
# **Exercise.** Give a model its new head yourself, in plain PyTorch: the course's own `replace_head` is
# accepted too, but then you have not practised it. Run the cell when you have written it: the panel below it
# tells you what it found. There are hints, and it may take several tries.

# %% tags=["exercise:05_feature_extraction/replace-the-head"]

# %% [markdown] tags=["teaches:three-switches"]
# ## Three switches
#
# "Frozen" sounds like one thing. It is three:
#
# 1. **Gradients**: `requires_grad = False` for every parameter of the backbone.
# 2. **Modes**: frozen BatchNorm layers in eval mode. What learns stays in train mode, so that its dropout
#    works.
# 3. **The optimizer**: it must hold what learns, so the new head and every layer you unfreeze later.
#
# A **BatchNorm** layer subtracts a mean and divides by a standard deviation, channel by channel. In train
# mode it takes both from the batch and keeps a running average of them; in eval mode it uses that average.
# The average is a **buffer**: stored with the model, but not a parameter.
#
# It is easy to set the first switch and forget the second. What happens then?

# %%
show_quiz("05_feature_extraction", "what-still-moves")


# %% tags=["teaches:drift"]
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
display(drift.dropna().map("{:.1g}".format))
show_result("05_feature_extraction", "what-still-moves",
            found="statistics" if drift["model.train()"].max() > 0 else "nothing")

# %% [markdown] tags=["teaches:optimizer-switch"]
# The table has one line for each group of layers with BatchNorm, from the **stem**, the first convolution,
# towards the head. The left column is the largest change of a running mean in the group, although no
# parameter has a gradient. The head then gets other features than those it was trained on. The right column
# is 0: `train_mode` calls `train()`, then puts every part that is frozen back into eval mode. `fit` does so
# in every epoch. A plain `model.train()` of your own undoes it.
#
# The third switch is the optimizer. A frozen parameter in it does not move as long as its gradient is `None`,
# and that is what `zero_grad()` leaves. With `zero_grad(set_to_none=False)` the gradient stays, as zeros. If
# you then freeze a parameter in the middle of training, Adam's momentum still moves it. The next cell shows
# all three switches of the model as it is, the one after it measures these two cases.

# %% tags=["teaches:freeze-map"]
train_mode(model)
optimizer = torch.optim.Adam(model.classifier.parameters(), lr=1e-3)
freeze_map(model, optimizer)


# %% tags=["teaches:frozen-in-optimizer"]
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
# **Exercise.** All three switches, in plain PyTorch.

# %% tags=["exercise:05_feature_extraction/freeze-the-backbone"]

# %% [markdown] tags=["teaches:augmentation"]
# ## Train the head
#
# This is the model as it is now: frozen parts are hatched and marked, the head learns. Then two epochs of
# training with Adam at 1e-3, a usual rate for a head that starts at random.
#
# The training pictures are **augmented**: a random crop takes the place of resizing and cropping, then come
# a random flip and a slight change of colours. Scaling and normalising stay those of the weights, and
# validation pictures are not augmented. `size=128` makes pictures smaller, so that an epoch takes seconds.
# **Stop** ends training after the epoch that runs now; what is learned by then is kept.

# %% tags=["teaches:flow"]
flow(model, optimizer)

# %% tags=["teaches:curves"]
curves = training_curves(epochs=2, title="Training the head, the backbone frozen")
display(curves)
history = fit(model, flowers.train, flowers.val, epochs=2, size=128, optimizer=optimizer, on_epoch=curves)

# %% [markdown] tags=["teaches:cache"]
# ## Cache the features
#
# The backbone never changes. Shown the same picture, it gives the same features in every epoch. So ask
# once, keep the features, and train heads on those. A linear head on stored features is called a **linear
# probe**. It is trained with a penalty on large weights, and `linear_probe` tries several strengths of it.
#
# Which numbers are the features? The last convolution gives 1,280 maps, each with a number for every place in
# the picture. **Pooling** averages each map, and 1,280 numbers are left. timm's models do it in two calls,
# `forward_features` and `forward_head`, printed first below.
#
# The first pass takes some seconds. Run the cell again: the features come from a file, whose name holds a
# fingerprint of weights, preprocessing and pictures. Change any of them and they are read anew.

# %% tags=["teaches:extract"]
backbone = load_model("efficientnet_lite0")
with torch.inference_mode():
    maps = backbone.forward_features(forty[:2])                     # (2, 1280, 7, 7)
    pooled = backbone.forward_head(maps, pre_logits=True)           # (2, 1280)
print(tuple(maps.shape), "pooled:", tuple(pooled.shape))
start = time.perf_counter()
train = extract_features(backbone, flowers.train)
val = extract_features(backbone, flowers.val)
print(f"{tuple(train.x.shape)} training features and {tuple(val.x.shape)} for validation "
      f"in {time.perf_counter() - start:.1f} s")

# %% tags=["teaches:probe"]
start = time.perf_counter()
probe = linear_probe(train, val)
seconds = time.perf_counter() - start
print(f"trained in {seconds:.2f} s; of {len(probe.tried)} strengths, {probe.strength:g} was chosen")
print(f"validation accuracy of the probe, 224 pixels: {probe.accuracy:.1%}")
for last in history.epochs[-1:]:
    print(f"of training, {last.epoch} epochs, 128 pixels:          {last.val_accuracy:.1%}")

# %% [markdown]
# Do not compare the two lines yet: the probe was trained to the end, on larger pictures. Give both
# `extract_features` above `size=128` and run the two cells again for a fair comparison.
#
# The probe is **logistic regression**, and the penalty is called regularisation. Of its strengths,
# `linear_probe` kept the one with the lowest loss on the validation pictures. So accuracy on these same
# pictures flatters a little.
#
# Speed has a price. Which? (In the cell after the question, `views` says how many versions of each picture
# are read.)

# %%
show_quiz("05_feature_extraction", "when-cache-fails")

# %% tags=["teaches:views-and-neighbours"]
for start in (0, 40, 80):
    few = flowers.train.subset(anywhere[start:start + 40].tolist())
    found = [linear_probe(extract_features(backbone, few, views=views), val).accuracy for views in (1, 3)]
    print(f"pictures {start} to {start + 39}: 1 view of each {found[0]:.0%}, 3 views of each {found[1]:.0%}")
nearest = torch.cdist(val.x, train.x).argmin(dim=1)                 # (100,) positions in train
same = (train.y[nearest] == val.y).float().mean()
print(f"all training pictures, the label of the nearest one: {same:.0%}")

# %% [markdown] tags=["teaches:when-caching-forbids"]
# One view is the plain picture, three are augmented: some of augmentation comes back, at three times the
# cost. Only 40 pictures were used each time, because variety counts most where pictures are few. How much it
# helps differs from draw to draw, and one of the 100 validation pictures is a whole percentage point: one
# draw would be no evidence.
#
# The last line used no head at all: each validation picture got the label of the training picture whose
# features are nearest. That is **k-nearest neighbours** with k = 1. Features serve any classifier that
# takes vectors.
#
# **Exercise.** Read the features yourself.

# %% tags=["exercise:05_feature_extraction/extract-features"]

# %% [markdown]
# ## Preprocessing
#
# Each set of weights comes with its own preprocessing; the next cell prints that of these. A mean and a
# standard deviation of 0.5 bring pixels to −1 … 1. Many other weights were trained with the mean and standard
# deviation of ImageNet's pixels, and those are often copied by habit. The wrong ones raise no error.
#
# The cell prepares the validation pictures with the wrong numbers and shows them to the probe, as happens
# when training and deployment prepare pictures differently. Guess first: how many of the 100 pictures will it
# cost? (In lesson 04 it cost five in a hundred photographs; these are rendered, unless `COURSE_PHOTOS=1`.)
# The last two lines show another slip: validation pictures that are **augmented**, the same ones twice. Then
# the exercise: in lesson 04 you could let `preprocessing(model)` do it; now write the steps yourself.

# %% tags=["teaches:wrong-normalisation"]
print(preprocessing(backbone))
by_habit = copy.deepcopy(backbone)
by_habit.course_weights = replace(
    backbone.course_weights, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
for name, prepared_for in [("as the weights expect", backbone), ("ImageNet's mean and std", by_habit)]:
    seen = extract_features(prepared_for, flowers.val)
    print(f"{name:26} validation accuracy {probe.score(seen):.1%}")
views = extract_features(backbone, flowers.val, views=2).x.chunk(2)     # of all pictures, then of all again
for name, x in zip(("augmented by mistake", "augmented, another time"), views, strict=True):
    print(f"{name:26} validation accuracy {(probe.predict(x) == val.y).float().mean():.1%}")

# %% tags=["exercise:05_feature_extraction/prepare-a-picture"]

# %% [markdown] tags=["teaches:comparison"]
# ## When to use it
#
# | | feature extraction | fine-tuning |
# |---|---|---|
# | pictures | hundreds to low thousands | thousands and more |
# | domain | like the one of pretraining | may differ |
# | what learns | the head | some or all layers |
# | time | short, for quick tries | longer |
# | memory | low: nothing of the backbone is kept | high |
# | risk of overfitting | low | higher |
# | accuracy | a good baseline | usually the best, given enough pictures |
#
# The rows about pictures, domain, overfitting and accuracy are rules of thumb. The cost you can measure. To
# compute gradients, PyTorch keeps what layers put out, the **activations**, until the backward pass; and Adam
# keeps two numbers for each parameter that learns, its **moments**. Guess first: which shrinks more when the
# backbone is frozen, time or memory? One training step on 8 pictures of 128 × 128 pixels, here, now:

# %% tags=["teaches:cost-measured"]
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
# So far you chose by the validation pictures: the strength, perhaps the number of views. The test pictures
# have not been touched. Now they are, once. If you come back to try more and look again, the number turns
# into one more thing you chose by; `flowers.test` will remind you.
#
# The result names more than accuracy. *Found* is the share of each class's pictures that were recognised.
# *Calibration error* says how far the model's probabilities and its accuracy lie apart; 0 is best.

# %% tags=["teaches:test-once"]
backbone.classifier = probe.as_head()      # the probe becomes the head of the network
evaluate(backbone, flowers.test)

# %% [markdown] tags=["teaches:traps"]
# ## What can go wrong
#
# - **Everything frozen**, the new head too: `backward()` fails with *element 0 of tensors does not require
#   grad*. Unfreeze the head after freezing.
# - **BatchNorm drifts**: the head gets other features than it was trained on. Use `train_mode`.
# - **The optimizer was made before the head was replaced**: it holds the old head. No error, and the loss
#   stays where it is. Make it last.
# - **Augmented validation pictures**: a random crop may hide what counts, and the number is another one each
#   time, as you saw above.
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
# **Next:** [06 · Fine-tuning](06_fine_tuning.ipynb): let the pretrained layers learn too.
