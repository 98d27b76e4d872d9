# %% [markdown] tags=["teaches:when", "teaches:spectrum"]
# ## The idea
#
# Feature extraction keeps a pretrained network as it is. **Fine-tuning** goes on training it: the features
# themselves change, towards what your pictures need. How much of the network may learn is a matter of degree:
#
# | what learns | pictures, rule of thumb | risk of overfitting |
# |---|---|---|
# | the head only | hundreds | low |
# | head and the last one or two blocks | thousands | medium |
# | all layers | ten thousand and more | high |
#
# Fine-tuning is worth trying when you have thousands of pictures or more, when they are of another **domain**
# than the photographs of ImageNet, when a linear probe has stopped improving, and when there is computing
# power to spend. This lesson has only 300 pictures, so that everything runs while you watch. They come from
# another domain: close-ups of surfaces, **rendered by a program**, some with a defect. For pictures of your
# own, write `load_dataset("folder:PATH")`.

# %%
import copy
import json
import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, OneCycleLR, SequentialLR
from torchvision.transforms.v2 import functional

from course_utils import paths
from course_utils.pretrained import (
    evaluate, extract_features, find_learning_rate, fit_tail, freeze, layer_groups, linear_probe,
    load_dataset, load_model, parameter_groups, preprocessing, replace_head, train_mode, unfreeze)
from course_utils.widgets import (
    Chart, Choice, Line, compare_recipes, explore, flow, freeze_map, rate_plot, show_exercise,
    show_pictures, show_quiz, show_result, training_curves)

SIZE = 96                                    # pixels: small, so that an epoch takes a second
defects = load_dataset("defects")
print(defects)
first_of_each = [defects.train.labels.index(label) for label in range(len(defects.classes))]
examples = [defects.train[i][0] for i in first_of_each]
show_pictures(examples, defects.classes, alt="rendered surface", width=120)

# %% [markdown] tags=["teaches:baseline"]
# ## The number to beat
#
# Begin with the head alone, as in lesson 05: features once, a probe on them. Whatever fine-tuning costs, it
# has to be better than this. The probe is kept: its head is a good start for fine-tuning.

# %%
backbone = load_model("efficientnet_lite0")
train, val = (extract_features(backbone, part, size=SIZE) for part in (defects.train, defects.val))
probe = linear_probe(train, val)
print(f"validation accuracy of the probe: {probe.accuracy:.1%} of {len(val)} pictures")

# %%
show_quiz("06_fine_tuning", "when-to-fine-tune")

# %% [markdown] tags=["teaches:range-test"]
# ## Which learning rate
#
# The **learning rate** says how long a step is. A head starts at random and needs long steps. Pretrained
# layers are good already, and long steps destroy what is in them: the network forgets.
#
# A **range test** finds the order of magnitude in some seconds (Smith, 2017): train a copy of the model for a
# moment, each step at a higher rate, and look at the loss. It stays flat while steps are too short to matter,
# then falls, then rises when they are too long. Here the head learns with the layers before it: the last two
# of Lite0's seven groups of blocks, `blocks.5` and `blocks.6`, and the convolution behind them. Such a group
# is what this lesson calls a block.

# %%
show_quiz("06_fine_tuning", "which-rate")


# %% tags=["teaches:range-test-run"]
def ready(head="probe", learns=("blocks.5", "blocks.6", "conv_head", "head")):
    """A fresh Lite0 for the defects, of which only these layer groups learn."""
    model = replace_head(load_model("efficientnet_lite0"), defects.classes, seed=0)
    if head == "probe":
        model.classifier = probe.as_head()
    freeze(model)
    for group in layer_groups(model):
        if group.name in learns:
            unfreeze(group)
    return model


model = ready()
late = model.blocks[6][0].conv_pw.weight
print(f"half of the weights of one late layer are, without their sign, below {late.abs().median():.2f}")
curve = find_learning_rate(model, defects.train, start=1e-7, end=1.0, steps=40, size=SIZE)
display(rate_plot(curve))
edges = {"far-below": 1e-5, "below": 1e-2, "above": 0.3, "far-above": math.inf}
show_result("06_fine_tuning", "which-rate", found=next(
    name for name, edge in edges.items() if curve.suggestion < edge))

# %% [markdown] tags=["teaches:range-test-reading"]
# Move the point. The text below the curve says what a rate would do. The mark stands where the loss *falls
# fastest*, not where it is lowest: at the lowest point the steps are almost too long, and a training takes
# hundreds of them. Begin at the mark; rule of thumb: if it lies less than three times below the lowest point,
# go lower. One test is a handful of batches: trust the order of magnitude, not the digits.
#
# **Exercise.** Write the test yourself. The course's version smooths the curve as well, and steps with Adam;
# yours uses plain SGD, so its rates are other.

# %% tags=["exercise:06_fine_tuning/range-test"]

# %% [markdown] tags=["teaches:graded-rates"]
# ## A rate for each depth
#
# Early layers see edges and textures, which all pictures share. Late layers know what is special to
# ImageNet. So early ones should change least. **Graded rates** (also called differential or discriminative)
# give each depth its own: for example 0.00001 for early layers, 0.0001 for late ones, 0.001 for the head.
# Rule of thumb: divide by ten for each group towards the input. Two groups are often enough: the head, and
# the **body**, all that comes before it.
#
# An optimizer takes them as **parameter groups**: a list of dicts, each with its parameters and its rate. And
# here is a trap. Groups are often written as `layer1` to `layer4` and `fc`, because these are the names one
# remembers. What no group holds never moves, and nothing complains.

# %%
show_quiz("06_fine_tuning", "orphans")

# %% tags=["teaches:stem-trap", "teaches:group-forms"]
with torch.device("meta"):                     # shapes without numbers: enough to count
    resnet = load_model("torchvision/resnet18", random_init=True)
by_name = [resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4, resnet.fc]
held = {id(p) for part in by_name for p in part.parameters()}
orphans = {name: p.numel() for name, p in resnet.named_parameters() if id(p) not in held}
print("in no group:", orphans)
for groups in (2, 3, None):
    print(f"\nparameter_groups(resnet, 1e-3, groups={groups})")
    for group in parameter_groups(resnet, 1e-3, groups=groups):
        print(f"    {group['name']:8} lr {group['lr']:<8.0e} {sum(p.numel() for p in group['params']):>10,}")
show_result("06_fine_tuning", "orphans", found=sum(orphans.values()))

# %% [markdown] tags=["teaches:last-stages"]
# `parameter_groups` of the course begins with all layers and sorts them, so the **stem**, what comes before
# `layer1`, cannot be lost. Look at the last form: divided by ten five times, the stem would learn at
# 0.00000001, which is as good as frozen. For many groups use a smaller factor, such as
# `parameter_groups(model, 1e-3, factor=2.5)`. The same trap waits when you unfreeze "the last *n* stages" one
# after another: after the last one, the stem is still frozen.
#
# **Exercise.** Three groups, and nothing forgotten.

# %% tags=["exercise:06_fine_tuning/rates-by-depth"]

# %%
show_quiz("06_fine_tuning", "why-not-a-tenth")

# %% [markdown] tags=["teaches:gradual"]
# ## Unfreeze step by step
#
# A new head is random, and so are the gradients it sends back. **Gradual unfreezing** lets it settle first:
# the head alone (epochs 1 to 3), then the last block as well (4 to 6), then the one before it (from 7 on),
# each at a lower rate. With an optimizer at work, a block takes three things:
#
# ```python
# block.requires_grad_(True)                                                  # gradients
# optimizer.add_param_group({"params": block.parameters(), "lr": 1e-4})       # the optimizer must hold it
# block.train()                                                               # its BatchNorm learns too
# ```
#
# `fit` and `fit_tail` do all three for `unfreeze_at`. `fit_tail` is `fit` for a network whose first layers
# stay frozen: these run once, and what they give is kept.

# %%
show_quiz("06_fine_tuning", "order-of-unfreezing")

# %% tags=["teaches:gradual-run"]
model = ready(head="random", learns=("head",))
optimizer = torch.optim.Adam(parameter_groups(model, 1e-3))
curves = training_curves(epochs=9, title="Gradual unfreezing: the head, the last block, the one before")
maps = []


def watch(epoch):
    """Draw the epoch, and keep the three switches as they are at each step."""
    if epoch.epoch == 1 or epoch.unfrozen:
        maps.append(freeze_map(model, optimizer))
    return curves(epoch)


display(curves)
fit_tail(model, defects.train, defects.val, epochs=9, size=SIZE, optimizer=optimizer, on_epoch=watch,
         unfreeze_at={4: [("conv_head", 1e-4), ("blocks.6", 1e-4)], 7: ("blocks.5", 1e-5)})

# %% [markdown] tags=["teaches:gradual-reading"]
# The marks ✎ stand where layers began to learn. This network has one more convolution behind its last block,
# `conv_head`, which joins with it. The maps below are from epochs 1, 4 and 7: read the last rows. In each
# step one more group gets all three switches, and what is above it keeps resting. The diagram at the end is
# the network as it is now, after epoch 9.
#
# **Exercise.** Do it by hand, for a ResNet.

# %% tags=["teaches:gradual-maps"]
display(*maps, flow(model, optimizer))

# %% tags=["exercise:06_fine_tuning/gradual-unfreezing"]

# %% [markdown] tags=["teaches:lp-ft"]
# ## Start from a probe
#
# There is a quicker way to a head that is not random: a probe finds it in a second. **LP-FT** is a linear
# probe first, then fine-tuning from its head (Kumar et al., 2022). They found that from a random head,
# fine-tuning distorts the features while the head is still finding its place, and does worse on pictures
# unlike those of the training.

# %%
show_quiz("06_fine_tuning", "head-start")

# %% tags=["teaches:lp-ft-run"]
tuned, accuracy = {}, {}
for head in ("random", "probe"):
    tuned[head] = ready(head)
    optimizer = torch.optim.Adam(parameter_groups(tuned[head], 1e-3, groups=2))       # body 1e-4, head 1e-3
    done = fit_tail(tuned[head], defects.train, defects.val, epochs=5, size=SIZE, optimizer=optimizer)
    accuracy[head] = [epoch.val_accuracy for epoch in done.epochs]
    print(f"from the {head:6} head, by epoch: ", "  ".join(f"{value:.0%}" for value in accuracy[head]))
print(f"the probe alone:               {probe.accuracy:.0%}")
first = {head: values[0] for head, values in accuracy.items()}
show_result("06_fine_tuning", "head-start",
            found="even" if first["random"] == first["probe"] else max(first, key=first.get))

# %% [markdown] tags=["teaches:techniques"]
# One run with 100 validation pictures: enough to see a head start, too little to call a winner. For that
# there is a record, in the next section.
#
# ## What each technique is worth
#
# | technique | the idea | in plain PyTorch | in `fit` |
# |---|---|---|---|
# | schedules | short steps first, and short steps last | next cell | `schedule="cosine"` |
# | weight decay | pull weights a little towards 0 | `AdamW(groups, weight_decay=0.05)` | `optimizer=` |
# | label smoothing | ask for 92 % (of five classes) | `nn.CrossEntropyLoss(label_smoothing=0.1)` | `loss=` |
# | mixup | learn from blends of two pictures | next cell | `mixup=0.2` |
# | EMA | use a moving average of the weights | `torch.optim.swa_utils.AveragedModel` | `ema=0.98` |
# | early stopping | keep the best epoch | `copy.deepcopy(model.state_dict())` | `patience=3` |

# %% tags=["teaches:schedules", "teaches:mixup"]
def warm_up_and_cosine(adam):
    warm_up, cosine = LinearLR(adam, start_factor=0.01, total_iters=10), CosineAnnealingLR(adam, T_max=90)
    return SequentialLR(adam, [warm_up, cosine], milestones=[10])


def one_cycle(adam):
    return OneCycleLR(adam, max_lr=1e-3, total_steps=101)


def rates_of(make):
    """The rate of each of 100 steps, asked of torch's own schedule."""
    adam = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=1e-3)
    schedule, rates = make(adam), []
    for step in range(100):
        rates.append((step, adam.param_groups[0]["lr"]))
        adam.step()
        schedule.step()
    return [Chart("Rate in each step", "step", "learning rate", [Line("rate", rates)])]


def mixup(images, labels, share):
    """Blend each picture with one from the other end of the batch; both labels count, by their shares."""
    return share * images + (1 - share) * images.flip(0), [(share, labels), (1 - share, labels.flip(0))]


two = torch.stack([functional.pil_to_tensor(picture).float() / 255 for picture in examples[:2]])
blends, _ = mixup(two, torch.tensor([0, 1]), share=0.7)
display(show_pictures([*examples[:2], functional.to_pil_image(blends[0])],
                      ["one", "another", "70 % and 30 %"], alt="rendered surface", width=120))
schedules = {"warm-up and cosine": warm_up_and_cosine, "one-cycle": one_cycle}
explore("The rate during a training of 100 steps", rates_of, make=Choice("Schedule", schedules))

# %% [markdown] tags=["teaches:record"]
# What are they worth *here*? That was measured beforehand. A **base** recipe starts from the probe's head and
# trains the last two blocks for nine epochs, body at 0.0001 and head at 0.001, on four augmented views of
# each picture (the runs above had none). Most recipes change one thing about it. Early stopping has 24 epochs
# to stop in, so compare it with “24 epochs”. Pictures were dealt anew for every seed, and the same deal was
# given to every recipe, so recipes are compared seed by seed.

# %%
show_quiz("06_fine_tuning", "how-many-help")

# %% tags=["teaches:record-table"]
display(compare_recipes())
recorded = json.loads((paths.results() / "fine_tuning.json").read_text())["results"]["recipes"]
accuracies = {recipe["id"]: recipe["accuracy"] for recipe in recorded}
techniques = ["cosine", "one-cycle", "weight-decay", "smoothing", "mixup", "ema", "patience"]
better = [name for name in techniques
          if all(one > base for one, base in zip(accuracies[name], accuracies["base"], strict=True))]
show_result("06_fine_tuning", "how-many-help", found=len(better))

# %% [markdown] tags=["teaches:record-reading"]
# Read it slowly. It contradicts some of what is often said.
#
# - **Of the seven, early stopping alone is ahead with every seed**, by one picture of 150, and it owes that
#   to its epochs, up to 24. Both schedules, label smoothing and mixup **lose** two to five points with every
#   seed, perhaps because they slow learning down: no run here tests the cause.
# - **Longer helps**, by one or two points, and so does **BatchNorm frozen**, by one to three, with every
#   seed.
# - **The probe's head alone is hard to beat.** Only one recipe is ahead of it with every seed, and by the
#   book its rate is far too high: 0.01 for all. And one rate of 0.001 for all is, in the mean, no worse than
#   graded rates.
# - **From a random head** both recipes end below the probe with every seed. Gradual unfreezing loses most. It
#   has fewer epochs for each block, and lower rates; which of them costs it, no run here tests.
#
# So with 300 small pictures and nine epochs the careful recipe does not pay for its care. With others it may
# be otherwise. But is 0.01 good advice?
#
# ## What goes wrong
#
# **A rate too high.** The next cell trains a network for two epochs at 0.01, body and head. Then it asks two
# things of each network: how well it knows the defects, and what a probe can make of its features on *other*
# pictures, the flowers of lesson 05, that it has never learned from.

# %% tags=["teaches:forgetting"]
too_fast = ready()
fit_tail(too_fast, defects.train, defects.val, epochs=2, size=SIZE,
         optimizer=torch.optim.Adam(parameter_groups(too_fast, 1e-2, factor=1)))
flowers = load_dataset("flowers")
some_flowers = flowers.train.subset(range(0, 300, 2))                # every second one
as_loaded = ready()                                                  # the probe's head, nothing tuned
for name, network in [("as loaded", as_loaded), ("body at 1e-4", tuned["probe"]), ("all at 1e-2", too_fast)]:
    seen, held_out = (extract_features(network, part, size=SIZE) for part in (some_flowers, flowers.val))
    print(f"{name:13} defects {evaluate(network, defects.val, size=SIZE).accuracy:.0%}   "
          f"a probe on flowers {linear_probe(seen, held_out).accuracy:.0%}")

# %% [markdown] tags=["teaches:forgetting"]
# That is **catastrophic forgetting**: two epochs were enough to lose most of what the features were worth,
# for the defects as well. Training can bring the defects back: in the record, after nine epochs, this rate is
# ahead of the probe. But for flowers a probe still gets only 25 to 33 % from such features, where it got 70 %
# before; guessing gets 20 %. With the body at 0.0001 it gets 69 to 72 %. Where nothing but these pictures
# counts, as here, a high rate may even pay. Where the features must serve others too, keep the rates low.
#
# **No `eval()` at validation**, and **BatchNorm on tiny batches.** In train mode BatchNorm takes mean and
# deviation from the batch itself. The next cell validates the same network in train mode, in batches of
# several sizes. Training suffers too: in the record, three epochs in batches of 2 end at 67 to 79 % where
# BatchNorm learns and at 80 to 85 % where it is frozen, ahead with every seed. The cell after it unfreezes a
# block and **forgets the optimizer**, then hands the block over.

# %% tags=["teaches:train-mode"]
prepare = preprocessing(tuned["probe"], size=SIZE)
order = torch.randperm(len(defects.val), generator=torch.Generator().manual_seed(0)).tolist()
images = torch.stack([prepare(defects.val[i][0]) for i in order])               # (100, 3, 96, 96)
labels = torch.tensor([defects.val.labels[i] for i in order])
for batch_size in (2, 8, 32):
    trial = copy.deepcopy(tuned["probe"]).train()                               # eval() forgotten
    with torch.no_grad():
        guesses = torch.cat([trial(batch).argmax(dim=1) for batch in images.split(batch_size)])
    print(f"train mode, batches of {batch_size:2}: {(guesses == labels).float().mean():.0%}")
print(f"eval mode, any batches:   {evaluate(tuned['probe'], defects.val, size=SIZE).accuracy:.0%}")

# %% tags=["teaches:optimizer-lacks"]
model = train_mode(ready(learns=("head",)))
optimizer = torch.optim.Adam(parameter_groups(model, 1e-3))
last_block = model.blocks[6]
watched = last_block[0].conv_pw.weight


def moved_by_a_step():
    """Take one training step; how far did the block's first weights move?"""
    before = watched.detach().clone()
    model.zero_grad()
    F.cross_entropy(model(images[:8]), labels[:8]).backward()
    optimizer.step()
    return (watched - before).abs().max().item()


unfreeze(last_block)                                    # gradients, and nobody who steps along them
train_mode(model)
forgotten = moved_by_a_step()
display(freeze_map(model, optimizer))
unfreeze(last_block, optimizer=optimizer)               # the same, and the optimizer holds it from now on
mended = moved_by_a_step()
print(f"the block has gradients, and moved by {forgotten:g}; with the optimizer told, by {mended:.4f}")

# %% [markdown] tags=["teaches:test-set-tuning"]
# **Tuning on the test set.** Each choice by a set of pictures makes its number flatter you more. The next
# cell cuts the 100 validation pictures into halves: one you look at, one stays fresh. It makes many poor
# classifiers, each from five random training pictures of each class (a picture gets the class whose mean
# feature is nearest), and takes the one that does best on the half it looks at.

# %% tags=["teaches:test-set-tuning"]
draw = torch.Generator().manual_seed(0)
of_class = [(train.y == label).nonzero().flatten() for label in range(len(defects.classes))]


def best_of(tries):
    """Accuracy of the chosen classifier on the half it was chosen by, and on the fresh half."""
    looked_at, fresh = torch.randperm(len(val), generator=draw).chunk(2)
    found = []
    for _ in range(tries):
        few = torch.stack([of[torch.randperm(len(of), generator=draw)[:5]] for of in of_class])   # (5, 5)
        right = (torch.cdist(val.x, train.x[few].mean(dim=1)).argmin(dim=1) == val.y).float()
        found.append((right[looked_at].mean().item(), right[fresh].mean().item()))
    return torch.tensor(max(found, key=lambda pair: pair[0]))


for tries in (1, 10, 100):
    seen, fresh = torch.stack([best_of(tries) for _ in range(20)]).mean(dim=0).tolist()
    print(f"best of {tries:3}: {seen:.0%} where it was chosen, {fresh:.0%} on fresh pictures")

# %%
show_quiz("06_fine_tuning", "falls-after-five")

# %% [markdown] tags=["teaches:pitfalls"]
# ## What can go wrong, and the way out
#
# | trace | cause | way out |
# |---|---|---|
# | features worth nothing elsewhere, or loss jumps up | rate too high | range test; body at 1e-4 or less |
# | worse than the probe | random head; rates too low for so few epochs | LP-FT; more epochs |
# | early layers change as much as late ones | one rate for all | graded groups |
# | validation changes with the batch size | no `eval()` | `model.eval()`; `evaluate` does it |
# | noisy with batches of 2 | BatchNorm on tiny batches | freeze BatchNorm, weights and statistics |
# | an unfrozen block does not move | optimizer lacks it | `add_param_group`, last |
# | worse in use than in the test | chosen by the test set | choose by validation, test once |
# | training improves, validation falls | overfitting | best epoch; augment; freeze more; lower rates |
#
# ## Take-away
#
# Probe first: with few pictures it is hard to beat. Then fine-tune from its head, at a rate that a range test
# has seen, and measure. Low rates keep what the features are worth elsewhere, and need epochs. Add a
# technique when a measurement says so, and believe a difference when it is large beside its scatter over
# seeds: how large, the next lesson says.
#
# **Next:** [07 · Choosing a strategy](07_choosing_a_strategy.ipynb): head, last layers, or everything.
