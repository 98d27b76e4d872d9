# %% [markdown] tags=["teaches:idea"]
# ## The idea
#
# A pretrained network is useful without any head. What its layers put out describes a picture in numbers, and
# numbers can be compared, searched, drawn, and handed to any classifier. And nothing says that a **body**, as
# the backbone is also called, may carry only **one** head: two tasks can share it.
#
# In [lesson 05](05_feature_extraction.ipynb) you read the pooled features of one model. Here you read any
# layer of any model, in four ways, and then put the features to use.
#
# The flowers below are **rendered by a program**, not photographed, unless `COURSE_PHOTOS=1`.

# %%
import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch import nn
from torch.nn import functional as F
from torchvision.models.feature_extraction import create_feature_extractor

from course_utils.pretrained import extract_features, linear_probe, load_dataset, load_model
from course_utils.widgets import (
    feature_map, show_exercise, show_pictures, show_quiz, show_result, similar_pictures, task_balance)

torch.manual_seed(0)
flowers = load_dataset("flowers")
model = load_model("efficientnet_lite0")
print(flowers)

# %% [markdown] tags=["teaches:identity"]
# ## Four ways in
#
# **1. Take the head away.** An `Identity` layer hands on what it gets, so with it in place of the head the
# model puts out the features. For ResNet-50 in torchvision that is `model.fc = nn.Identity()`. This changes
# the model: do it to a copy, or put the head back.
#
# The models in this section are built without weights, on the "meta" device: tensors there have a shape but
# no numbers, and shapes are all we want. **Predict** ResNet-50's shapes at two layers.

# %%
show_quiz("09_features_and_tasks", "shape-at-layer-four")

# %% tags=["teaches:shapes"]
# NBVAL_CHECK_OUTPUT
with torch.device("meta"):
    resnet = load_model("torchvision/resnet50", random_init=True)
    images = torch.empty(1, 3, 224, 224)
named = create_feature_extractor(resnet, return_nodes={"layer3": "layer3", "layer4": "layer4"})
for name, output in named(images).items():
    print(f"{name}: {tuple(output.shape[1:])}")
resnet.fc = nn.Identity()
print(f"with Identity for a head: {tuple(resnet(images).shape[1:])}")

# %% [markdown]
# And beside your prediction:

# %%
show_result("09_features_and_tasks", "shape-at-layer-four")

# %% [markdown] tags=["teaches:create-feature-extractor"]
# **2. `create_feature_extractor`**, used above, is torchvision's way: name the layers, get a model that
# returns a dict. It **traces** the model: it runs the code once and notes each call, so it works for models
# whose code can be traced.
#
# **3. `features_only`** is timm's way: `timm.create_model(name, features_only=True)` gives a model that
# returns the maps of every stage, from large and shallow to small and deep.

# %% tags=["teaches:features-only"]
# NBVAL_CHECK_OUTPUT
import timm

with torch.device("meta"):
    stages = timm.create_model("tf_efficientnet_lite0", features_only=True)
    for info, maps in zip(stages.feature_info.get_dicts(), stages(torch.empty(1, 3, 224, 224)), strict=True):
        print(f"{info['module']:9} {tuple(maps.shape[1:])}: one place stands for "
              f"{info['reduction']} × {info['reduction']} pixels")

# %% [markdown] tags=["teaches:hooks"]
# ## Hooks
#
# **4. Forward hooks** work for every model and every layer: a function that PyTorch calls whenever a layer
# has run, with (module, inputs, output). Three things go wrong with them:
#
# - **One function for all layers.** Hooks made in a loop share the loop's variable, so all store under the
#   last name. A *factory* makes one hook per name.
# - **Keeping the graph**, which is what PyTorch keeps for the backward pass. What a hook keeps holds all of
#   it, unless you `detach()` it.
# - **Staying.** A hook runs until its handle's `remove()` is called.
#
# **Exercise.** Catch the outputs of chosen layers.

# %% tags=["exercise:09_features_and_tasks/catch-the-outputs"]

# %%
show_quiz("09_features_and_tasks", "which-way-in")

# %% [markdown] tags=["teaches:similarity"]
# ## Similarity search
#
# Two pictures are alike if their features point the same way. **Cosine similarity** is the cosine of the
# angle between them: 1 for the same direction, whatever the lengths. To search, bring all vectors to length
# 1; one product then compares a picture with all others.
#
# Nobody has told the network what a tulip is. Move the slider and look which pictures it finds.

# %% tags=["teaches:neighbours"]
train = extract_features(model, flowers.train)
val = extract_features(model, flowers.val)
similar_pictures(train, flowers.train, f"Flowers ({flowers.card.kind}), nearest by Lite0's features")

# %% [markdown]
# First a question, then the **exercise**: write the search.

# %%
show_quiz("09_features_and_tasks", "nothing-but-angles")

# %% tags=["exercise:09_features_and_tasks/find-the-most-similar"]

# %% [markdown] tags=["teaches:map"]
# ## A map
#
# 1,280 numbers cannot be drawn, two can. **PCA** looks at the cloud of features from the side on which it is
# widest. **t-SNE** bends the cloud until neighbours in 1,280 dimensions are neighbours in two; distances
# between groups then mean nothing. Switch between them: where do species mix? Those are the mistakes a
# classifier will make.

# %% tags=["teaches:map-drawn"]
feature_map(val, flowers.val, "The validation flowers")

# %% [markdown] tags=["teaches:classifiers"]
# ## Any classifier
#
# Features are ordinary vectors, so whatever takes vectors can follow: the nearest neighbours of a picture
# vote; a **random forest** lets many trees of yes-or-no questions vote, each on some of the pictures and
# features; **support vectors** draw the border with the widest margin, which need not be straight.
# **Predict** which of these does best on 300 pictures with 1,280 features each.

# %%
show_quiz("09_features_and_tasks", "which-classifier")

# %% tags=["teaches:classifiers-compared"]
names = {"probe": "linear probe", "neighbours": "5 nearest neighbours", "forest": "random forest",
         "vectors": "support vectors"}
found = {"linear probe": linear_probe(train, val).score(val)}
for name, classifier in [("5 nearest neighbours", KNeighborsClassifier(5, metric="cosine")),
                         ("random forest", RandomForestClassifier(300, random_state=0)),
                         ("support vectors", SVC(C=10.0))]:
    found[name] = classifier.fit(train.x, train.y).score(val.x, val.y)
for name, accuracy in found.items():
    print(f"{name:22}{accuracy:.0%} of {len(val)} validation pictures")
show_result("09_features_and_tasks", "which-classifier", found=max(names, key=lambda i: found[names[i]]))

# %% [markdown]
# One validation picture is a whole percentage point, and the probe chose its strength by these very pictures.
# Differences of two or three points say little here: such a lead may be luck.

# %% [markdown] tags=["teaches:multi-task"]
# ## Two tasks, one body
#
# A doorbell may want to know *who* is there and *whether the face is turned*. Two networks cost twice. A
# **multi-task** network has one body and two heads, and one loss:
#
# $$\text{loss} = \text{loss}_1 + w \cdot \text{loss}_2$$
#
# The weight w says how much the second task counts; 1 : 0.5 is often seen. It also mends units: a loss in
# square pixels can be thousands of times larger than a cross-entropy, and would drown it.
#
# Here the body's features stay frozen, and both heads share one small layer of eight numbers that does learn.
# First task: which digit is it? Second: is it written with more ink than half of the digits? The digits are
# scikit-learn's, real scans.

# %% tags=["teaches:two-heads"]
digits = load_dataset("digits")
seen = extract_features(model, digits.train.subset(range(600)), size=96)
ink = torch.tensor([float(np.asarray(picture).sum()) for picture, _ in digits.train.subset(range(600))])
thick = (ink > ink.median()).long()
held_out = torch.arange(600) >= 400
task_balance(seen.x, (seen.y, thick), ("which digit", "much ink"), held_out)

# %% [markdown]
# With weight 0 the second head hears nothing of its task: about half right, as by a toss of a coin. As the
# weight grows, it improves, and from some point on the eight shared numbers serve it alone and the first task
# pays. Try 0.01, 0.5 and 100, and watch the chart fill.

# %%
show_quiz("09_features_and_tasks", "what-the-weight-does")

# %% [markdown] tags=["teaches:children"]
# ## Chained children
#
# An often copied line takes a body out of a model: `nn.Sequential(*list(model.children())[:-1])`, then
# `flatten`. For ResNet it works, because its `forward` does nothing but call its children in order, and
# flatten before the last. Where `forward` does more, the chain leaves that out.

# %% tags=["teaches:children-tried"]
# NBVAL_CHECK_OUTPUT
for name in ("resnet18", "densenet121", "vit_b_16"):
    with torch.device("meta"):
        whole = load_model(f"torchvision/{name}", random_init=True)
        chain = nn.Sequential(*list(whole.children())[:-1])
        try:
            print(f"{name}: {tuple(chain(torch.empty(1, 3, 224, 224)).shape)}")
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error)[:60]}")

# %% [markdown] tags=["teaches:children-explained"]
# ResNet-18 gives 512 numbers, pooled. DenseNet gives maps that are neither pooled nor passed through the last
# activation: its `forward` does both itself, so numbers come out, and they are the wrong ones. ViT's
# `forward` puts the patches in a row and adds one more vector, the class token, which no child does. Ask the
# model by name instead, or by hook.

# %%
show_quiz("09_features_and_tasks", "why-children-break")

# %% [markdown] tags=["teaches:traps"]
# ## What can go wrong
#
# - **Hooks left behind** slow every later pass, and keep what they saw.
# - **Features of train mode**: BatchNorm makes a picture's features depend on the rest of its batch. Call
#   `eval()`.
# - **Lengths compared** instead of angles: long vectors win every search.
# - **A map read like a plan**: gaps and sizes in t-SNE mean nothing.
# - **Losses in different units**: the larger number wins, not the more important task.
#
# ## Take-away
#
# Any layer of any model can be read: by `Identity`, by name, by stage, by hook. What comes out can be
# searched, drawn and classified. Several heads can share a body; the weights of their losses say who is
# served.
#
# **Next:** [10 · Distillation](10_distillation.ipynb): a large network teaches a small one.
