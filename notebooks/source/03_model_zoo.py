# %% [markdown] tags=["teaches:idea"]
# ## The idea
#
# You could begin with any of more than a hundred pretrained networks. Which one? Articles answer with
# figures: “EfficientNet-B4 reaches 82.9 %”, “ResNet-50 takes 8.3 ms”. Figures without their circumstances do
# not help. How large were the pictures? Which of several trainings? On what machine?
#
# This lesson puts them in one table, each with the weights it belongs to. What depends on your machine you
# measure yourself. Then you look inside the networks, and choose.

# %%
import time
from statistics import median

import torch
from PIL import Image
from skimage import data
from torch.utils.flop_counter import FlopCounterMode

from course_utils.pretrained import (
    catalogue, count_parameters, load_model, measure, pareto, preprocessing, top_k)
from course_utils.widgets import (
    Table, architecture, model_chooser, model_zoo, show_exercise, show_exhibits, show_quiz, show_result)

torch.manual_seed(0)
zoo = catalogue()
print(len(zoo), "sets of weights:", zoo.source.value_counts().to_dict())

# %% [markdown] tags=["teaches:one-table"]
# ## One table
#
# `catalogue()` has a row for each **set of weights**: an architecture that was trained once, in one way. They
# come from two libraries of vision models, **torchvision** and **timm**; three sets are **bundled**,
# installed with this course. torchvision's figures come from its own metadata, `Weights.meta`. For all others
# accuracy comes from timm's published results; parameters and multiply–adds were counted for this course.
# Nothing is downloaded for it. The columns:
#
# - `top1`: per cent of ImageNet's validation pictures whose first guess is right. `top5` allows five.
# - `params_m`: parameters in millions. `size_mb`: the file, in MiB.
# - `gflops`: the work for one picture, in billions of multiply–adds. More on that word below.
# - `input_size`: pixels a side of the pictures for which all this holds.
#
# Here are the networks that are named most, from torchvision, oldest first.

# %% tags=["teaches:must-cover"]
# NBVAL_CHECK_OUTPUT
NAMED = ["vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "densenet121",
         "efficientnet_b0", "efficientnet_b4", "mobilenet_v3_small", "mobilenet_v3_large", "vit_b_16",
         "efficientnet_v2_s", "swin_t", "convnext_tiny"]
named = zoo[(zoo.source == "torchvision") & zoo.architecture.isin(NAMED)].sort_values(
    ["year", "params_m", "top1"])
columns = ["year", "top1", "params_m", "gflops", "size_mb", "input_size"]
named.assign(weights=named.name.str.removeprefix("torchvision/")).set_index("weights")[columns].round(3)

# %% [markdown] tags=["teaches:versions"]
# Look at the two rows of ResNet-50: the same network, the same parameters, the same work, and 76.1 % or
# 80.9 %. V2 was trained longer, by another recipe; `named.reference` holds the link. ResNet-101, ResNet-152
# and MobileNetV3-Large show the same. So an architecture has no accuracy; a set of weights has.
#
# EfficientNet-B4's figure holds for pictures of 380 pixels, EfficientNetV2-S's for 384, most others' for 224.

# %% [markdown] tags=["teaches:loose-figures"]
# ## Two figures, loosely quoted
#
# Back to the two figures from the beginning. The next cell puts them beside what can be traced. 82.9 % does
# have a source, the last version of EfficientNet's paper; the authors' first announcement says 82.6 % of the
# same network, and the weights you can load from torchvision or timm have figures of their own. For 8.3 ms
# we found no source at all, so the cell measures here. It takes some seconds.

# %% tags=["teaches:loose-figures-traced"]
b4, cost = zoo[zoo.architecture == "efficientnet_b4"], measure("torchvision/resnet50", batch_sizes=(1, 8),
                                                               repeats=5, warmup=1)
figures = [("EfficientNet-B4", "82.9 %", "as quoted", "the paper, version 5 of 2020: arXiv 1905.11946"),
           ("EfficientNet-B4", "82.6 %", "first announcement", "Google AI Blog, May 2019"),
           *(("EfficientNet-B4", f"{row.top1:.1f} %", f"{row.input_size} pixels", row.name)
             for row in b4.itertuples()),
           ("ResNet-50", "8.3 ms", "as quoted", "none found"),
           *(("ResNet-50", f"{1e3 * t.median / t.batch:.1f} ms", f"each of {t.batch} at a time", cost.machine)
             for t in cost.latencies)]
quoted = [i for i, (_, _, of_what, _) in enumerate(figures) if of_what == "as quoted"]
show_exhibits("Two figures and what is behind them",
              Table("▸ as quoted", ("model", "figure", "of what", "source"), figures, marked=quoted))

# %%
show_quiz("03_model_zoo", "what-is-missing")

# %% [markdown] tags=["teaches:factor-two"]
# ## Multiply–adds and operations
#
# A convolution or a Linear layer multiplies inputs by weights and adds up the products. So work is counted in
# **multiply–adds**, one for each product. torchvision and most papers call that “FLOPs”, floating-point
# operations. torch has a counter too.
#
# **Predict** what it says, then count. That needs no computing: tensors on the device `meta` have a shape and
# no numbers.

# %%
show_quiz("03_model_zoo", "counted-by-torch")

# %% tags=["teaches:counted"]
with torch.device("meta"):
    resnet50 = load_model("torchvision/resnet50", random_init=True)
    no_picture = torch.empty(1, 3, 224, 224)
with FlopCounterMode(display=False) as counter, torch.inference_mode():
    resnet50(no_picture)
first = sum(counter.get_flop_counts()["ResNet.conv1"].values())
products = (64 * 112 * 112) * (3 * 7 * 7)           # numbers it gives × products for each
stated = zoo.set_index("name").gflops["torchvision/resnet50.IMAGENET1K_V2"]
print(f"conv1: {products:,} multiply–adds by hand, {first:,} operations by torch: {first / products:g} to 1")
print(f"ResNet-50: torchvision states {stated} G, torch counts {counter.get_total_flops() / 1e9:.2f} G")
show_result("03_model_zoo", "counted-by-torch", found=counter.get_total_flops() / 1e9)

# %% [markdown] tags=["teaches:never-mix"]
# torch takes the word literally: a multiplication and an addition are two operations. Both counts are right.
# In one column they would make a network look twice as expensive as it is. In this course `gflops` always
# means multiply–adds; `measure` prints both. Normalisation, activations and pooling are left out of both:
# next to the products they are few. They take time all the same.
#
# ## Time is measured
#
# Time cannot be counted. It depends on processor, threads, batch, precision and library, so measure it where
# the model will run. To get a figure that means something:
#
# - **eval mode**, and no gradients: `torch.inference_mode()`. Without either, the time is another one;
#   without eval mode, so is the answer.
# - **Warm-up**: the first pass also pays for what is done once, such as fetching memory.
# - **Many passes, each timed by itself, and the median.** Other programs hold a pass up now and then; a mean
#   would carry that along.
# - On a graphics card, wait for it before you read the clock: `torch.cuda.synchronize()`.
#
# By hand it looks like this. Random weights will do, because times do not depend on them.

# %% tags=["teaches:by-hand"]
network, batch = load_model("torchvision/resnet18", random_init=True), torch.randn(1, 3, 224, 224)
seconds = []
with torch.inference_mode():                        # load_model gives models in eval mode
    for _ in range(20):
        start = time.perf_counter()
        network(batch)
        seconds.append(time.perf_counter() - start)
rest = [1e3 * s for s in seconds[1:]]
print(f"the first pass {1e3 * seconds[0]:.0f} ms; the others {min(rest):.0f} to {max(rest):.0f} ms, "
      f"median {median(rest):.0f}")

# %% [markdown]
# `measure` does that for you. **Predict:** ResNet-18 needs 4.7 times as many multiply–adds as Lite0, the
# network of lesson 00. Does it take 4.7 times as long?

# %%
show_quiz("03_model_zoo", "work-and-time")

# %% tags=["teaches:work-is-not-time"]
lite0, resnet18 = (measure(name, batch_sizes=1, repeats=20) for name in
                   ("efficientnet_lite0", "torchvision/resnet18"))
print(lite0, resnet18, sep="\n")
ratio = resnet18.latencies[0].median / lite0.latencies[0].median
print(f"ResNet-18 takes {ratio:.2f} times as long")
show_result("03_model_zoo", "work-and-time",
            found="less" if ratio < 3.5 else "as-counted" if ratio <= 6 else "more")

# %% [markdown]
# **Exercise.** Put it together. When your function passes, compare the three bundled models on a photograph
# that ships with scikit-image, in a cell of your own:
#
# ```python
# cat = Image.fromarray(data.chelsea())
# for name in ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"):
#     print(name, cost_and_answer(load_model(name), cat, passes=100))
# ```

# %% tags=["exercise:03_model_zoo/compare-models"]

# %% [markdown] tags=["teaches:pareto"]
# ## Accuracy for its cost
#
# More accuracy costs more. A model is worth a look if nothing cheaper is as accurate; all such models are
# the **Pareto front**. What is not on it can be left out, whatever your budget is.
#
# Another figure is often quoted, called **efficiency**: top-1 per million parameters. **Predict** which
# family leads the table by it.

# %%
show_quiz("03_model_zoo", "most-efficient")

# %% tags=["teaches:front"]
front = pareto(zoo[zoo.gflops <= 12].round({"gflops": 3}))         # to the digits that torchvision states
print("The Pareto front", front[["name", "top1", "gflops"]].to_string(index=False), sep="\n")
zoo["efficiency"] = zoo.top1 / zoo.params_m
leaders = zoo.sort_values("efficiency", ascending=False).drop_duplicates("family").head(6)
print("\nThe most efficient of each family", leaders[["name", "top1", "params_m", "efficiency"]].round(1)
      .to_string(index=False), sep="\n")
show_result("03_model_zoo", "most-efficient", found=leaders.family.iloc[0].lower())

# %% [markdown] tags=["teaches:explore-the-zoo"]
# A quotient leads to the smallest model. The front lets you say how much you can spend. Explore the whole
# table: filter, move the limit, change the cost; a sign marks the front. To measure a model here, choose it
# and switch measuring on.
#
# The most accurate weights are called SWAG: they saw billions of other pictures first (Singh et al., 2022).
# Weights differ in their data too.

# %% tags=["teaches:model-zoo"]
model_zoo()

# %% [markdown] tags=["teaches:families"]
# ## Families
#
# | family | year | idea | today |
# |---|---|---|---|
# | VGG | 2014 | 3×3 convolutions only, then huge fully connected layers | superseded, used for its features |
# | ResNet | 2015 | each block adds its input: F(x) + x; 18 to 152 layers | often called the most used |
# | DenseNet | 2016 | within a block, each layer gets all earlier outputs | few parameters |
# | MobileNetV3 | 2019 | depthwise separable convolutions, arranged by a search for phones | phones |
# | EfficientNet | 2019 | compound scaling: depth, width, picture size at once | better than ResNet, smaller |
# | ViT | 2020 | the picture as a row of patches, for a transformer | large data, large models |
# | Swin | 2021 | attention in windows that shift, in stages as in a CNN | a transformer at a CNN's price |
# | ConvNeXt | 2022 | a ResNet redrawn with what transformers taught | convolutions again |
#
# A **transformer** takes a row of vectors; by **attention** each of them looks at all others. In a
# **depthwise separable** convolution each channel has a filter of its own; one of 1×1 then mixes them.
#
# Ideas and years are those of the papers; `data/weights.csv` names them. The last column is opinion, except
# where the table above bears it out: EfficientNet-B4 has 19 M parameters and 83.4 %, ResNet-152 V2 has 60 M
# and 82.3 %.

# %% [markdown] tags=["teaches:read"]
# ## Read an architecture
#
# A network is a tree: stages hold blocks, blocks hold layers. Look at ResNet-18, by depth. Each row has its
# kind, as a sign and a word; its parameters; and its output for one picture, channels × height × width.
# Shapes need no weights, so nothing is downloaded.

# %% tags=["teaches:resnet18"]
architecture("torchvision/resnet18")

# %% [markdown] tags=["teaches:resnet18-read"]
# At depth 1: the stem, conv1 with 7×7 and stride 2, bn1, relu, maxpool; four stages of two BasicBlocks each;
# avgpool, which leaves one number for each of the 512 channels; and the head, fc. From stage to stage maps
# halve and channels double. More than two thirds of the parameters stand in layer4.
#
# Move to depth 3: after each convolution comes a BatchNorm. From layer2 on, the first block of a stage has a
# `downsample`: its output is smaller than its input, so the input must shrink and get more channels before
# the two can be added.
#
# With weights you can also see what a layer makes of a picture. Here is the bundled Lite0, and two
# photographs that ship with scikit-image. Go from an early layer to a late one; the head gives numbers
# without a place in the picture. With ResNet-18's own weights, 45 MB to download, it is
# `architecture(load_model("torchvision/resnet18.IMAGENET1K_V1"), pictures)`.

# %% tags=["teaches:activations"]
pictures = {"a cat": Image.fromarray(data.chelsea()), "a cup of coffee": Image.fromarray(data.coffee())}
architecture(load_model("efficientnet_lite0"), pictures)

# %%
show_quiz("03_model_zoo", "how-far-down")

# %% [markdown]
# **Exercise.** Where are a model's parameters?

# %% tags=["exercise:03_model_zoo/parameters-by-part"]

# %% [markdown] tags=["teaches:choose"]
# ## Choose with reasons
#
# | purpose | what counts | often named |
# |---|---|---|
# | prototyping | quick, readable | ResNet-18 or 34 |
# | accuracy for its cost | the front | EfficientNet-B4, EfficientNetV2-S, ConvNeXt |
# | phone | tiny | MobileNetV3 |
# | feature extraction | rich and well studied features | ResNet-50 |
# | real-time video | 30 pictures a second or more: nobody says where, so measure | MobileNetV3-Large |
#
# The last column is what is usually advised. Does the table agree? The chooser turns a purpose into limits,
# looks them up and says what decides. Move the limits, and see when the advice changes. ConvNeXt-Tiny, for
# one, needs 4.5 G for 82.5 %: slightly more work than B4, which has 83.4 %.

# %% tags=["teaches:chooser"]
model_chooser()

# %%
show_quiz("03_model_zoo", "b4-b5-or-v2-s")

# %% [markdown] tags=["teaches:licences"]
# ## Licences
#
# Code, weights and data have a licence each. timm states one for its weights. torchvision's code is under
# BSD-3-Clause; for most of its weights it states none. For SWAG's it points to theirs, CC BY-NC 4.0, which
# forbids commercial use. And ImageNet's pictures are given for non-commercial research and education; whether
# that binds weights trained on them is not settled. Before you sell something, ask someone who may decide.

# %% tags=["teaches:licences-listed"]
# NBVAL_CHECK_OUTPUT
licence = zoo["licence"].replace("Apache-2.0", "apache-2.0")        # libraries spell it in two ways
zoo.groupby(licence).agg(weights=("name", "size"), first=("name", "first")).sort_values("weights")

# %% [markdown] tags=["teaches:traps"]
# ## What can go wrong
#
# - **A figure without weights, picture size or machine** is compared with one that has others.
# - **Multiply–adds and operations in one column**: a factor of two that nobody sees.
# - **The first pass timed, train mode, gradients on, a mean**: each makes a time that no one will get again.
# - **Buffers counted as parameters**, or a shared weight twice.
# - **The smallest number of multiply–adds taken for the fastest model.**
# - **Top-1 on ImageNet taken for top-1 on your pictures**: compare two or three by a probe.
#
# ## Take-away
#
# Accuracy belongs to a set of weights and a picture size, time to a machine. Read the one with its source,
# measure the other, look along the Pareto front, check the licence. Then read the architecture: you will need
# to know its stages and its head.
#
# **Next:** [04 · Loading pretrained models](04_loading_models.ipynb): from three libraries, and
# used rightly.
