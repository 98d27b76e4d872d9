# %% [markdown] tags=["teaches:idea", "teaches:why-it-matters"]
# ## The idea
#
# A network begins with random numbers and learns from examples. With few examples it learns little. So begin
# with the weights of a network that others have trained on very many pictures, and teach it your own task
# from there. That is **transfer learning**, and the network is called **pretrained**. Training that begins
# with random numbers is called training **from scratch**.
#
# It matters most where pictures are scarce. A team with a few hundred labelled X-rays cannot train a large
# network from scratch. It can still build a classifier, because a pretrained network already turns pixels
# into something useful.
#
# This lesson asks what that saves, what is inside pretrained weights, and whether two common claims about
# them hold. The case study uses **scans of handwritten digits** that ship with scikit-learn. ImageNet, the
# data set these weights come from, has no digits, and no other weights are used.

# %%
import copy
import json
from statistics import mean

import torch
from PIL import Image
from skimage import data
from torch import nn

from course_utils import paths
from course_utils.pretrained import (
    extract_features, fit, layer_groups, linear_probe, load_dataset, load_model, preprocessing, replace_head)
from course_utils.widgets import (
    Chart, Choice, Line, cost_calculator, explore, layer_views, loss_path, show_exercise, show_pictures,
    show_quiz, show_result)

digits = load_dataset("digits")
first_of_each = [digits.train.labels.index(digit) for digit in range(10)]
show_pictures([digits.train[i][0] for i in first_of_each], digits.classes, alt="scan of a digit", width=64)

# %% [markdown] tags=["teaches:economics"]
# ## What it costs
#
# | | from scratch | pretrained |
# |---|---|---|
# | GPU hours | 100 to 1,000+ | 1 to 10 |
# | labelled pictures | 1 million+ | 100 to 10,000 |
# | cloud cost | $1,000 to 50,000+ | $10 to 100 |
# | time | weeks to months | hours to days |
# | people must know | how to design an architecture | basic transfer learning |
#
# Every figure here is a **rule of thumb**: often repeated, without a source. So do not learn them. Change
# them.
#
# The calculator works out time and money from your figures and puts the rule of thumb beside them.
# **Predict:** with its first values, what is the larger part of the cost from scratch, computing or labels?

# %% tags=["teaches:calculator"]
cost_calculator()

# %% [markdown] tags=["teaches:what-costs"]
# At five cents a label, a million labels cost ten times as much as 500 GPU hours at $10. Computing gets the
# headlines; labels are often the larger bill. Nor are weights a free gift: they come with a licence, and want
# their pictures prepared in one way.
#
# Try two things. Set the price of a label to $5, as where a specialist must look: now even the thousand
# labels for pretrained weights cost a hundred times their computing ($50). And set *GPUs at once* to 16: the
# weeks become days, the money stays. A range such as "$1,000 to 50,000" mixes many such choices, which is why
# it is so wide.

# %%
show_quiz("01_why_pretrained", "what-remains")

# %% [markdown] tags=["teaches:hierarchy"]
# ## What the layers have learned
#
# A network for images builds its answer in steps. Layers near the input respond to **edges and colours**.
# Later ones combine these into **textures**, those into **parts** such as eyes or wheels, and the last
# into whole **objects**.
#
# Texts give layer numbers for this: layer 1 edges, 2 textures, 3 and 4 parts, 5 and up objects. They suit
# networks of the size of AlexNet (2012, eight layers) and differ from text to text. The network here,
# EfficientNet-Lite0, has many more, as the next cell counts. So speak of its **stages**: a **stem**, which is
# the first convolution, seven groups of blocks, one more convolution, and the **head**, the last layer, which
# gives the class scores. All before the head is the **backbone**; what it gives are **features**. Averaged
# over the picture they are **pooled**.
#
# The viewer shows **photographs that ship with scikit-image**. At the first depth it also shows learned
# filters: 3 × 3 weights for red, green and blue, enlarged. Grey is a weight of zero. A channel's **map** has
# a number for each place; white is where the channel responds most. **Predict:** up to which stage will you
# recognise the cat in its maps?

# %% tags=["teaches:layer-views"]
backbone = load_model("efficientnet_lite0")
photographs = {"cat": data.chelsea(), "coffee": data.coffee(), "rocket": data.rocket(),
               "astronaut": data.astronaut()}
filters = backbone.conv_stem.weight                                         # (32, 3, 3, 3)
print(sum(isinstance(layer, nn.Conv2d) for layer in backbone.modules()), "convolutions in the groups",
      ", ".join(group.name for group in layer_groups(backbone)))
empty = (filters.flatten(1).norm(dim=1) < 0.01).sum().item()
print(empty, "of", len(filters), "first filters are almost zero")
layer_views(backbone, {name: Image.fromarray(pixels) for name, pixels in photographs.items()})

# %% [markdown] tags=["teaches:what-is-seen"]
# The caption of a filter says which part of it has the most weight: an edge or line, one colour against
# another, or brightness. Nobody wrote these filters. Training on photographs leaves such ones in the first
# layer of almost every network, together with a few that stayed empty. In networks with larger first filters
# the edges look like Gabor functions, short stripes that fade out, so they are called **Gabor-like**.
#
# With depth, maps get smaller and more. In the last stages a map is 7 × 7: it no longer shows *what the
# picture looks like*, only *where something was found*. What that something is, one picture cannot tell you.
# Choose others and see where the same channel turns white.

# %%
show_quiz("01_why_pretrained", "order-of-levels")

# %% [markdown] tags=["teaches:transferability"]
# ## Which depth transfers
#
# | layers | respond to | said to transfer |
# |---|---|---|
# | early | colour gradients, Gabor-like edges | nearly everywhere ("99 % of domains") |
# | middle | corners, textures | very well ("90 %") |
# | late | parts of objects | well, to similar pictures |
# | the classifier | the classes of its training | hardly: it must be trained anew |
#
# The order is plausible. The percentages are rules of thumb that nobody has measured. But you can measure
# your own case with a **linear probe**: freeze the network, take what one stage gives, average each map to
# one number, and train a linear classifier on these numbers. Its accuracy says how much about *your* classes
# can be read off at that depth.
#
# The next cells show a record of that on two domains: **rendered flowers**, since ImageNet knows flowers, and
# **scanned digits**, which it does not. As a control, the same network with random weights. Its **BatchNorm**
# layers, which shift and scale each channel by averages kept from training, got these averages from the
# training pictures first; nothing else was learned. All was measured with three **seeds**: each deals the
# pictures anew into training and test.

# %%
show_quiz("01_why_pretrained", "best-depth")

# %% tags=["teaches:probe-by-depth"]
record = json.loads((paths.results() / "why_pretrained.json").read_text(encoding="utf-8"))
layers, depth = record["results"]["layers"], record["results"]["by_depth"]
across_seeds = {(domain, start): list(zip(*depth[domain][start]["accuracy"], strict=True))
                for domain in depth for start in depth[domain]}    # for each layer: each seed


def probes(domain):
    lines = [Line(f"{start} weights", [(i, mean(found), layers[i]) for i, found in enumerate(by_layer)],
                  band=[(i, min(found), max(found)) for i, found in enumerate(by_layer)])
             for (name, start), by_layer in across_seeds.items() if name == domain]
    return [Chart(f"{record['command']}, seeds {record['seeds']}; the band is lowest to highest",
                  "stage, stem (0) to pooled features (8)", "test accuracy", lines, percent=True)]


display(explore("A linear probe at each depth", probes, domain=Choice(
    "Pictures", {"digits (scans)": "digits", "flowers (rendered)": "flowers"})))
on_digits = [mean(found) for found in across_seeds["digits", "pretrained"]]
best = on_digits.index(max(on_digits))
show_result("01_why_pretrained", "best-depth", found="a" if best < 4 else "b" if best < 7 else "c")

# %% [markdown] tags=["teaches:depth-found"]
# Four things to see:
#
# - On digits the best stage is blocks.5, with every seed. After it, accuracy falls again: the last stages
#   are about what ImageNet asked for. A probe on the pooled features, the usual choice, gives away two
#   to four points here.
# - On flowers blocks.5 and blocks.6 are best, and little can be read off before blocks.3. Averaged over the
#   picture, edges and colours alone do not tell species apart.
# - So "nearly universal" does not mean "enough". Early filters fit every domain because they say little
#   about any.
# - With random weights, depth loses. But on digits the stem and blocks.0 did *better* with random weights
#   than with learned ones, with every seed. A control can surprise you, so have one.
#
# Stages differ in how many numbers they give, 16 to 1,280, and that plays a part. The control has the same
# widths, so width alone does not explain the rise.

# %% tags=["teaches:probe-live"]
few = digits.train.subset([i for digit in range(10) for i in [
    position for position, label in enumerate(digits.train.labels) if label == digit][:40]])
for layer in ["blocks.1", "blocks.3", "pooled"]:
    train, val = (extract_features(backbone, part, layer=layer, size=96) for part in (few, digits.val))
    print(f"{layer:9} {train.x.shape[1]:5} numbers a picture: {linear_probe(train, val).accuracy:.1%} of "
          f"{len(val)} validation digits right")

# %% [markdown] tags=["teaches:classifier-least"]
# That was a smaller version of the measurement, on your machine, with 400 training digits. Change the layers,
# or the data set.

# %%
show_quiz("01_why_pretrained", "least-transferable")

# %% [markdown] tags=["teaches:optimisation-view"]
# ## A nearer start
#
# There is a second way to see why a pretrained start helps. Write all parameters of a network as one long
# vector θ. Training moves θ from a start to an end θ*. The claim: a pretrained start is much nearer to a good
# solution than a random one,
#
# $$\lVert\theta_\text{pre} - \theta^*\rVert \ll \lVert\theta_\text{rand} - \theta^*\rVert$$
#
# ‖·‖ is the length of a vector: the root of the sum of all squares. **Parameters** are what gradients change.
# A network also has **buffers**, such as BatchNorm's averages and a count of batches; they belong to
# the state, but not to θ.
#
# **Exercise.** Measure such a distance.

# %% tags=["exercise:01_why_pretrained/measure-the-distance"]

# %% [markdown]
# To have a θ*, the next cell **fine-tunes** the network on the 400 digits: it gets a new head for ten
# classes, and then *all* its layers learn for four epochs, on pictures of 64 × 64 pixels. That takes some
# seconds. Then it measures both distances. The random start gets the same new head. **Predict** first.

# %%
show_quiz("01_why_pretrained", "times-nearer")


# %% tags=["teaches:distances"]
def start_from(random_init):
    torch.manual_seed(0)
    return replace_head(load_model("efficientnet_lite0", random_init=random_init), digits.classes, seed=0)


def theta(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])       # all, one after another


starts = {"pretrained": start_from(False), "random": start_from(True)}
end = start_from(False)
history = fit(end, few, digits.val, epochs=4, size=64, augment=False)
far = {name: (theta(start) - theta(end)).norm().item() for name, start in starts.items()}
print(history, f"\n{len(theta(end)):,} parameters; distance to the end:",
      ", ".join(f"{name} {length:.1f}" for name, length in far.items()))
print(f"The random start is {far['random'] / far['pretrained']:.1f} times as far away.")
show_result("01_why_pretrained", "times-nearer", found=round(far["random"] / far["pretrained"], 1))

# %% [markdown] tags=["teaches:circular"]
# Before you believe the ratio, look at what was compared. θ* is where fine-tuning *ended*, and fine-tuning
# *began* at θ_pre and took only some dozens of steps. This is **circular**: the start was used to find the
# end, and is then praised for being near it.
#
# A fairer test takes an end that the pretrained start had no part in: a network trained on the same digits
# from random numbers. The record has all four distances; its ends come from longer runs than yours.

# %%
show_quiz("01_why_pretrained", "from-the-other-end")

# %% tags=["teaches:both-ends"]
study = record["results"]["case_study"]
for way in study["per_seed"][0]["distances"]:
    lengths = [one["distances"][way] for one in study["per_seed"]]
    print(f"{way:45} {mean(lengths):7.1f}   ({min(lengths):.1f} … {max(lengths):.1f})")
show_result("01_why_pretrained", "from-the-other-end")

# %% [markdown] tags=["teaches:line-defined"]
# Each end is near the start that training began with, and about ten times as far from the other one. Both are
# good solutions, as you will see. So distance tells where training began, not which start is better.
#
# ## The straight line
#
# Distance says nothing about what lies between. So walk from a start to θ* along the straight line,
# θ(α) = (1 − α) · θ_start + α · θ*, and take the loss on the way. α = 0 is the start, α = 1 the end. A
# network of blended weights also needs BatchNorm statistics; blend those as well.
#
# **Exercise.** Build the network at α.

# %% tags=["exercise:01_why_pretrained/walk-the-line"]

# %% [markdown]
# The widget does this from both starts to your fine-tuned network, on 100 of the digits it learned from.
# **Predict:** will the loss fall steadily on both lines?

# %% tags=["teaches:line"]
prepare = preprocessing(end, size=64)
some = few.subset(range(0, 400, 4))
images = torch.stack([prepare(picture) for picture, _ in some])             # (100, 3, 64, 64)
loss_path(starts, end, images, torch.tensor(some.labels))

# %% [markdown] tags=["teaches:two-claims"]
# The same caution holds here: this end belongs to the pretrained start. In the record's longer runs the loss
# stays near that of guessing, ln 10 = 2.3, for the first half of every line. Training does not follow the
# line, so a plateau or a hill on it does not mean that training had to cross one.
#
# ## Two claims tested
#
# Pretraining is said to bring **faster convergence**, and often a **better minimum**. The record compares
# fine-tuning with training from scratch on 400 digits of 64 × 64 pixels: for 6 epochs, and for 30, by when
# validation has levelled off for both.

# %%
show_quiz("01_why_pretrained", "given-time")

# %% tags=["teaches:case-study"]
names = {"few": study["epochs"], "many": study["many_epochs"]}
print(f"{record['command']}, seeds {record['seeds']}: accuracy on {study['pictures']['test']} test digits")
probed = [one["probe"] for one in study["per_seed"]]
print(f"probe:                      {mean(probed):.1%}   ({min(probed):.1%} … {max(probed):.1%})")
for length, epochs in names.items():
    for start in ("pretrained", "random"):
        found = [one[length][start]["test_accuracy"] for one in study["per_seed"]]
        print(f"{epochs:2} epochs, {start + ' start:':18} {mean(found):.1%}   "
              f"({min(found):.1%} … {max(found):.1%})")
show_result("01_why_pretrained", "given-time")

# %% [markdown] tags=["teaches:limits"]
# On these 400 digits both claims hold. After 6 epochs the pretrained start is 6 to 11 points ahead, and the
# random one is still below a mere probe. After 30 epochs the lead is 4 to 6 points, with every seed.
#
# Both claims have limits that others have measured. With enough pictures and a longer schedule, detectors
# trained from scratch on COCO caught up with pretrained ones (He, Girshick and Dollár, *Rethinking ImageNet
# Pre-training*, 2019). On large sets of medical pictures the gain was small (Raghu et al., *Transfusion*,
# 2019).

# %%
show_quiz("01_why_pretrained", "hospital")

# %% [markdown] tags=["teaches:traps"]
# ## What can go wrong
#
# - **Rules of thumb quoted as facts**: ask for the source, or measure.
# - **Layer numbers carried from one network to another**: name a stage of the network at hand.
# - **No control**: random weights can do better than you think, above all in early stages.
# - **A circular comparison**: the end was found from the start that is praised.
# - **Buffers counted as parameters**, or forgotten where weights are blended.
# - **Unequal training**: compare starts only where both had time to level off.
#
# ## Take-away
#
# Pretrained weights save labels and computing. What transfers depends on depth and on your pictures, and a
# probe at each depth measures it. How near a start is depends on which end you measure it to.
#
# **Next:** [02 · ImageNet](02_imagenet.ipynb): the pictures and labels behind the weights.
