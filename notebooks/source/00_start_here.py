# %% [markdown] tags=["teaches:how-it-works"]
# ## How to work with this course
#
# You read a little, **predict** what will happen, **run** a cell (Shift + Enter), and look whether you were
# right. Predicting wrongly costs nothing and teaches most.
#
# This is your own copy, in the folder `my_work`. Change whatever you like: `course reset 00` in a terminal
# (*File → New → Terminal*) brings a fresh one and keeps yours.
#
# The next cell loads what this lesson needs. The first time, that takes some seconds.

# %%
import torch
from PIL import Image
from skimage import data

from course_utils.pretrained import load_model, preprocessing, top_k
from course_utils.widgets import predictions, progress, show_exercise, show_pictures, show_quiz

model = load_model("efficientnet_lite0")
print(model.course_weights)

# %% [markdown]
# ## First prediction
#
# That loaded a real network: EfficientNet-Lite0, trained by others on 1.28 million photographs of the
# ImageNet data set. Such a network is called **pretrained**. Its weights came with the installation, so
# nothing is downloaded. The printed line names them and says how they want their pictures: 224 × 224
# pixels, as numbers from 0 to 1; from each of these 0.5 is subtracted, and the result is divided by 0.5.
#
# Here is a cat, a photograph that ships with scikit-image.

# %%
cat = Image.fromarray(data.chelsea())
show_pictures([cat], ["Chelsea"], alt="a tabby cat, looking at the camera", width=300)

# %% [markdown]
# **What will the network say?** Answer first. This is a **quick check**: choose an answer and press *Check*.
# It says why the answer is right or wrong, and you may choose again.

# %%
show_quiz("00_start_here", "what-it-will-say")

# %% tags=["teaches:first-prediction"]
predictions(cat, top_k(model, cat), alt="Chelsea, a tabby cat, looking at the camera")

# %% [markdown]
# Each bar is one of the five most likely classes with its probability. The other 995 classes share the
# rest.
#
# A cup of coffee is easier: ImageNet has a class that fits exactly. Guess first: how long will its bar be?

# %%
coffee = Image.fromarray(data.coffee())
predictions(coffee, top_k(model, coffee), alt="An espresso in a cup on a wooden table")

# %% [markdown]
# `top_k` returns a list of predictions. Each has a `.label`, an `.index` and a `.probability`: look at
# `top_k(model, coffee)[0].label` in a cell of your own.
#
# **Exercise.** Replace the `...` by your code and run the cell. A panel below it says what it found: what
# is right, what is not and why. *Hint* shows one hint at a time, *Solution* opens once you have solved it
# or tried three different ways, *Start over* counts tries and hints from zero; your code stays.

# %% tags=["exercise:00_start_here/read-a-prediction"]

# %% [markdown]
# ## Scores and probabilities
#
# `top_k` did four things: it prepared the picture as these weights expect, put it into a batch, ran the
# network in eval mode without gradients, and turned the network's scores into probabilities. The next cell
# does the first three; the fourth is yours.

# %%
prepare = preprocessing(model)
batch = prepare(coffee).unsqueeze(0)      # (1, 3, 224, 224): a batch of one
model.eval()                              # layers behave as in use, not as in training
with torch.inference_mode():              # no gradients are prepared: nothing will learn
    scores = model(batch)                 # (1, 1000): any numbers
print(prepare)
print("scores from", scores.min().item(), "to", scores.max().item())

# %% [markdown]
# Scores can be any numbers. **Softmax** makes them positive and makes them add up to 1. Such a part of 1 is
# called a **share**, and read as a probability. What do such probabilities tell?

# %%
show_quiz("00_start_here", "what-one-means")

# %% [markdown]
# **Exercise.** Turn scores into probabilities.

# %% tags=["exercise:00_start_here/scores-to-probabilities"]

# %% [markdown]
# The astronaut Eileen Collins stands before a flag and a shuttle model. ImageNet has no class for an
# astronaut's portrait. Guess first: will the largest bar be longer or shorter than the one for the coffee?

# %%
astronaut = Image.fromarray(data.astronaut())
predictions(astronaut, top_k(model, astronaut), alt="An astronaut in an orange suit before a flag")

# %% [markdown]
# The bars are short: nothing fits well, so the shares are spread. That is a hint, not a rule. Here is a
# picture from inside a human eye. ImageNet has no class for it either.

# %%
eye = Image.fromarray(data.microaneurysms())
predictions(eye, top_k(model, eye), alt="A detail of a human retina, grey, with dark spots")

# %% [markdown]
# The first bar is long all the same: the network is quite sure, and quite wrong. A probability says nothing
# about whether the picture shows anything the network knows.
#
# ## Check your machine
#
# `course doctor` looks at Python, packages, weights, memory and disk, and says what to do where something
# is missing. It runs in a terminal, or here with an exclamation mark.

# %% tags=["teaches:doctor"]
# !course doctor

# %% [markdown]
# ## Your progress
#
# Every answer is kept in one file on this machine; nothing leaves it. Close JupyterLab, come back tomorrow,
# and the cell below says where to go on. Run it again to bring it up to date.

# %% tags=["teaches:progress"]
progress()

# %% [markdown]
# ## What can go wrong
#
# - **A cell shows `[*]` for long:** it is still running. The square in the toolbar (■) interrupts it.
# - **"Name is not defined":** an earlier cell has not been run. *Run → Run All Above Selected Cell* repairs
#   it.
# - **Everything is odd:** *Kernel → Restart Kernel and Run Up to Selected Cell* starts clean.
# - **The lesson itself is broken by your changes:** `course reset 00` in a terminal.
#
# ## Take-away
#
# A pretrained model answers in three lines: load, prepare, predict. It names only what it was taught, and
# its probabilities compare those classes with each other.
#
# **Next:** [01 · Why pretrained models](01_why_pretrained.ipynb): what you save, and what is inside.
