# %% [markdown] tags=["teaches:idea"]
# ## The idea
#
# The network that answers best is often too large for where it must run: a phone, a camera, a page that
# has to answer in a blink. **Distillation** lets it hand on what it knows. The large network, the
# **teacher**, is trained already and stays frozen. A small one, the **student**, sees the same pictures and
# learns to answer as the teacher does, and as the labels say.
#
# The usual example is a ResNet-152 that teaches an untrained ResNet-18. That takes hours on a graphics card,
# so here the teacher is EfficientNet-Lite0, the student a network of three convolutions, and the pictures are
# **rendered surface defects** of 96 pixels: drawn by a program, not photographed.
#
# First, what there is to learn beyond a label.

# %%
import time

import torch
from PIL import Image
from skimage import data
from torch import nn
from torch.nn import functional as F

from course_utils.pretrained import (
    count_parameters, distillation_loss, evaluate, extract_features, fit, linear_probe, load_dataset,
    load_model, measure, preprocessing)
from course_utils.widgets import (
    show_exercise, show_pictures, show_quiz, show_result, temperature, trade_offs, walkthrough)

torch.manual_seed(0)
model = load_model("efficientnet_lite0")
cat = Image.fromarray(data.chelsea())
show_pictures([cat], ["Chelsea, a photograph that ships with scikit-image"], alt="a tabby cat", width=200)

# %% [markdown] tags=["teaches:soft-targets"]
# ## Soft targets
#
# The label of this picture would be one word. The network's answer is 1,000 probabilities. That it gives a
# share to two other cats and nothing to aeroplanes says how pictures of cats lie to each other: it is
# knowledge, and the label does not hold it. Probabilities that serve as targets are called **soft
# targets**, labels **hard** ones.
#
# Most of that knowledge sits in very small shares. A **temperature** T makes them visible: divide the scores
# by T before softmax. **Predict** what T = 4 does.

# %%
show_quiz("10_distillation", "hotter")

# %%
with torch.inference_mode():
    scores = model(preprocessing(model)(cat).unsqueeze(0))[0]          # (1000,)
for t in (1, 4):
    best = (scores / t).softmax(0).topk(3)
    print(f"T = {t}:", *(f"{model.course_weights.classes[i]} {p:.1%}"
                         for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)), sep="  ")
show_result("10_distillation", "hotter")

# %% [markdown]
# Move T yourself. At 1 these are the network's own probabilities. Below 1 the likeliest class takes nearly
# all. At 16 hardly any difference is left: too hot is as uninformative as too cold. With 1,000 classes even
# T = 4 gives most of the share to the many unlikely ones; with five it does not. T between 2 and 8 is
# usual, 4 a common start; these are rules of thumb.

# %% tags=["teaches:slider"]
temperature(scores, model.course_weights.classes, "Chelsea, as Lite0 sees her")

# %%
show_quiz("10_distillation", "what-soft-targets-tell")

# %% [markdown] tags=["teaches:loss"]
# ## The loss
#
# The student has two aims, so its loss has two parts:
#
# $$\alpha \cdot T^2 \cdot \mathrm{KL}(\text{teacher} \,\|\, \text{student}) + (1 - \alpha) \cdot
# \text{cross-entropy with the labels}$$
#
# - **KL**, the Kullback–Leibler divergence, says how far the student's softened probabilities are from the
#   teacher's: 0 where they agree. Both are softened by the same T. The labels' part takes the scores as they
#   are.
# - **α** shares the weight between them. T = 4 and α = 0.7 are often used, and used here.
# - In PyTorch it is `F.kl_div(student's log-probabilities, teacher's probabilities, reduction="batchmean")`:
#   the one that learns comes first, as logarithms. `batchmean` sums over classes and averages over pictures;
#   `mean` would divide by the classes too.
#
# And the T²? The next cell measures how large the teacher's part of the gradient is at different
# temperatures, with and without it.

# %% tags=["teaches:t-squared"]
student_scores, teacher_scores = 2 * torch.randn(64, 10), 4 * torch.randn(64, 10)
print("   T    without T²    with T²")
for t in (1.0, 2.0, 4.0, 8.0):
    free = student_scores.clone().requires_grad_()
    F.kl_div((free / t).log_softmax(1), (teacher_scores / t).softmax(1), reduction="batchmean").backward()
    size = free.grad.norm().item()
    print(f"{t:4g}{size:14.4f}{t * t * size:11.4f}")

# %% [markdown]
# Without T², the hotter the softer, and the less the teacher counts: its gradient shrinks by nearly 1/T².
# With it, the size stays much more level, so that α keeps its meaning when you change T (Hinton, Vinyals and
# Dean, 2015).

# %%
show_quiz("10_distillation", "why-t-squared")

# %%
show_quiz("10_distillation", "t-squared-at-four")

# %% [markdown]
# **Exercise.** Write the loss in plain PyTorch. The cell after it goes through the course's own.

# %% tags=["exercise:10_distillation/write-the-loss"]

# %% tags=["teaches:loss-by-line"]
walkthrough(distillation_loss, {
    "_check(": "Other classes, another batch, labels that are no whole numbers: said in words.",
    ("# bfloat16", "student, teacher ="): "bfloat16, numbers of 16 bits, has two or three digits: "
                                          "too few for the small shares that the teacher has to "
                                          "tell. `detach`: the teacher does not learn.",
    ("soft =", "log_target=True"): "How far the student's softened shares are from the teacher's. Both "
                                   "come as logarithms, hence `log_target`; `batchmean` averages over "
                                   "pictures alone.",
    "hard =": "The labels' part takes the scores as they are, not softened.",
    ("# softened", "return"): "T² keeps the size of the teacher's gradient more level, so that α keeps its "
                              "meaning."})

# %% [markdown] tags=["teaches:adapt-teacher"]
# ## Teacher and student
#
# The teacher knows ImageNet's 1,000 classes and no scratches. A student learns the *teacher's* classes, so
# the teacher must know yours first: a new head, trained on your labels. A linear probe is enough, as in
# [lesson 05](05_feature_extraction.ipynb).
#
# Suppose labels are dear: only 75 of the 300 training pictures have one, fifteen of each class.

# %% tags=["teaches:teacher"]
defects = load_dataset("defects")
print(defects)
SIZE = 96
order = torch.randperm(len(defects.train), generator=torch.Generator().manual_seed(0)).tolist()
some_of_each = [[i for i in order if defects.train.labels[i] == label][:15] for label in range(5)]
labelled = defects.train.subset(sorted(i for positions in some_of_each for i in positions))

teacher = load_model("efficientnet_lite0")
known, val = (extract_features(teacher, part, size=SIZE) for part in (labelled, defects.val))
teacher.classifier = linear_probe(known, val).as_head()
teacher.course_classes = defects.classes
accuracy = evaluate(teacher, defects.val, size=SIZE).accuracy
print(f"teacher, {count_parameters(teacher):,} parameters: {accuracy:.1%} of the validation pictures")


# %% [markdown]
# The student is small and starts from random numbers. It gets the teacher's `course_weights`, so that its
# pictures are prepared in the same way.

# %% tags=["teaches:student"]
def small_network():
    """Three convolutions, each followed by a halving of the picture."""
    layers, channels = [nn.AvgPool2d(2)], 3
    for width in (16, 32, 64):
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                   nn.MaxPool2d(2)]
        channels = width
    student = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5))
    student.course_weights = teacher.course_weights
    return student


costs = {}
for name, network in [("teacher", teacher), ("student", small_network())]:
    cost = measure(network, size=SIZE, batch_sizes=(1,))
    costs[name] = {"parameters": cost.parameters, "milliseconds": 1e3 * cost.latencies[0].median}
    print(f"{name}: {cost.parameters:,} parameters, {costs[name]['milliseconds']:.2f} ms for one picture")

# %% [markdown] tags=["teaches:training"]
# ## Training the student
#
# Distillation needs no loop of its own: it is one more loss. `fit` hands a loss that asks for `inputs` the
# batch itself, so that the teacher sees exactly what the student sees, in eval mode and without gradients.
#
# **Exercise.** First, one step by hand.

# %% tags=["exercise:10_distillation/teach-a-batch"]

# %% [markdown]
# Now two students from the same random numbers, on the same 75 labelled pictures: one learns from the labels
# alone, one from labels and teacher.

# %% tags=["teaches:as-a-loss"]
def as_the_teacher(scores, labels, *, inputs):
    """Distillation as a loss for `fit`."""
    with torch.no_grad():
        wanted = teacher(inputs)
    return distillation_loss(scores, wanted, labels, temperature=4.0, alpha=0.7)


few = defects.val.subset(range(0, 100, 5))          # a look after each epoch, at one in five
for name, loss in [("labels alone", None), ("labels and teacher", as_the_teacher)]:
    torch.manual_seed(0)
    student, start = small_network(), time.perf_counter()
    fit(student, labelled, few, epochs=15, size=SIZE, augment=False, loss=loss,
        optimizer=torch.optim.Adam(student.parameters(), lr=3e-3), schedule="cosine")
    print(f"{name}: {evaluate(student, defects.val, size=SIZE).accuracy:.1%} of the validation pictures, "
          f"{time.perf_counter() - start:.0f} s")

# %% [markdown] tags=["teaches:unlabelled"]
# One run of 15 epochs is no evidence, and far from the end of training. And the best is still to come: the
# teacher can answer for pictures that **nobody has labelled**. With α = 1 the labels do not count at all,
# and all 300 training pictures can teach.
#
# The table is from a recorded experiment: five draws of the 75 labelled pictures, 300 steps for each student,
# accuracy on the test pictures.

# %% tags=["teaches:record"]
import json

from course_utils import paths

record = json.loads((paths.results() / "distillation.json").read_text())
found = record["results"]
print(f"made by: {record['command']}, seeds {record['seeds']}, {found['test']} test pictures\n")
for name in ("teacher", "student alone", "distilled", "distilled, unlabelled"):
    print(f"{name:24}{found['mean'][name]:.1%} ± {found['spread'][name]:.1%}")
for name in ("distilled", "distilled, unlabelled"):
    gains = [100 * (row[name] - row["student alone"]) for row in found["per_seed"]]
    print(f"{name}, points above the student alone, by draw: {', '.join(f'{gain:+.1f}' for gain in gains)}")

# %% [markdown] tags=["teaches:size-and-speed"]
# On the same 75 pictures the teacher adds little, and in some draws nothing. What it has to say about a
# picture with a label is not so much more. On the pictures **without** labels it adds a lot, in every draw.
# (That student changes two things, α and the pictures: with α = 1 labels do not count.) And yet the student
# stays far behind its teacher: 24,000 parameters, begun at random, are few for what there is to see.
#
# ## Size, speed, accuracy
#
# What does the student cost, and what does it give? Accuracy from the record; time for one picture as you
# measured it above:

# %% tags=["teaches:trade-offs"]
of = {name: "teacher" if name == "teacher" else "student" for name in found["mean"]}
trade_offs(found["mean"], {name: costs[of[name]] for name in found["mean"]})

# %%
show_quiz("10_distillation", "when-to-distil")

# %% [markdown] tags=["teaches:traps"]
# ## What can go wrong
#
# - **A teacher of 1,000 classes, a student of five**: their scores do not stand for the same things. Adapt
#   the teacher first.
# - **The teacher in train mode**: its BatchNorm follows your batches, and its answers drift.
# - **Gradients into the teacher**: time and memory, for nothing. Ask it under `no_grad`.
# - **`reduction="mean"`**: the teacher's part shrinks by the number of classes.
# - **T² forgotten**: the teacher's part shrinks by T².
# - **Teacher and student prepared differently**: each set of weights has its own preprocessing, but a batch
#   is prepared once. Here the student takes over the teacher's.
# - **A teacher that errs**: its errors are handed on.

# %%
show_quiz("10_distillation", "another-thousand")

# %% [markdown] tags=["teaches:take-away"]
# ## Take-away
#
# A teacher's softened answers can say more than labels, above all where there are none. The loss is α·T²·KL +
# (1 − α)·cross-entropy. Use it when a small, fast model must ship, above all when there are many pictures
# without labels; where nothing has to be small, a probe on the large network is less work.
#
# **Next:** [11 · Summary and final quiz](11_summary.ipynb): what to take along.
