# %% [markdown] tags=["teaches:data-set"]
# ## What ImageNet is
#
# At Princeton, Fei-Fei Li and her colleagues began to collect pictures for the nouns of **WordNet**, a
# dictionary in which each meaning is a **synset**: a set of synonyms with a number of its own. The work went
# on at Stanford. The web supplied the pictures, and people were asked of each whether it shows what the
# synset says.
#
# When a model is called "trained on ImageNet", a part of it is meant: that of the yearly **challenge**
# (ILSVRC), often called ImageNet-1k.
#
# | | all of ImageNet | the challenge's part, since 2012 |
# |---|---|---|
# | pictures | more than 14 million | 1,281,167 for training, 50,000 for validation, 100,000 for the test |
# | classes | 21,841 synsets | 1,000 |
# | labels | checked by people | one for each picture, checked by people |
# | boxes around things | about 1 million pictures | part of another task |
# | size | as found on the web | as found; most networks get 224 × 224 pixels |
#
# Sources: Deng et al. 2009; Russakovsky et al. 2015 (arXiv 1409.0575); the project's own statistics.

# %%
import pandas
import torch
from PIL import Image
from skimage import data
from timm.data import ImageNetInfo, RealLabelsImagenet
from torch.nn import functional as F

from course_utils.pretrained import catalogue, imagenet_synsets, imagenet_tree, load_model, top_k
from course_utils.widgets import (
    branch_view, imagenet_timeline, label_explorer, show_exercise, show_pictures, show_quiz, show_result)

model = load_model("efficientnet_lite0")
print("trained on ImageNet-1k:", model.course_weights)

# %% [markdown]
# **Predict first.** What are the thousand classes? The question below asks for one kind among them. The cell
# after it looks them up in **timm**, a library of models, which holds each class's synset, words and
# definition.

# %%
show_quiz("02_imagenet", "how-many-dogs")

# %% tags=["teaches:label-file"]
info = ImageNetInfo()
for position in (0, 282, 517, 999):
    print(position, info.index_to_label_name(position), info.index_to_description(position, detailed=True))
[dog] = imagenet_synsets("dog")          # WordNet has one meaning of "dog" above these classes
show_result("02_imagenet", "how-many-dogs", found=len(dog.classes))

# %% [markdown]
# The position is where the class stands among a model's 1,000 scores. timm does not say which classes are
# dogs: that follows from WordNet's own links, which ship with this course and come further down. With them,
# the whole list can be counted.

# %% tags=["teaches:what-is-in-it"]
# NBVAL_CHECK_OUTPUT
for word in ["animal", "dog", "domestic cat", "bird", "artifact", "vehicle", "clothing", "food", "plant",
             "person"]:
    branch = imagenet_synsets(word)[0]
    some = ", ".join(info.index_to_description(position).split(",")[0] for position in branch.classes[:3])
    print(f"{len(branch.classes):>4} × {word:13} such as {some}")

# %% [markdown]
# Two fifths are animals, more than half are artifacts, things that people make. There are three kinds of
# people, and two plants as such. The organisers wanted fine distinctions and things that fill a picture;
# they did not sample the world. Fruits and vegetables are counted as food or as parts of plants.

# %%
show_quiz("02_imagenet", "what-imagenet-1k-saw")

# %% [markdown] tags=["teaches:top5"]
# ## The challenge
#
# From 2010 to 2017 teams sent in five guesses for each test picture. A picture is missed if its label is
# not among the five: the share of missed pictures is the **top-5 error**. Five guesses, because a picture
# with one label may show several things.
#
# How well do people do? One person, after practising on 500 pictures, was wrong on 5.1 % of 1,500; a second
# one on 12 % of 258 (Russakovsky et al. 2015). **Predict**, then look at the years.

# %%
show_quiz("02_imagenet", "human-line")

# %% tags=["teaches:timeline"]
display(imagenet_timeline())
show_result("02_imagenet", "human-line")

# %% [markdown] tags=["teaches:reading-the-timeline"]
# Move the slider. Each year has its own idea; from 2012 on, networks learn their features, and in 2015
# several teams were below the human line. Read such charts with care:
#
# - **Most winners are ensembles**, several networks whose answers are averaged. Do not compare them with a
#   single network.
# - **2010 and 2011 had other pictures.** Training and test pictures are the same from 2012 on.
# - **The human line is one person**, on 1,500 pictures of 100,000.
# - **The winner of 2010 is often given the idea of 2011**, Fisher vectors: a way to code hand-made features.
#
# The next cell puts single networks of torchvision, as its catalogue lists them, beside the entries they
# were made for. It also says how exactly 1,500 pictures can measure.

# %% tags=["teaches:not-comparable"]
# NBVAL_CHECK_OUTPUT
top5 = catalogue(source="torchvision").set_index("name")["top5"]
entries = {"alexnet.IMAGENET1K_V1": "2012: 16.4 %", "googlenet.IMAGENET1K_V1": "2014:  6.7 %",
           "vgg19.IMAGENET1K_V1": "2014:  7.3 %", "resnet152.IMAGENET1K_V1": "2015:  3.57 %",
           "resnet152.IMAGENET1K_V2": "2015:  3.57 %"}
for name, entry in entries.items():
    print(f"{name:24} alone, one crop: {100 - top5['torchvision/' + name]:5.2f} %   the entry of {entry}")
margin = 1.96 * (0.051 * 0.949 / 1500) ** 0.5        # 95 % of samples of 1,500 pictures lie within it
print(f"one person: 5.1 % ± {margin:.1%}, by the choice of pictures alone")

# %% [markdown]
# A single network of the same name misses more pictures than the entry, in the first four lines a quarter to
# two thirds more: one network instead of several, one crop (a piece cut from the picture) instead of the
# average over many, validation pictures instead of test pictures. The last line is the architecture of the
# line above, trained by a newer recipe: name the weights, not only the network.

# %%
show_quiz("02_imagenet", "may-be-compared")

# %%
show_quiz("02_imagenet", "ideas-in-order")

# %% [markdown]
# **Exercise.** Compute the top-5 error of a set that comes in batches, in plain PyTorch.

# %% tags=["exercise:02_imagenet/top5-error"]

# %% [markdown] tags=["teaches:tree"]
# ## A tree of words
#
# WordNet says of each synset what is right above it, its **hypernym**: a tiger cat is a domestic cat, a
# domestic cat is a cat. The course ships these links for all that lies above ImageNet's classes, 1,860
# synsets under WordNet's licence; 75 of them have more than one hypernym (a dog is both a canine and a
# domestic animal), so "tree" is a slight simplification. To walk up, follow the links:

# %% tags=["teaches:walk-up"]
# NBVAL_CHECK_OUTPUT
tree = imagenet_tree()
here = tree[info.index_to_label_name(282)]
while here:
    print(f"{len(here.classes):>5} classes  {here.words[0]}")
    here = tree[here.above[0]] if here.above else None

# %% [markdown]
# From breed to species to animal: a label says more than its own name. No class stands above another, so a
# model can never answer "cat" or "dog". It is for you to add that up.
#
# **Type a word**, one of your own classes if you have some. Then try *plant*, *crane*, *tulip*, *person* and
# *rose*.

# %% tags=["teaches:label-explorer"]
label_explorer()

# %% [markdown] tags=["teaches:words-and-meanings"]
# Words are not meanings. *Plant* finds two flowers and a lumbermill. *Crane* is a bird at position 134 and a
# machine at 517: a table that maps names to positions loses one of them. *Cat* is a branch, and another word
# for the big cats. *Tulip* is not there, nor is any other flower but two; shown a tulip, a model names what
# looks like one.
#
# ## Inside one branch
#
# Back to the photograph of lesson 00, which ships with scikit-image. The best class had 39 %. That looks
# like doubt. Doubt about what?

# %%
cat = Image.fromarray(data.chelsea())
show_pictures([cat], ["Chelsea"], alt="a tabby cat, looking at the camera", width=220)

# %%
show_quiz("02_imagenet", "cats-together")

# %% [markdown]
# The next cell asks for all 1,000 probabilities and adds up those of a branch.

# %% tags=["teaches:sum-over-a-branch"]
share = {guess.index: guess.probability for guess in top_k(model, cat, k=1000)}
[house_cat], [feline], [animal] = (imagenet_synsets(word) for word in ["domestic cat", "feline", "animal"])
for branch in (house_cat, feline, animal):
    print(f"{branch.words[0]:13}{sum(share[position] for position in branch.classes):6.1%}")
cats = 100 * sum(share[position] for position in house_cat.classes)
show_result("02_imagenet", "cats-together", found=round(cats, 1))

# %% [markdown] tags=["teaches:confusion"]
# So the model is nearly sure of the cat and undecided about the breed: its confusion stays inside one
# branch. Is that a mistake? To WordNet a tiger cat has a striped coat, and a tabby one mottled with black:
# the definitions hardly tell them apart. If all you need is "cat", sum the branch, and do not read 39 % as
# doubt.
#
# In the view below the steps lead up the tree. You may also choose a picture of your own: it stays on this
# machine.

# %% tags=["teaches:branch-view"]
branch_view(model, cat, alt="Chelsea, a tabby cat, looking at the camera")

# %% [markdown]
# **Exercise.** The probability of a branch, from scores.

# %% tags=["exercise:02_imagenet/branch-probability"]

# %% [markdown] tags=["teaches:why-it-transfers"]
# ## Why its features transfer
#
# Four reasons are usually given: the **variety** of the classes, their **scale**, the **hierarchy** with its
# fine and coarse distinctions, and **years of tuning** by many people on this one set. Which of them counts
# is less clear: Huh, Agrawal and Efros (2016, arXiv 1608.08614) left out pictures and classes, and most of
# what was thought to be critical hardly mattered for transfer.
#
# The hierarchy, at least, can be looked for. Training never saw the tree, only 1,000 names. The head holds
# one row of weights for each class. Guess first: take each dog's row and find the most similar row of the
# other 999: the one at the smallest angle, after what all rows have in common is subtracted. For how many of
# the 118 is it another dog? By chance it would be 12 %.

# %% tags=["teaches:hierarchy-learned"]
def stays_inside(net, branch):
    """The share of a branch's classes whose most similar class, by the head's weights, is in the branch."""
    rows = F.normalize(net.classifier.weight - net.classifier.weight.mean(dim=0), dim=1)     # (1000, 1280)
    likeness = (rows @ rows.T).fill_diagonal_(-1)                                            # (1000, 1000)
    nearest = likeness.argmax(dim=1)[list(branch.classes)]
    return torch.isin(nearest, torch.tensor(branch.classes)).float().mean().item()


torch.manual_seed(0)
nets = {"lite0": model, "lite1": load_model("efficientnet_lite1"), "lite2": load_model("efficientnet_lite2"),
        "untrained": load_model("timm/tf_efficientnet_lite0", random_init=True)}
branches = {word: imagenet_synsets(word)[0] for word in
            ["dog", "bird", "snake", "musical instrument", "vehicle", "clothing"]}
with torch.no_grad():
    table = {name: [stays_inside(net, branch) for branch in branches.values()] for name, net in nets.items()}
table["by chance"] = [(len(branch.classes) - 1) / 999 for branch in branches.values()]
pandas.DataFrame(table, index=branches).map("{:.0%}".format)

# %% [markdown] tags=["teaches:what-it-is-not"]
# In three trained networks, classes of one branch lie together; in an untrained one they do not. To tell
# breeds apart, a network probably helps to find what dogs share. This is how features come about that serve
# other classes too. It does not prove that the hierarchy is the reason for transfer.
#
# ## What ImageNet is not
#
# - **Not free of errors.** At least 6 % of the validation labels are wrong (Northcutt et al. 2021, arXiv
#   2103.14749).
# - **Not complete.** Each picture has one label, however much it shows.
# - **Not the whole world.** Its pictures come mostly from North America and Europe (Shankar et al. 2017,
#   arXiv 1711.08536), its words from an English dictionary.
# - **Not for everything.** Its terms allow non-commercial research and education. Whether they reach weights
#   trained on it is disputed: read the licence of the weights, and ask where it matters.
# - **Not separate from later sets.** "Ants and bees" or Stanford Dogs are pictures of ImageNet: a backbone
#   may have learned from them. That is **contamination**: a test picture that was in the pretraining, perhaps
#   with its label, is remembered and not only recognised, so the test flatters. To check, look for copies of
#   test pictures among those of pretraining: files of the same bytes by a **hash**, copies that were resized
#   or saved again by a **sketch**, a tiny grey version. `course audit` compares the parts of one folder in
#   this way. How much it flatters is not measured here: that takes ImageNet's own pictures, a large download.
#
# The second point can be counted. Beyer et al. (2020, arXiv 2006.07159) had people look at all validation
# pictures again, with every label allowed that fits; timm holds what they found.

# %% tags=["teaches:label-noise"]
# NBVAL_CHECK_OUTPUT
found = list(RealLabelsImagenet([""] * 50_000).real_labels.values())        # of each picture, its classes
several = sum(len(classes) > 1 for classes in found)
print(f"none of the 1,000: {found.count([]):,} pictures; several: {several:,}, {several / 50_000:.0%} of all")


def pictures_of(word):
    """The validation pictures of which people said that they show this class."""
    [position] = imagenet_synsets(word)[0].classes
    return {picture for picture, classes in enumerate(found) if position in classes}


for one, other in [("sunglasses", "sunglass"), ("laptop", "notebook"), ("tabby", "tiger cat")]:
    both = pictures_of(one) & pictures_of(other)
    print(f"{one} {len(pictures_of(one))}, {other} {len(pictures_of(other))}, both {len(both)}")

# %% [markdown]
# Some 3,000 pictures show none of the 1,000 classes, and one in seven shows several: there, **top-1**
# accuracy, by which the one best guess must be the label, counts right answers as wrong. To WordNet a
# *sunglass* is a lens that starts fires; the pictures collected under it show sunglasses. Differences of a
# few tenths of a per cent between models say little under such labels.

# %%
show_quiz("02_imagenet", "found-in-pretraining")

# %% [markdown] tags=["teaches:traps"]
# ## What can go wrong
#
# - **Names as keys:** two classes may share a name. Use positions or synsets.
# - **Positions from 1:** scores are counted from 0; some lists of labels begin at 1, or with a class for
#   the background.
# - **Softmax over a few classes:** after selecting, any picture becomes a cat.
# - **An ensemble's figure beside a single network's**, or top-5 beside top-1.
# - **Batches averaged:** the last, smaller one weighs too much.
# - **A test set from ImageNet:** the backbone may know its pictures.
#
# ## Take-away
#
# "ImageNet weights" means 1.28 million web photographs with one of 1,000 labels each, two fifths of them
# animals. Ask where your classes fall in its tree, sum over branches where you need coarse answers, and
# compare only figures that were measured alike.
#
# **Next:** [03 · The model zoo](03_model_zoo.ipynb): which of these networks to take.
